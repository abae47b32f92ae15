"""Where a value stands in JSON text: from a path of keys and indexes to a line.

Reached from `edgemind.verify.json_schema`. Python's parser keeps no places, so that the text is
read once more along the path; what lies beside it is skipped. Linear in the text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Final

_BLANKS: Final = re.compile(r"[ \t\r\n]*")
_DECODER: Final = json.JSONDecoder()


def line_of(text: str, path: Sequence[str | int]) -> int:
    """The line (from 1) on which the value at `path` starts, or the nearest one above it.

    `text` is valid JSON. Of a key that is there twice the first is taken.
    """
    place = _skip(text, 0)
    for step in path:
        found = _member(text, place, step) if isinstance(step, str) else _item(text, place, step)
        if found is None:
            break
        place = found
    return text.count("\n", 0, place) + 1


def _member(text: str, place: int, key: str) -> int | None:
    """Where the value of `key` starts, in the object that starts at `place`."""
    if text[place] != "{":
        return None
    place = _skip(text, place + 1)
    while text[place] == '"':
        name, place = _DECODER.raw_decode(text, place)
        place = _skip(text, _skip(text, place) + 1)  # over the colon
        if name == key:
            return place
        _, place = _DECODER.raw_decode(text, place)
        place = _skip(text, place)
        if text[place] == ",":
            place = _skip(text, place + 1)
    return None


def _item(text: str, place: int, index: int) -> int | None:
    """Where item `index` starts, in the array that starts at `place`."""
    if text[place] != "[":
        return None
    place = _skip(text, place + 1)
    for _ in range(index):
        if text[place] == "]":
            return None
        _, place = _DECODER.raw_decode(text, place)
        place = _skip(text, place)
        if text[place] == ",":
            place = _skip(text, place + 1)
    return None if text[place] == "]" else place


def _skip(text: str, place: int) -> int:
    match = _BLANKS.match(text, place)
    return match.end() if match else place
