"""The header of a GGUF file: its metadata and where its tensors lie, read without a library.

Bounded in time and memory whatever the file holds (a lying one is `ModelInvalid` with the reason
and the byte): 100 ms and a microsecond for each string, 64 MB. What the header means is judged in
`edgemind.catalog.gguf_model`. Sources: the GGUF specification (ggml/docs/gguf.md) and llama.cpp's
gguf.cpp, whose own reader has been made to overflow and to loop by such files more than once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from struct import Struct
from typing import BinaryIO, Final

from edgemind.catalog.gguf_types import (
    ARRAY,
    FORMS,
    STRING,
    TENSOR_TYPES,
    UINT32,
    VALUE_NAMES,
    TensorType,
)
from edgemind.formats.window import Window, opened, shown

MAX_KEYS: Final = 8192
MAX_TENSORS: Final = 16_384
MAX_KEY_BYTES: Final = 1024
MAX_NAME_BYTES: Final = 63
MAX_DIMENSIONS: Final = 4
MAX_ALIGNMENT: Final = 1 << 20
MAX_LIST_STRINGS: Final = 1 << 22
MAX_LIST_STRING_BYTES: Final = 64 << 10
MAX_LIST_BYTES: Final = 64 << 20
"""All lists of strings together."""
MAX_TOKENS: Final = 1 << 19
"""Twice the largest vocabulary that is known."""
MAX_VALUE_BYTES: Final = 256
"""Longer strings are not kept; where they lie is."""
DEFAULT_ALIGNMENT: Final = 32
MAX_ELEMENTS: Final = (1 << 63) - 1

TOKENS: Final = "tokenizer.ggml.tokens"
ALIGNMENT: Final = "general.alignment"
_LEAST_KEY_BYTES, _LEAST_TENSOR_BYTES = 8 + 1 + 4 + 1, 8 + 4 + 4 + 8
_HEAD: Final = Struct("<IQQ")
_NUMBER: Final = Struct("<I")
_LIST: Final = Struct("<IQ")
_SHAPES: Final = tuple(Struct(f"<{count}QIQ") for count in range(MAX_DIMENSIONS + 1))
_BYTE_TOKENS: Final = frozenset(b"<0x%02X>" % byte for byte in range(256)) | {
    bytes([byte]) for byte in range(256)
}


@dataclass(frozen=True, slots=True)
class Text:
    """A string too long to keep: `length` bytes from byte `start` of the file on."""

    start: int
    length: int


@dataclass(frozen=True, slots=True)
class List:
    """An array of `count` values of type `kind` (`gguf_types`), from byte `start` on."""

    kind: int
    count: int
    start: int


@dataclass(frozen=True, slots=True)
class Value:
    """A metadata value: its type, what it is, and the byte at which it begins."""

    kind: int
    value: int | float | bytes | Text | List
    offset: int


@dataclass(frozen=True, slots=True)
class Tensor:
    """Where a tensor lies: `offset` is counted from the start of the data."""

    name: bytes
    shape: tuple[int, ...]
    type: TensorType
    offset: int

    @property
    def elements(self) -> int:
        """How many numbers it holds."""
        count = 1
        for one in self.shape:
            count *= one
        return count

    @property
    def bytes(self) -> int:
        """How many bytes it takes."""
        return self.elements // self.type.block * self.type.size


@dataclass(frozen=True, slots=True)
class Header:
    """All that stands before the weights. `byte_tokens` are the vocabulary's tokens for bytes."""

    version: int
    size: int
    alignment: int
    values: Mapping[str, Value]
    tensors: tuple[Tensor, ...]
    byte_tokens: frozenset[bytes]


def read_header(path: Path) -> Header:
    """The header of the file at `path`; errors as `opened` has them, and `ModelInvalid`."""
    with opened(path) as (file, size):
        return parse_header(file, size, str(path))


