"""Fenced code blocks of Markdown (CommonMark 4.5), with the line on which each starts.

Reached from the verifiers that look for JSON or Python in a text. One pass, linear in the text.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

# A line of three or more backticks or tildes; backticks inside it would make it inline code.
_FENCE: Final = re.compile(
    # Possessive quantifiers: nothing is ever tried twice.
    r"^[ \t]{0,20}+(?P<fence>`{3,}+|~{3,}+)[ \t]*+(?P<language>[^\s`]{0,40}+)[^\n`]*+$",
    re.MULTILINE,
)


MAX_BLOCKS: Final = 1000
"""What comes after so many blocks is not looked at."""


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: `line` (from 1) of its first line of `source`, its language in lower case.

    `source` has lost the indentation that all its lines share. `open` tells that the text ended
    before the block did.
    """

    line: int
    language: str
    source: str
    open: bool = False


def blocks(text: str) -> Iterator[Block]:
    """The fenced blocks of `text`, in order; the last may not be closed."""
    started: re.Match[str] | None = None
    line, counted, found = 1, 0, 0
    for match in _FENCE.finditer(text):
        if started is None:
            line += text.count("\n", counted, match.start())
            started, counted = match, match.start()
        elif _closes(match, started):
            yield _block(text, started, match.start(), line)
            started = None
            found += 1
            if found == MAX_BLOCKS:
                return
    if started is not None:
        yield _block(text, started, len(text), line, open=True)


def _closes(match: re.Match[str], started: re.Match[str]) -> bool:
    return match["fence"].startswith(started["fence"]) and not match["language"]


def _block(text: str, started: re.Match[str], end: int, line: int, *, open: bool = False) -> Block:
    source = text[started.end() + 1 : end]
    if text[started.start() : started.start("fence")]:
        source = textwrap.dedent(source)
    return Block(line + 1, started["language"].lower(), source, open)
