"""Metadata values of a GGUF file by their keys, each of the type that llama.cpp takes.

Reached from `edgemind.catalog.gguf_model`. Where llama.cpp would refuse or abort over a type, this
says which key it is and at which byte it lies.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO, NoReturn

from edgemind.catalog.gguf_header import Header, List, Value
from edgemind.catalog.gguf_types import ARRAY, FORMS, INT32, STRING, UINT32, VALUE_NAMES
from edgemind.errors import ModelInvalid


class Values:
    """The values of one open file. Every method raises `ModelInvalid` for what cannot be."""

    def __init__(self, path: Path, header: Header, file: BinaryIO) -> None:
        self.path = path
        self.header = header
        self.file = file

    def fail(self, reason: str, key: str | None = None) -> NoReturn:
        """Raise `ModelInvalid`, with the place of the key's value if it is there."""
        value = self.header.values.get(key or "")
        where = f" (byte {value.offset})" if value is not None else ""
        raise ModelInvalid(f"{self.path} is not a sound GGUF file: {reason}{where}")

    def typed(self, key: str, *kinds: int) -> Value | None:
        """The value, which has to be of one of these types; None where there is none."""
        found = self.header.values.get(key)
        if found is not None and found.kind not in kinds:
            self.fail(f"{key} is a {VALUE_NAMES[found.kind]}", key)
        return found

    def text(self, key: str) -> bytes:
        """A short string, empty where there is none."""
        found = self.typed(key, STRING)
        if found is None:
            return b""
        if not isinstance(found.value, bytes):
            self.fail(f"{key} is too long", key)
        if b"\0" in found.value:
            self.fail(f"{key} holds a zero byte", key)
        return found.value

    def number(self, key: str, default: int | None = None) -> int:
        """A uint32; without a default it has to be there."""
        found = self.typed(key, UINT32)
        if found is None:
            if default is None:
                self.fail(f"{key} is missing")
            return default
        assert isinstance(found.value, int)
        return found.value

    def numbers(self, key: str, layers: int) -> list[int] | None:
        """One number for each layer: from a list, or one uint32 for all."""
        found = self.typed(key, UINT32, ARRAY)
        if found is None:
            return None
        if not isinstance(found.value, List):
            return [self.number(key)] * layers
        if found.value.kind not in (UINT32, INT32) or found.value.count != layers:
            self.fail(f"{key} has to be a list of {layers} numbers", key)
        form = FORMS[found.value.kind]
        self.file.seek(found.value.start)
        data = self.file.read(form.size * layers)
        if len(data) < form.size * layers:
            self.fail(f"{key} became shorter while it was read", key)
        numbers = [one for (one,) in form.iter_unpack(data)]
        if min(numbers) < 0:
            self.fail(f"{key} holds the negative number {min(numbers)}", key)
        return numbers
