"""A file seen through a small window: what is read is bounded by the bytes that are there.

For readers of files that nobody vouches for. Every length that a file names is held against what
is left of the file before anything is read or allocated, the window holds a quarter of a megabyte
(or the one value that was asked for), and what is skipped is never read. A file that does not keep
its word is a `ModelInvalid` with the reason and the byte at which it lies.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from struct import Struct
from typing import Any, BinaryIO, Final, NoReturn

from edgemind.errors import ModelError, ModelInvalid, ModelNotFound

CHUNK: Final = 256 << 10
_SIZE: Final = Struct("<Q")
_LENGTH: Final = _SIZE.unpack_from
_ALL_BITS: Final = (1 << 64) - 1


@contextmanager
def opened(path: Path) -> Iterator[tuple[BinaryIO, int]]:
    """The file at `path` and its size in bytes.

    `ModelNotFound` where there is none, `ModelInvalid` for a folder, a pipe or a device (reading
    one of those might never end), `ModelError` where it may not be read.
    """
    try:
        if path.is_dir():
            raise ModelInvalid(f"{path} is a folder; name the model file in it")
        if path.exists() and not path.is_file():
            raise ModelInvalid(f"{path} is not a regular file")
        with path.open("rb", buffering=0) as file:
            known = os.fstat(file.fileno())
            if not stat.S_ISREG(known.st_mode):
                raise ModelInvalid(f"{path} is not a regular file")
            yield file, known.st_size
    except (FileNotFoundError, NotADirectoryError):
        raise ModelNotFound(f"no model file at {path}") from None
    except OSError as error:
        raise ModelError(f"cannot read {path}: {error.strerror}") from None


def shown(text: bytes) -> str:
    """Text from a file that nobody vouches for, fit for an error: plain ASCII in quotes, short."""
    return repr(text[:80].decode("utf-8", "replace").encode("ascii", "backslashreplace").decode())


class Window:
    """A position in a file of known size, and the bytes around it.

    `called` names the file in errors, and `kind` says what it should have been.
    """

    def __init__(self, file: BinaryIO, size: int, called: str, kind: str) -> None:
        self.size = size
        self._file = file
        self._blame = f"{called} is not a sound {kind} file"
        self._data = b""
        self._at = 0
        self._base = 0  # where in the file `_data` begins

    @property
    def offset(self) -> int:
        """The byte of the file that is read next."""
        return self._base + self._at

    @property
    def left(self) -> int:
        """How many bytes of the file follow."""
        return self.size - self._base - self._at

    def fail(self, reason: str, at: int | None = None) -> NoReturn:
        """Raise `ModelInvalid`; the trouble is at byte `at`, or here."""
        raise ModelInvalid(f"{self._blame}: {reason} (byte {self.offset if at is None else at})")

    def take(self, count: int) -> bytes:
        """The next `count` bytes."""
        end = self._at + count
        if end > len(self._data):
            self._fill(count)
            end = count
        found = self._data[self._at : end]
        self._at = end
        return found

    def unpack(self, form: Struct) -> tuple[Any, ...]:
        """The next values in this form."""
        at = self._at
        if at + form.size > len(self._data):
            self._fill(form.size)
            at = 0
        self._at = at + form.size
        return form.unpack_from(self._data, at)

    def varint(self) -> int:
        """An unsigned number in base 128, the low digits first, of 64 bits (protobuf's varint)."""
        number = shift = 0
        while shift < 70:
            if self._at >= len(self._data):
                self._fill(1)
            byte = self._data[self._at]
            self._at += 1
            number |= (byte & 0x7F) << shift
            if byte < 0x80:
                return number & _ALL_BITS
            shift += 7
        self.fail("a number of more than ten bytes")

    def skip(self, count: int) -> None:
        """Leave out `count` bytes."""
        if count > self.left:
            self.fail(f"{count} bytes should follow and there are {self.left}")
        self.seek(self.offset + count)

    def seek(self, offset: int) -> None:
        """Go to a byte of the file."""
        if 0 <= offset - self._base <= len(self._data):
            self._at = offset - self._base
            return
        self._file.seek(offset)
        self._data, self._at, self._base = b"", 0, offset

    def string(self, most: int, what: str) -> bytes:
        """A string with its length (64 bits) before it, of `most` bytes at most."""
        start = self.offset
        (length,) = self.unpack(_SIZE)
        if length > most:
            self.fail(f"{what} of {length} bytes; at most {most} are allowed", start)
        return self.take(length)

    def strings(self, count: int, most: int, end: int) -> Iterator[bytes]:
        """`count` strings with their lengths before them: of `most` bytes each, up to byte `end`.

        Hold `count` against `left` before: eight bytes are the least that a string takes.
        """
        data, at = self._data, self._at
        for index in range(count):
            start = at + 8
            if start > len(data):
                self._more(at, 8, end)
                data, start = self._data, 8
            at = start + _LENGTH(data, start - 8)[0]
            if at - start > most:
                self.fail(f"string {index} of a list has {at - start} bytes", self._base + start)
            if at > len(data):
                self._more(start, at - start, end)
                data, start, at = self._data, 0, at - start
            self._at = at
            yield data[start:at]

    def skip_strings(self, count: int, most: int, end: int) -> None:
        """Leave out what `strings` would give, within the same bounds."""
        data, at = self._data, self._at
        for index in range(count):
            start = at + 8
            if start > len(data):
                self._more(at, 8, end)
                data, start = self._data, 8
            at = start + _LENGTH(data, start - 8)[0]
            if at - start > most:
                self.fail(f"string {index} of a list has {at - start} bytes", self._base + start)
            if at > len(data):
                self._more(start, at - start, end)
                data, at = self._data, at - start
        self._at = at

    def _more(self, at: int, count: int, end: int) -> None:
        """Have `count` bytes from `at` of the window on; only refills tell how far a list goes."""
        self._at = at
        if self.offset > end:
            self.fail("its lists of strings are too long")
        self._fill(count)

    def _fill(self, count: int) -> None:
        """Have `count` bytes in the window, from the present one on."""
        if count > self.left:
            self.fail(f"{count} bytes should follow and there are {self.left}")
        base = self.offset
        held = self._data[self._at :]
        wanted = max(count, CHUNK)
        self._file.seek(base + len(held))
        while len(held) < wanted and (more := self._file.read(wanted - len(held))):
            held += more
        self._data, self._at, self._base = held, 0, base
        if len(held) < count:
            self.fail("it became shorter while it was read", base + len(held))