def parse_header(file: BinaryIO, size: int, called: str) -> Header:
    """The header of an open file of `size` bytes, which errors call `called`."""
    window = Window(file, size, called, "GGUF")
    magic = window.take(min(4, window.left))
    if magic == b"FUGG":
        window.fail("it was written for a big-endian machine", 0)
    if magic != b"GGUF":
        window.fail(f"it starts with {shown(magic)} instead of 'GGUF'", 0)
    version, tensors, keys = window.unpack(_HEAD)
    if version and version & 0xFFFF == 0:
        window.fail("it was written for a big-endian machine", 4)
    if version not in (2, 3):
        window.fail(f"version {version} of the format; 2 and 3 are known", 4)
    _count(window, "tensors", tensors, MAX_TENSORS, _LEAST_TENSOR_BYTES, 8)
    _count(window, "keys", keys, MAX_KEYS, _LEAST_KEY_BYTES, 16)
    byte_tokens: set[bytes] = set()
    values = _values(window, keys, byte_tokens)
    alignment = _alignment(window, values)
    found = _tensors(window, tensors, alignment)
    return Header(version, size, alignment, values, found, frozenset(byte_tokens))


def _count(window: Window, what: str, count: int, most: int, least_bytes: int, at: int) -> None:
    if count > most:
        window.fail(f"{count} {what}; at most {most} are allowed", at)
    if count * least_bytes > window.left:
        window.fail(f"{count} {what} do not fit into the {window.left} bytes that are left", at)


def _values(window: Window, count: int, byte_tokens: set[bytes]) -> dict[str, Value]:
    values: dict[str, Value] = {}
    # Bytes that lists of strings may still take: they have to be walked, all else is skipped.
    room = MAX_LIST_BYTES
    for index in range(count):
        start = window.offset
        raw = window.string(MAX_KEY_BYTES, f"key {index}")
        try:
            key = raw.decode("utf-8")
        except UnicodeDecodeError:
            window.fail(f"key {shown(raw)} is not UTF-8", start)
        # One with a zero byte would be another key to a reader that stops there.
        if not key or not key.isprintable():
            window.fail(f"key {index} is {shown(raw)}", start)
        if key in values:
            window.fail(f"key {shown(raw)} stands twice", start)
        (kind,) = window.unpack(_NUMBER)
        before = window.offset
        if kind == ARRAY:
            found = values[key] = _list(window, key, before + room, byte_tokens)
            if isinstance(found.value, List) and found.value.kind == STRING:
                room -= window.offset - before
        elif kind == STRING:
            values[key] = _text(window)
        elif (form := FORMS.get(kind)) is not None:
            values[key] = Value(kind, window.unpack(form)[0], before)
        else:
            window.fail(f"key {shown(raw)} has the unknown type {kind}", before - 4)
    return values


def _text(window: Window) -> Value:
    start = window.offset
    (length,) = window.unpack(FORMS[10])
    if length > window.left:
        window.fail(f"a string of {length} bytes, and {window.left} are left", start)
    if length <= MAX_VALUE_BYTES:
        return Value(STRING, window.take(length), start)
    text = Text(window.offset, length)
    window.skip(length)
    return Value(STRING, text, start)


def _list(window: Window, key: str, end: int, byte_tokens: set[bytes]) -> Value:
    start = window.offset
    kind, count = window.unpack(_LIST)
    value = Value(ARRAY, List(kind, count, window.offset), start)
    if kind == STRING:
        most = MAX_TOKENS if key == TOKENS else MAX_LIST_STRINGS
        _count(window, "strings", count, most, 8, start + 4)
        if key == TOKENS:
            _tokens(window, count, end, byte_tokens)
        else:
            window.skip_strings(count, MAX_LIST_STRING_BYTES, end)
    elif (form := FORMS.get(kind)) is not None:
        if count * form.size > window.left:
            window.fail(f"{count} values do not fit into the file", start + 4)
        window.skip(count * form.size)
    elif kind == ARRAY:
        window.fail(f"key {shown(key.encode())} is a list of lists", start)
    else:
        window.fail(f"key {shown(key.encode())} is a list of the unknown type {kind}", start)
    return value


