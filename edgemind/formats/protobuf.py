"""Protobuf messages as they lie in a file: field after field, nothing built, all of it bounded.

For `edgemind.formats.onnx_files`, which needs a few fields of files of gigabytes. Only what is
asked for is read, a message ends where the one around it says, and nesting and the number of fields
are limited. Source: the encoding's description (protobuf.dev/programming-guides/encoding).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from struct import Struct
from typing import Final

from edgemind.formats.window import Window

VARINT, FIXED64, BYTES, _GROUP, _END_GROUP, FIXED32 = range(6)
MAX_FIELDS: Final = 1 << 20
MAX_DEPTH: Final = 24
MAX_TEXT_BYTES: Final = 4096
_FIXED: Final = {FIXED64: Struct("<Q"), FIXED32: Struct("<I")}


@dataclass(frozen=True, slots=True)
class Message:
    """A message's place in the file: bytes `start` to `end`, `depth` messages around it."""

    start: int
    end: int
    depth: int = 0


@dataclass(frozen=True, slots=True)
class Field:
    """A field: its number, and its value. Of BYTES the value is where they lie."""

    number: int
    kind: int
    value: int | Message

    @property
    def place(self) -> Message:
        """Where the bytes of a field of BYTES lie."""
        assert isinstance(self.value, Message)
        return self.value


class Walker:
    """Goes through the messages of one file."""

    def __init__(self, window: Window) -> None:
        self.window = window
        self._left = MAX_FIELDS

    def fields(self, message: Message) -> Iterator[Field]:
        """The fields of a message, in their order; the reader may go elsewhere in between."""
        window, at = self.window, message.start
        if message.depth > MAX_DEPTH:
            window.fail(f"messages {message.depth} deep", message.start)
        while at < message.end:
            self._left -= 1
            if self._left < 0:
                window.fail(f"more than {MAX_FIELDS} fields", at)
            window.seek(at)
            tag = window.varint()
            number, kind = tag >> 3, tag & 7
            if not 0 < number < 1 << 29:
                window.fail(f"a field with the number {number}", at)
            value: int | Message
            if kind == VARINT:
                value = window.varint()
            elif kind in _FIXED:
                (value,) = window.unpack(_FIXED[kind])
            elif kind == BYTES:
                length = window.varint()
                value = Message(window.offset, window.offset + length, message.depth + 1)
                if length > window.left:
                    window.fail(f"{length} bytes should follow and there are {window.left}", at)
            else:
                window.fail(f"a field of the kind {kind}", at)
            after = value.end if isinstance(value, Message) else window.offset
            if after > message.end:
                window.fail("a field that is longer than what it lies in", at)
            yield Field(number, kind, value)
            at = after

    def text(self, field: Field, most: int = MAX_TEXT_BYTES) -> str:
        """The text of a field, of `most` bytes at most."""
        window = self.window
        if not isinstance(field.value, Message):
            window.fail(f"field {field.number} is no text")
        start, length = field.value.start, field.value.end - field.value.start
        if length > most:
            window.fail(f"a text of {length} bytes; at most {most} are allowed", start)
        window.seek(start)
        try:
            return window.take(length).decode("utf-8")
        except UnicodeDecodeError:
            window.fail("a text that is not UTF-8", start)

    def numbers(self, field: Field, most: int) -> list[int]:
        """The whole numbers of a field: one, or several packed into bytes."""
        if not isinstance(field.value, Message):
            return [field.value]
        window, place, found = self.window, field.value, []
        window.seek(place.start)
        while window.offset < place.end:
            found.append(window.varint())
            if len(found) > most:
                window.fail(f"more than {most} numbers", place.start)
        if window.offset != place.end:
            window.fail("numbers that are longer than what they lie in", place.start)
        return found
