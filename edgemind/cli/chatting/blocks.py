"""Texts of many lines between two \"\"\", in both loops."""

from __future__ import annotations

MARK = '"""'


def is_open(text: str) -> bool:
    """Whether a text of many lines was begun and not ended."""
    return text.lstrip().startswith(MARK) and text.count(MARK) % 2 == 1


def without_marks(text: str) -> str:
    """The text between the marks, or `text` itself where there are none."""
    inner = text.strip()
    if inner.startswith(MARK) and inner.endswith(MARK) and len(inner) >= 2 * len(MARK):
        return inner[len(MARK) : -len(MARK)].strip("\n")
    return text
