"""Which skills a model was trained on: the string `edgemind.skills` in a GGUF file.

Reached from evaluate.py and make_data.py, which ask a model for what it has learnt. Reads the
head of the file with the standard library only.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from problems import FIRST_SKILLS, SKILLS

KEY = "edgemind.skills"
_SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
_STRING, _ARRAY = 8, 9
_MOST = 1 << 24


def join(skills: Sequence[str]) -> str:
    """The form in which a file carries them."""
    return ",".join(skills)


def trained_on(skills: Sequence[str] | None) -> tuple[str, ...]:
    """Known ones of the skills that a checkpoint or file names; the first ones if it names none."""
    names = FIRST_SKILLS if skills is None else skills
    return tuple(name for name in SKILLS if name in names)


def skills_of(path: Path) -> tuple[str, ...]:
    """The skills that a GGUF file says it was trained on."""
    text = read_string(path, KEY)
    return trained_on(None if text is None else text.split(","))


def read_string(path: Path, key: str) -> str | None:
    """A string of a GGUF file's metadata; None if it is not there.

    Raises ValueError for what is no GGUF file.
    """
    with path.open("rb") as file:
        magic, version, _, count = struct.unpack("<4sIQQ", _take(file, 24))
        if magic != b"GGUF" or version < 2 or count > 10_000:
            raise ValueError(f"{path} is no GGUF file of version 2 or later")
        for _ in range(count):
            name = _text(file)
            (kind,) = struct.unpack("<I", _take(file, 4))
            if name == key and kind == _STRING:
                return _text(file)
            _skip(file, kind)
    return None


def _take(file: BinaryIO, count: int) -> bytes:
    data = file.read(count) if count <= _MOST else b""
    if len(data) != count:
        raise ValueError("the GGUF file ends early or is damaged")
    return data


def _text(file: BinaryIO) -> str:
    (length,) = struct.unpack("<Q", _take(file, 8))
    return _take(file, length).decode("utf-8", "replace")


def _skip(file: BinaryIO, kind: int) -> None:
    if kind == _STRING:
        _text(file)
    elif kind == _ARRAY:
        inner, count = struct.unpack("<IQ", _take(file, 12))
        if inner in _SIZES:
            _take(file, _SIZES[inner] * count)
            return
        if inner != _STRING or count > _MOST:
            raise ValueError("the GGUF file has an array that cannot be read")
        for _ in range(count):
            _text(file)
    elif kind in _SIZES:
        _take(file, _SIZES[kind])
    else:
        raise ValueError(f"the GGUF file has a value of unknown type {kind}")
