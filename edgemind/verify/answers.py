"""The final answer of a worked solution, and where in the text it stands.

Reached from strategies (every finished sample) and from the router, which looks at the model's
certainty over the answer's own tokens. `canonical` and `equivalent` (from
`edgemind.verify.values`) say which answers are the same.

The order of the looks, each only when those before found nothing:

1. the last `####` line (GSM8K's own mark, arXiv 2110.14168; a heading is none)
2. the last balanced, non-empty `\\boxed{…}` (MATH, arXiv 2103.03874)
3. the last "answer is", "answer:", "final answer", on the same line or the one after
4. a short last line that is nothing but a value (or the whole text, when it is that short)
5. the last number, date or time in the text

Nothing found is `None`: the sample abstains. All searches are linear in the text, of which the
last `MAX_TEXT` characters are read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, Literal

from edgemind.verify.scalars import DATE, DECIMAL, TIME
from edgemind.verify.values import canonical, equivalent, shape

__all__ = ["AnswerKind", "canonical", "equivalent", "extract", "extract_span"]

AnswerKind = Literal["number", "choice", "yes_no", "date", "time", "text"]
"""What a question asks for; an extraction that knows looks for nothing else."""

Span = tuple[int, int]

MAX_TEXT: Final = 32_768
_MAX_VALUE_CHARS: Final = 200
_MAX_TEXT_WORDS: Final = 12
_MAX_LINE_WORDS: Final = 5
_MAX_MARKS: Final = 4
_MAX_WRAPPERS: Final = 8

_HASHES: Final = re.compile(r"(?<!#)####(?!#)[ \t]*([^\n]*)")
_BOX: Final = re.compile(r"\\f?boxed *\{|[{}]|\\[{}]")
_ANSWER: Final = re.compile(
    r"\b(?:(?:final )?answers?\b(?: (?:choice|option))?|(?:correct|best|right) (?:choice|option)\b)"
    r"[*_\"']{0,3} ?"
    r"(?:(?:to|for|of)\b[^\n.:]{0,80}? )?"
    r"(?:(?:(?:is|was|are|would be|must be|should be)\b|=|:|\u2192|->)[*_]{0,3}[:\s]{0,4}){1,2}",
    re.IGNORECASE,
)
_FINAL: Final = re.compile(r"\bfinal answer\b[*_.]{0,3}\s{0,3}", re.IGNORECASE)
_LEAD: Final = re.compile(
    r"(?:[\s*_`#>:]|(?:about|approximately|approx\.?|roughly|exactly|simply|just|indeed|thus|"
    r"therefore|then|option|choice)\b(?! *[,.]))*",
    re.IGNORECASE,
)
_LINE: Final = re.compile(r"[^\n]+")
_SENTENCE_END: Final = re.compile(r"[.!?](?=[\s*\"')]|$)|[,;]? (?:because|since|as|so|which)\b")
_DELIMITED: Final = re.compile(
    r"\\\(([^\n]{1,200}?)\\\)|\\\[\s*([^\n]{1,200}?)\s*\\\]|\$\$([^$\n]{1,200})\$\$|"
    r"\$(?! )([^$\n]{1,200})(?<! )\$(?!\d)|\*\*([^*\n]{1,200})\*\*"
)
_MATH_OR_BOLD: Final = re.compile(r"\\\(|\\\[|\$|\*\*")
_FRACTION_COMMAND: Final = (
    r"(?:[0-9]+ ?)?\\[dtc]?frac ?(?:\{[^{}\n]{1,40}\}|[0-9]) ?(?:\{[^{}\n]{1,40}\}|[0-9])"
)
_NUMBER: Final = (
    r"(?<![\w.\\])(?:[-+\u2212] ?)?(?:\\?[$\u20ac\u00a3\u00a5\u20b9] ?)?(?:[-+\u2212])?"
    rf"(?:{_FRACTION_COMMAND}|(?:[0-9]+ )?[0-9]+ ?/ ?[0-9]+(?![\w/])|"
    rf"{DECIMAL}(?:[eE][+-]?[0-9]{{1,4}}\b)?)(?: ?\\?%)?"
)
# Dates and times come first, so that 05/01/2021 is not taken for a fraction.
_QUANTITY: Final = re.compile(
    rf"(?<![\w/])(?P<date>{DATE})(?![\w/])|(?<![\w:.])(?P<time>{TIME})(?![\w:])|(?P<number>{_NUMBER})",
    re.IGNORECASE,
)
_LIST_MARK: Final = re.compile(r"(?m)^[ \t]*(?:\*\*)?[0-9]{1,3}[.)](?:\*\*)?(?=[ \t]+\S|[ \t]*$)")
# A bare capital is an option unless the next word is in lower case, which makes it "A dog", "I am".
_OPTION: Final = re.compile(
    r"\(([A-Ja-j])\)|\[([A-J])\]|(?<![\w'\\])([B-HJ])(?![\w'])|(?<![\w'\\])([AI])(?![\w']| [a-z])|"
    r"(?<![\w'(\\])([a-j])(?=\))"
)
_YES_NO: Final = re.compile(r"\b(yes|no|true|false)\b", re.IGNORECASE)
_YES_NO_FIRST: Final = re.compile(r"(yes|no|true|false)(?=$|[,;:!]|\.(?! ?\d)| -)", re.IGNORECASE)
_YES_NO_ALONE: Final = re.compile(
    r"(?:^|[.!?:\n*] ?)[ *_]{0,4}(yes|no|true|false)(?=[ *_]{0,4}(?:[.,;:!\n*]|$))", re.IGNORECASE
)


def extract(text: str, kind: AnswerKind | None = None) -> str | None:
    """The final answer as the model wrote it, without markdown around it; `None` if there is none.

    >>> extract("So 3 * 6 = 18 eggs.\\n#### 18"), extract("The answer is (B).", "choice")
    ('18', 'B')
    """
    span = extract_span(text, kind)
    return None if span is None else text[span[0] : span[1]]


def extract_span(text: str, kind: AnswerKind | None = None) -> Span | None:
    """Where `extract` finds the answer: characters `start` to `end` (exclusive) of `text`."""
    offset = max(0, len(text) - MAX_TEXT)
    window = text[offset:]
    for start, end in _found(window, kind):
        span = _trim(window, start, end)
        if span[0] < span[1] and canonical(window[span[0] : span[1]]):
            return span[0] + offset, span[1] + offset
    return None


def _found(text: str, kind: AnswerKind | None) -> Iterator[Span]:
    """Candidates, the surest first."""
    for region in _marked(text):
        if (span := _within(text, region, kind)) is not None:
            yield span
    lines = [match.span() for match in _LINE.finditer(text) if match[0].strip()]
    if lines and (span := _value_line(text, lines[-1], kind, alone=len(lines) == 1)) is not None:
        yield span
    if (span := _last(text, kind)) is not None:
        yield span


def _marked(text: str) -> Iterator[Span]:
    """The regions that the model marked as its answer."""
    for match in list(_HASHES.finditer(text))[: -_MAX_MARKS - 1 : -1]:
        rest = text[match.end() :].strip()
        heading = _ANSWER.search(match[1]) or _FINAL.search(match[1])
        if not heading and (not rest or shape(match[1]) != "text"):
            yield match.span(1)
            break
    if (box := _last_box(text)) is not None:
        yield box
    marks = [match.end() for match in _ANSWER.finditer(text)] or [
        match.end() for match in _FINAL.finditer(text)
    ]
    for mark in marks[: -_MAX_MARKS - 1 : -1]:
        lead = _LEAD.match(text, mark)
        start = lead.end() if lead else mark
        end = text.find("\n", start)
        yield start, len(text) if end < 0 else end


def _last_box(text: str) -> Span | None:
    """The content of the last `\\boxed{}` whose brace closes: one pass with a stack."""
    opened: list[int | None] = []
    last: Span | None = None
    for match in _BOX.finditer(text):
        token = match[0]
        if token == "{":
            opened.append(None)
        elif token.startswith("\\") and token.endswith("{") and token != "\\{":
            opened.append(match.end())
        elif token == "}" and opened:
            start = opened.pop()
            inside = start is not None and text[start : match.start()].strip()
            if start is not None and inside and (last is None or start > last[0]):
                last = start, match.start()
    return last


def _within(text: str, region: Span, kind: AnswerKind | None) -> Span | None:
    """The answer of the wanted kind inside a marked region."""
    start, end = region
    match kind:
        case "choice":
            return _option(text, start, end)
        case "yes_no":
            return _first(_YES_NO.search(text, start, end))
        case "date" | "time" | "number":
            return _quantity(text, _value(text, start, end), kind)
        case "text":
            return _phrase(text, start, end)
        case None:
            return _value(text, start, end) or _phrase(text, start, end)


def _value(text: str, start: int, end: int) -> Span | None:
    """A whole region that is a value, else a delimited one, else the quantity it is about."""
    start, end = _trim(text, start, end)
    if match := _YES_NO_FIRST.match(text, start, end):
        return match.span(1)
    if end - start <= _MAX_VALUE_CHARS and shape(text[start:end]) != "text":
        return start, end
    sentence = _sentence(text, start, end)
    if sentence[1] - start <= _MAX_VALUE_CHARS and shape(text[start : sentence[1]]) != "text":
        return _trim(text, *sentence)
    return _stated(text, start, end, sentence)


def _stated(text: str, start: int, end: int, sentence: Span) -> Span | None:
    """The quantity or option that a marked sentence is about."""
    if _MATH_OR_BOLD.match(text, start) and (match := _DELIMITED.match(text, start, end)):
        return _first(match)
    if match := _QUANTITY.match(text, start, end):
        return match.span()
    # "that 3 + 4 = 7": what a sentence ends on is its result.
    found = [match.span() for match in _QUANTITY.finditer(text, *sentence)]
    if found and (sentence[1] - start <= _MAX_VALUE_CHARS or "=" in text[start : sentence[1]]):
        return found[-1]
    option = _option(text, start, min(end, start + 4))
    return option if option is not None and option[0] <= start + 1 else None


def _quantity(text: str, span: Span | None, kind: AnswerKind) -> Span | None:
    """`span` if it is of this kind, or the last part of it that is."""
    if span is None:
        return None
    found = shape(text[span[0] : span[1]])
    if found == kind or (kind == "number" and found in ("list", "formula")):
        return span
    parts = [match for match in _QUANTITY.finditer(text, *span) if match[kind]]
    return parts[-1].span() if parts else None


def _phrase(text: str, start: int, end: int) -> Span | None:
    """A few words up to the end of their sentence."""
    if match := _DELIMITED.match(text, start, end):
        return _first(match)
    start, end = _trim(text, *_sentence(text, start, end))
    return (start, end) if 0 < len(text[start:end].split()) <= _MAX_TEXT_WORDS else None


def _sentence(text: str, start: int, end: int) -> Span:
    match = _SENTENCE_END.search(text, start, end)
    return start, match.start() if match else end


def _option(text: str, start: int, end: int) -> Span | None:
    """The option named at the start of the region, else the last one in it."""
    bare = _trim(text, start, end)
    if bare[1] - bare[0] == 1 and text[bare[0]] in "abcdefghij":
        return bare
    found = [_first(match) for match in _OPTION.finditer(text, start, end)]
    if found and found[0] is not None and found[0][0] <= bare[0] + 1:
        return found[0]
    return found[-1] if found else None


def _value_line(text: str, line: Span, kind: AnswerKind | None, alone: bool) -> Span | None:
    """A last line that is only a value; a text that is one short line is its own answer."""
    start, end = _trim(text, *line)
    content = text[start:end]
    if not content or len(content) > _MAX_VALUE_CHARS:
        return None
    found = shape(content)
    if found == "choice" and kind in (None, "choice"):
        return _option(text, start, end) or (start, end)
    if found == "yes_no" and kind in (None, "yes_no"):
        return _first(_YES_NO.match(text, start, end))
    # An announcement that nothing follows is no answer.
    short = len(content.split()) <= _MAX_LINE_WORDS and not (
        _ANSWER.search(content) or _FINAL.search(content)
    )
    if kind is None:
        words_only = alone and short and not _QUANTITY.search(content)
        return (start, end) if found != "text" or words_only else None
    if kind == "text":
        return (start, end) if short else None
    return (start, end) if found == kind else None


def _last(text: str, kind: AnswerKind | None) -> Span | None:
    """The last thing of its kind anywhere in the text."""
    match kind:
        case "choice":
            answers = [match.end() for match in re.finditer(r"(?i)\banswer\b", text)]
            after = _option(text, answers[-1], len(text)) if answers else None
            return after or _lettered(text)
        case "yes_no":
            found = [_first(match) for match in _YES_NO_ALONE.finditer(text)]
            return found[-1] if found else None
        case "text":
            return None
        case _:
            marks = {match.end() for match in _LIST_MARK.finditer(text)}
            last = None
            for match in _QUANTITY.finditer(text):
                listed = match.end() in marks or match.end() + 1 in marks
                if not listed and (kind is None or match[kind]):
                    last = match.span()
            return last


def _lettered(text: str) -> Span | None:
    """The last "(B)" in the text: bare letters are too often names."""
    found = [match.span(1) for match in re.finditer(r"\(([A-Ja-j])\)", text)]
    return found[-1] if found else None


def _first(match: re.Match[str] | None) -> Span | None:
    """Span of the first group that took part."""
    if match is None:
        return None
    groups = range(1, len(match.groups()) + 1)
    return next((match.span(index) for index in groups if match[index] is not None), match.span())


def _trim(text: str, start: int, end: int) -> Span:
    """The span without blanks, markdown, math delimiters around it and a final stop."""
    for _ in range(_MAX_WRAPPERS):
        before = start, end
        while start < end and (text[start].isspace() or text[start] in '*`"#>'):
            start += 1
        while start < end and (text[end - 1].isspace() or text[end - 1] in '*`".,;:!?'):
            end -= 1
        for opening, closing in (("\\(", "\\)"), ("\\[", "\\]"), ("$", "$"), ("_", "_")):
            size = len(opening)
            if end - start <= 2 * size or not text.endswith(closing, start, end):
                continue
            if text.startswith(opening, start):
                start, end = start + size, end - size
            elif text.find(opening, start, end - size) < 0:
                end -= size
        if (start, end) == before:
            break
    return start, end
