"""Markdown as models write it, for rich: nothing is hidden, nothing links, 2*3*4 stays 2*3*4.

Imports rich, so it is imported when a page is first made.
"""

from __future__ import annotations

from functools import cache
from typing import Any, ClassVar

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from rich.console import Console, ConsoleOptions, RenderResult
from rich.markdown import CodeBlock, Heading, Markdown
from rich.syntax import Syntax

CODE_THEME = "ansi_dark"
"""The terminal's own colours: a theme with a background would be wrong on half of the screens."""


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


class _Code(CodeBlock):
    """A block of code without a frame, so that it can be copied as it is."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        code = str(self.text).rstrip()
        yield Syntax(code, self.lexer_name, theme=CODE_THEME, word_wrap=True)


class _Heading(Heading):
    """A heading at the left: a page is read from there."""

    LEVEL_ALIGN: ClassVar[dict[str, Any]] = {}


class Page(Markdown):
    """A text in Markdown, with our parser."""

    elements = {  # noqa: RUF012 (the base class declares it so)
        **Markdown.elements,
        "fence": _Code,
        "code_block": _Code,
        "heading_open": _Heading,
    }

    def __init__(self, text: str) -> None:
        super().__init__("", code_theme=CODE_THEME, hyperlinks=False)
        self.markup = text
        self.parsed = _parser().parse(text)
        _keep_line_breaks(self.parsed)


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