def _tokens(window: Window, count: int, end: int, byte_tokens: set[bytes]) -> None:
    """Walk the vocabulary: llama.cpp aborts the process where a token stands in it twice.

    Hashes are kept instead of texts, since texts may be long. Where two are equal, a second walk
    looks at the texts.
    """
    begin = window.offset
    seen: set[int] = set()
    suspects: set[int] = set()
    for index, raw in enumerate(window.strings(count, MAX_LIST_STRING_BYTES, end)):
        text = raw if raw and b"\0" not in raw else _as_read(raw, index)
        if len(text) < 7 and text in _BYTE_TOKENS:
            byte_tokens.add(text)
        code = hash(text)
        if code in seen and len(suspects) < 8:
            suspects.add(code)
        seen.add(code)
    if not suspects:
        return
    seen.clear()
    after = window.offset
    window.seek(begin)
    numbers: dict[bytes, int] = {}
    for index, raw in enumerate(window.strings(count, MAX_LIST_STRING_BYTES, end)):
        text = _as_read(raw, index)
        if hash(text) in suspects and numbers.setdefault(text, index) != index:
            reason = f"token {shown(text)} is number {numbers[text]} and {index} of its vocabulary"
            window.fail(reason, window.offset - len(raw))
    window.seek(after)


def _as_read(raw: bytes, index: int) -> bytes:
    """A token as llama.cpp reads it: up to a zero byte; an empty one is called after its number."""
    return raw.partition(b"\0")[0] or b"[EMPTY_%d]" % index


def _alignment(window: Window, values: Mapping[str, Value]) -> int:
    given = values.get(ALIGNMENT)
    if given is None:
        return DEFAULT_ALIGNMENT
    value = given.value
    if given.kind != UINT32 or not isinstance(value, int):
        window.fail(f"{ALIGNMENT} is a {VALUE_NAMES[given.kind]}, not a uint32", given.offset)
    if value & (value - 1) or not 0 < value <= MAX_ALIGNMENT:
        window.fail(f"an alignment of {value} is not a power of two up to 2^20", given.offset)
    return value


def _tensors(window: Window, count: int, alignment: int) -> tuple[Tensor, ...]:
    found: list[Tensor] = []
    starts: list[int] = []
    names: set[bytes] = set()
    for index in range(count):
        start = window.offset
        name = window.string(MAX_NAME_BYTES, f"the name of tensor {index}")
        if name in names or not name.isascii() or not name.decode().isprintable():
            twice = "stands twice" if name in names else "is no name"
            window.fail(f"tensor {index}: {shown(name)} {twice}", start)
        names.add(name)
        (dimensions,) = window.unpack(_NUMBER)
        if dimensions > MAX_DIMENSIONS:
            window.fail(f"tensor {shown(name)} has {dimensions} dimensions", start)
        *shape, number, offset = window.unpack(_SHAPES[dimensions])
        kind = TENSOR_TYPES.get(number)
        if kind is None:
            window.fail(f"tensor {shown(name)} is of the unknown type {number}", start)
        tensor = Tensor(name, tuple(shape), kind, offset)
        if not 0 < tensor.elements <= MAX_ELEMENTS:
            window.fail(f"tensor {shown(name)} has the impossible shape {tensor.shape}", start)
        if (shape[0] if shape else 1) % kind.block:
            window.fail(
                f"tensor {shown(name)}: rows of {shape[0] if shape else 1} are no multiple "
                f"of the {kind.block} in a block of {kind.name}",
                start,
            )
        if offset % alignment:
            window.fail(f"tensor {shown(name)} is not aligned to {alignment} bytes", start)
        found.append(tensor)
        starts.append(start)
    _data_fits(window, found, starts, alignment)
    return tuple(found)


def _data_fits(window: Window, tensors: list[Tensor], starts: list[int], alignment: int) -> None:
    """The weights lie within the file, and no two of them in one place."""
    data = -(-window.offset // alignment) * alignment
    used, before = 0, b""
    for index in sorted(range(len(tensors)), key=lambda index: tensors[index].offset):
        tensor = tensors[index]
        if tensor.offset < used:
            reason = f"tensors {shown(before)} and {shown(tensor.name)} overlap"
            window.fail(reason, starts[index])
        used, before = tensor.offset + tensor.bytes, tensor.name
        if data + used > window.size:
            reason = f"tensor {shown(tensor.name)} ends at byte {data + used}, "
            window.fail(f"{reason}behind the end of the file at {window.size}", starts[index])
