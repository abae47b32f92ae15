"""Reading what `strace -ff -y` writes down: one file for each process or thread, one call a line.

Pure text in, values out. `edgemind.guard.evidence` judges them. Source: strace(1), version 4.25 on.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Final

FOLLOW: Final = (
    "%file,%network,%process,io_uring_setup,seccomp,fchdir,open_by_handle_at",
    ("-ff", "-y", "-qq", "-e", "signal=none"),
)
"""Which calls are followed, and the options under which strace writes as it is read here."""

_NAME: Final = re.compile(r"[a-z_][a-z0-9_]*(?=\()")
_RESULT: Final = re.compile(r"\s*= (-?(?:0x)?[0-9a-f]+|\?)(.*)", re.DOTALL)
_ERROR: Final = re.compile(r" (E[A-Z0-9]+)\b")
_ESCAPE: Final = re.compile(rb"\\([0-7]{1,3}|.)", re.DOTALL)
_LETTERS: Final = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"v": b"\v", b"f": b"\f"}
_OPENING, _CLOSING = "([{", ")]}"


@dataclass(frozen=True, slots=True)
class Call:
    """One system call as strace shows it: raw arguments, the number returned, an error's name.

    `result` is None where the call did not return; `path` the file behind a returned descriptor.
    """

    name: str
    arguments: tuple[str, ...]
    result: int | None
    error: str = ""
    path: str = ""

    def text(self, index: int) -> str | None:
        """An argument that is a text, unquoted; None where there is none (a null pointer)."""
        if index >= len(self.arguments) or not self.arguments[index].startswith('"'):
            return None
        return unquoted(self.arguments[index])

    def folder(self, index: int) -> str | None:
        """The path that `-y` shows behind a descriptor (`AT_FDCWD</tmp>`, `3</tmp>`)."""
        return _shown_path(self.arguments[index]) if index < len(self.arguments) else None


def read_call(line: str) -> Call | None:
    """The call of one line; None for a line about a signal or an exit. `ValueError` for others."""
    if not line.strip() or line.startswith(("+++", "---")):
        return None
    name = _NAME.match(line)
    if name is None:
        raise ValueError(f"not a line of strace: {line!r}")
    arguments, end = _arguments(line, name.end() + 1)
    returned = _RESULT.match(line, end)
    if returned is None:
        if "<unfinished" in line:
            return Call(name[0], arguments, None)
        raise ValueError(f"not a line of strace: {line!r}")
    number, rest = returned.groups()
    result = None if number == "?" else int(number, 0)
    error = _ERROR.match(rest) if result == -1 else None
    return Call(name[0], arguments, result, error[1] if error else "", _shown_path(rest) or "")


def unquoted(text: str) -> str:
    """What stands between quotes, its escapes undone."""
    inner = text[1 : text.rindex('"')].encode()

    def undo(match: re.Match[bytes]) -> bytes:
        what = match[1]
        if what[:1] in b"01234567":
            return bytes([int(what, 8) & 0xFF])
        return _LETTERS.get(what, what)

    return os.fsdecode(_ESCAPE.sub(undo, inner))


def _shown_path(text: str) -> str | None:
    before, opened, after = text.partition("<")
    if not opened or ">" not in after or before.strip(" -0123456789AT_FDCW"):
        return None
    return unquoted(f'"{after[: after.rindex(">")]}"')


def _arguments(line: str, place: int) -> tuple[tuple[str, ...], int]:
    """The arguments from `place` on, cut at their commas, and the place after the bracket."""
    found: list[str] = []
    begin, depth = place, 0
    while place < len(line):
        letter = line[place]
        if letter == '"':
            place = _after_quotes(line, place)
            continue
        if letter == "<" and (line[place - 1].isdigit() or line.endswith("AT_FDCWD", 0, place)):
            # A path; strace escapes what could end it.
            place = line.find(">", place)
            if place < 0:
                break
        elif letter in _OPENING:
            depth += 1
        elif letter in _CLOSING and depth == 0:
            return (*found, *([last] if (last := line[begin:place].strip()) else [])), place + 1
        elif letter in _CLOSING:
            depth -= 1
        elif letter == "," and depth == 0:
            found.append(line[begin:place].strip())
            begin = place + 1
        place += 1
    return (*found, line[begin:].strip()), len(line)


def _after_quotes(line: str, place: int) -> int:
    place += 1
    while place < len(line) and line[place] != '"':
        place += 2 if line[place] == "\\" else 1
    return place + 1
