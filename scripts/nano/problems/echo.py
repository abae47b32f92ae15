"""Lines of a solution that repeat a prompt's words as the very tokens that stand there.

A byte-level tokenizer gives a word at the start of a line other tokens than the same word after a
space, and a name in lower case other tokens than with its capital. A small model copies what it
has read only where the tokens are the same: without this, 57 M tokens taught it no name at all.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from .words import DAYS, MONTHS

_FIRST = re.compile(r"[A-Za-z]+")
_CAPITAL = re.compile(r"\b[A-Z][a-z]+\b")
BULLET = "- "


def bulleted(prompt: str, lines: Sequence[str]) -> list[str]:
    """`- ` before each line that begins with a word which follows a space in the prompt."""
    return [
        BULLET + line
        if (word := _FIRST.match(line)) and re.search(rf" {word[0]}\b", prompt)
        else line
        for line in lines
    ]


def in_its_case(prompt: str, text: str) -> str:
    """Capitalised words of the text as a prompt that is all lower case writes them.

    Days and months keep their capitals: more often they are worked out than copied.
    """
    if prompt != prompt.lower():
        return text

    def as_there(found: re.Match[str]) -> str:
        low = found[0].lower()
        worked_out = found[0] in (*DAYS, *MONTHS)
        return low if not worked_out and re.search(rf"\b{low}\b", prompt) else found[0]

    return _CAPITAL.sub(as_there, text)


def echoed(prompt: str, lines: Sequence[str]) -> list[str]:
    """Both: the lines in the prompt's case, with bullets where they begin with its words."""
    return bulleted(prompt, [in_its_case(prompt, line) for line in lines])
