"""Markdown as models write it, in blocks: nothing is hidden, 2*3*4 stays 2*3*4. For every face.

Imports markdown_it, so it is imported when a text is first shown.
"""

from __future__ import annotations

from functools import cache

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token


def _star_within_a_word(state: StateInline, silent: bool) -> bool:
    """In 2*3*4 a star is a product, not emphasis."""
    text, place = state.src, state.pos
    inside = 0 < place < len(text) - 1
    if text[place] != "*" or not inside or not (text[place - 1] + text[place + 1]).isalnum():
        return False
    if not silent:
        state.pending += "*"
    state.pos += 1
    return True


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    # Tags in an answer are meant to be read: rich would leave them out.
    parser.disable(["html_block", "html_inline"])
    parser.inline.ruler.before("emphasis", "star_within_a_word", _star_within_a_word)
    return parser


def parsed(text: str) -> list[Token]:
    """The tokens of a text; a line that a model ended is a line."""
    tokens = _parser().parse(text)
    _keep_line_breaks(tokens)
    return tokens


def _keep_line_breaks(tokens: list[Token]) -> None:
    """A line that a model ended is a line: steps of a calculation are not one paragraph."""
    for token in tokens:
        for child in token.children or ():
            if child.type == "softbreak":
                child.type = "hardbreak"


def finished(text: str) -> int:
    """How many characters of `text` are blocks that no further line can change.

    `text` has to end with a line break. All blocks but the last one are finished.
    """
    starts = [
        token.map[0]
        for token in _parser().parse(text)
        if token.level == 0 and token.nesting >= 0 and token.map is not None
    ]
    if len(starts) < 2:
        return 0
    return sum(len(line) for line in text.splitlines(keepends=True)[: starts[-1]])


def last_lines(text: str, count: int) -> str:
    """The end of a block that is too long to be rendered again and again; a fence stays one."""
    lines = text.splitlines(keepends=True)
    if len(lines) <= count:
        return text
    opening = lines[0] if lines[0].lstrip().startswith(("```", "~~~")) else ""
    return opening + "".join(lines[-count:])
