"""Markdown as models write it, for rich: nothing is hidden, nothing links, 2*3*4 stays 2*3*4.

Imports rich, so it is imported when a page is first made.
"""

from __future__ import annotations

from typing import Any, ClassVar

from rich.console import Console, ConsoleOptions, RenderResult
from rich.markdown import CodeBlock, Heading, Markdown
from rich.syntax import Syntax

from edgemind.conversation.markdown import parsed

CODE_THEME = "ansi_dark"
"""The terminal's own colours: a theme with a background would be wrong on half of the screens."""


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
        self.parsed = parsed(text)
