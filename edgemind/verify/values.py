"""What an answer means, as a key that votes: `canonical`, `equivalent`, `shape`.

Reached from `edgemind.verify.answers`, which finds the answer in a text. Votes are counted by key,
so that "05/01/2021" and "5/1/2021" are one answer.

Rules, in the order in which they are tried (first that fits wins):

- yes/no: "Yes.", "true", "No, because …" → `yes`, `no`
- option: "(b)", "B.", "option B", "(C) 42" → `B`, `B`, `B`, `C` (letters A to J)
- date: "May 1, 2021" → `2021-05-01`; 5/1/2021 is ambiguous and only padded: `05/01/2021`
- time: "2:05 pm" → `14:05`
- number: exact value; currency, `%` and units are left out, so "$5.00", "5 dollars" and "5%"
  vote with "5" (within one question the unit is the same; "50%" is 50, not 0.5).
  Fractions, mixed numbers, scientific notation, "two million" included; `0.5`, `1/3`, `2000000`
- (…) and […]: tuples, intervals, matrices, part by part, order kept. {…} and bare lists
  ("1, -2", "1 and -2"): one sorted set
- formula: plain notation without blanks, case kept ("3R^2"); no algebra
- text: case, markdown, punctuation and articles left out (SQuAD's rule, arXiv 1606.05250)

Sources: GSM8K (arXiv 2110.14168) for numbers, MATH (arXiv 2103.03874) for LaTeX.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from fractions import Fraction
from math import isfinite
from typing import Final, Literal

from edgemind.verify import scalars
from edgemind.verify.notation import plain, vocabulary

Shape = Literal["yes_no", "choice", "date", "time", "number", "list", "formula", "text"]

MAX_CHARS: Final = 2000
"""What comes after so many characters of an answer is not looked at."""
_MAX_ITEMS: Final = 64
_MAX_NESTING: Final = 4
_MAX_ROUNDS: Final = 8
# A decimal may stand for a fraction that has no end from this many digits on: 0.333, 16.67.
_ROUNDED_DIGITS: Final = 3

_PREFIX: Final = re.compile(
    r"(?:(?:so |thus |therefore )?(?:the )?(?:final )?answer(?: is)?[: ]+|"
    r"(?:about|approximately|approx\.?|exactly|around|roughly|only) |"
    r"[A-Za-z](?:_[A-Za-z0-9])?(?:\([a-z]\))? ?=(?!=) ?(?=[^=]*$)|"
    r"[A-Za-z] in ?(?=[(\[{]))",
    re.IGNORECASE,
)
_YES_NO: Final = re.compile(r"(yes|no|true|false)(?=$|[,;:!]|\.(?! ?\d)| -)", re.IGNORECASE)
_CHOICE: Final = re.compile(
    r"(?:option |choice )?(?:\(([A-J])\)|\[([A-J])\]|([A-J])[).:]?)", re.IGNORECASE
)
_CHOICE_AND_TEXT: Final = re.compile(r"\(?([A-J])\) \S", re.IGNORECASE)
_AND: Final = re.compile(r" (?:and|or) ", re.IGNORECASE)
_ARTICLE: Final = re.compile(r"\b(?:a|an|the) +(?=\S)")
_LETTERS: Final = re.compile(r"[^\W\d_]+")
# Every blank but those between two letters ("cot x") or two digits ("2 0" is not 20).
_LOOSE_SPACE: Final = re.compile(
    r"(?<![^\W_]) | (?![^\W_])|(?<=\d) (?=[^\W\d_])|(?<=[^\W\d_]) (?=\d)"
)
_NEEDLESS_TIMES: Final = re.compile(r"\*(?=[A-Za-z(])")
_NUMPY_ITEM: Final = re.compile(r"[+-]?(?:[0-9.]+(?:/[0-9]+)?|infty|pi(?:/[0-9]+)?)")
_UNION: Final = re.compile(r"(?<=[)\]}]) ?(?:cup|U) ?(?=[(\[{])")
_OPERATORS: Final = frozenset("+-*/^=<>|_")
_NAMES: Final = vocabulary(
    "sqrt root sin cos tan cot sec csc log ln exp pi infty theta alpha beta gamma delta lambda mu "
    "sigma phi omega arcsin arccos arctan sinh cosh tanh min max gcd lcm mod det dim ker deg lim "
    "overline overrightarrow vec hat angle triangle binom choose emptyset cup cap dx dy dt"
)
_PAIRS: Final = {"(": ")", "[": "]", "{": "}"}


@dataclass(frozen=True, slots=True)
class _Value:
    """One answer, read: its shape, its key, and its number or its parts if it has any.

    `brackets` tells tuples, intervals, sets and unions apart.
    """

    shape: Shape
    key: str
    number: scalars.Number | None = None
    items: tuple[_Value, ...] = ()
    brackets: str = ""


def canonical(answer: str) -> str:
    """The key under which `answer` votes; the empty key is no answer and abstains.

    Deterministic, total, idempotent: the rules are applied until nothing changes. (What does not
    settle in a few rounds is no answer that a person would write, and gets the empty key.)

    >>> canonical("$\\\\frac{1}{2}$"), canonical("12 km."), canonical("**(b)**")
    ('0.5', '12', 'B')
    """
    key = _once(answer)
    for _ in range(_MAX_ROUNDS):
        again = _once(key)
        if again == key:
            return key
        key = again
    return ""


def shape(answer: str) -> Shape:
    """Which of the rules above `answer` falls under."""
    return _read(plain(answer[:MAX_CHARS])).shape


def equivalent(a: str, b: str, tolerance: float = 0.0) -> bool:
    """Whether two answers say the same, for scoring against a reference; symmetric.

    True when their keys are the same (and not empty); when exactly one is a percentage and they
    are equal as written or in value (50% is 50 and 0.5); when one is a fraction without a finite
    decimal and the other is that fraction rounded to three or more significant digits (16.67 is
    50/3, 0.33 is not 1/3); when they differ by at most `tolerance` times the larger magnitude.
    Tuples and sets of the same size are compared part by part. `tolerance` must be finite and ≥ 0.
    """
    if not isfinite(tolerance) or tolerance < 0:
        raise ValueError(f"tolerance must be a finite number >= 0, not {tolerance}")
    key, other = canonical(a), canonical(b)
    if not key or not other or key == other:
        return key == other != ""
    left, right = _read(plain(a[:MAX_CHARS])), _read(plain(b[:MAX_CHARS]))
    return _same(left, right, Fraction(tolerance))


def _same(a: _Value, b: _Value, tolerance: Fraction) -> bool:
    if a.number is not None and b.number is not None:
        return _same_number(a.number, b.number, tolerance)
    if a.items and len(a.items) == len(b.items) and a.brackets == b.brackets:
        return all(_same(x, y, tolerance) for x, y in zip(a.items, b.items, strict=True))
    return bool(a.key) and a.key == b.key


def _same_number(a: scalars.Number, b: scalars.Number, tolerance: Fraction) -> bool:
    if a.value == b.value:
        return True
    if a.percent != b.percent:
        share, other = (a, b) if a.percent else (b, a)
        if share.value / 100 == other.value:
            return True
    if abs(a.value - b.value) <= tolerance * max(abs(a.value), abs(b.value)):
        return True
    return _rounds_to(a, b) or _rounds_to(b, a)


def _rounds_to(exact: scalars.Number, rounded: scalars.Number) -> bool:
    if exact.decimals is not None or "/" not in scalars.format_number(exact.value):
        return False
    if not rounded.decimals or rounded.significant < _ROUNDED_DIGITS:
        return False
    # Half a unit of the last place written, whichever way halves are rounded.
    return abs(exact.value - rounded.value) <= Fraction(f"5e-{rounded.decimals + 1}")


def _once(answer: str) -> str:
    """One application of the rules; never longer than `MAX_CHARS`."""
    return _read(plain(answer[:MAX_CHARS])).key[:MAX_CHARS].strip()


def _read(text: str) -> _Value:
    text = _peel(text[:MAX_CHARS])
    if match := _YES_NO.match(text):
        return _Value("yes_no", "yes" if match[1].casefold() in ("yes", "true") else "no")
    if match := _CHOICE.fullmatch(text) or _CHOICE_AND_TEXT.match(text):
        return _Value("choice", next(letter for letter in match.groups() if letter).upper())
    if key := scalars.date(text):
        return _Value("date", key)
    if key := scalars.time(text):
        return _Value("time", key)
    return _mathematical(text, 0) or _Value("text", _words(text))


def _mathematical(text: str, depth: int) -> _Value | None:
    """A number, list or formula."""
    text = _PREFIX.sub("", text.strip().strip("$"), count=1).strip() if depth else text
    if value := scalars.number(text):
        return _Value("number", scalars.format_number(value.value), value)
    if depth > _MAX_NESTING:
        return None
    if listed := _bracketed(text, depth) or _bare_list(text, depth) or _union(text, depth):
        return listed
    return _Value("formula", _formula(text)) if _is_formula(text) else None


def _bracketed(text: str, depth: int) -> _Value | None:
    """A tuple, interval or matrix (order kept), or a set (sorted, without repeats)."""
    opening, closing = text[:1], text[-1:]
    if opening not in _PAIRS or closing not in (")]" if opening in "([" else "}"):
        return None
    parts = _split(text[1:-1])
    if parts is None:
        return None
    if len(parts) == 1:
        # "[-2 7]": blanks between plain numbers separate them, as numpy prints.
        words = parts[0].split()
        if len(words) > 1 and all(_NUMPY_ITEM.fullmatch(word) for word in words):
            parts = words
    items = tuple(_item(part, depth) for part in parts)
    if len(items) == 1:
        alone = items[0].number is not None or opening == "{"
        return items[0] if items[0].key and alone else None
    if not all(item.key for item in items):
        return None
    if opening == "{":
        return _as_set(items)
    key = opening + ", ".join(item.key for item in items) + closing
    return _Value("list", key, None, items, opening + closing)


def _bare_list(text: str, depth: int) -> _Value | None:
    """Solutions set side by side: "1, -2", "3 and 5". Anything with words in it is not one."""
    listed = _AND.sub(", ", text).replace(", , ", ", ").replace(",, ", ", ")
    parts = _split(listed)
    if parts is None or len(parts) == 1 or not all(parts):
        return None
    if any(not (_is_formula(part) or part[0] in _PAIRS) for part in parts):
        return None
    items = tuple(_item(part, depth) for part in parts)
    return _as_set(items) if all(item.shape != "text" for item in items) else None


def _union(text: str, depth: int) -> _Value | None:
    """Intervals joined by the union sign."""
    parts = _UNION.split(text)[: _MAX_ITEMS + 1]
    if not 1 < len(parts) <= _MAX_ITEMS:
        return None
    items = tuple(_item(part, depth) for part in parts)
    return _Value("list", " cup ".join(item.key for item in items), None, items, "cup")


def _item(text: str, depth: int) -> _Value:
    return _mathematical(text, depth + 1) or _Value("text", _words(text))


def _as_set(items: tuple[_Value, ...]) -> _Value:
    """One value, or a list that starts with no bracket of its own, sorted by key."""
    unique = {item.key: item for item in items}
    if len(unique) == 1:
        return items[0]

    def order(item: _Value) -> tuple[bool, Fraction, str]:
        number = item.number
        return number is None, number.value if number else Fraction(0), item.key

    ordered = tuple(sorted(unique.values(), key=order))
    # A blank after each comma keeps "1, 234" a list when it is read again.
    return _Value("list", ", ".join(item.key for item in ordered), None, ordered, "{}")


def _split(text: str) -> list[str] | None:
    """`text` at its outermost commas; `None` if its brackets do not close or it is too long."""
    parts, depth, start = [], 0, 0
    for index, char in enumerate(text):
        if char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
            if depth < 0:
                return None
        elif char == "," and depth == 0:
            parts.append(text[start:index].strip())
            start = index + 1
    parts.append(text[start:].strip())
    return parts if depth == 0 and len(parts) <= _MAX_ITEMS else None


def _is_formula(text: str) -> bool:
    """Digits, operators, known names and single letters, but no words."""
    runs = _LETTERS.findall(text)
    names = [run for run in runs if run in _NAMES]
    if any(word.isalpha() and len(word) > 1 and word not in _NAMES for word in text.split()):
        return False
    if any(len(run) > _ROUNDED_DIGITS and run not in _NAMES for run in runs):
        return False
    if names or any(char.isdigit() for char in text):
        return True
    return (
        bool(runs)
        and all(len(run) == 1 for run in runs)
        and (len(text) == 1 or not _OPERATORS.isdisjoint(text))
    )


def _formula(text: str) -> str:
    text = _LOOSE_SPACE.sub("", text.replace("$", ""))
    return _NEEDLESS_TIMES.sub("", text)


def _words(text: str) -> str:
    """Text as SQuAD's scorer compares it, but points, colons and such inside numbers stay."""
    folded = unicodedata.normalize("NFKC", text.casefold())
    kept = []
    for index, char in enumerate(folded):
        between = folded[index - 1 : index].isdigit() and folded[index + 1 : index + 2].isdigit()
        if char in "-_/" and not between:
            kept.append(" ")
        elif not unicodedata.category(char).startswith(("P", "C")) or (between and char != ","):
            kept.append(char)
    return " ".join(_ARTICLE.sub("", " ".join("".join(kept).split())).split())


def _peel(text: str) -> str:
    """`text` without markdown, mathematics delimiters, quotes, lead-ins and a final stop."""
    for _ in range(_MAX_ROUNDS):
        before = text
        text = text.strip(" \t*`#").strip()
        if text.startswith("$") and text.endswith("$"):
            text = text[1:-1]
        text = text.rstrip(" ,;:.?") if not text.endswith("...") else text
        if text.endswith("!") and text[-2:-1].isalpha():
            text = text[:-1]
        if text.startswith("_") and text.endswith("_"):
            text = text.strip("_")
        if text.startswith('"') and text.endswith('"'):
            text = text.strip('"')
        text = _PREFIX.sub("", text, count=1) if _PREFIX.match(text) else text
        if text == before:
            break
    return text
