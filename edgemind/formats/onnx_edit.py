"""A model's graph taken apart and put together again without the onnx library.

For `edgemind.engines.onnx.fuse`. Operators are read, weights are not: a new model names the bytes
of the old file that hold them. Source: onnx.proto and docs/ExternalData.md of onnx/onnx, whose
field numbers stand here as they are.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from edgemind.formats.protobuf import BYTES, FIXED32, FIXED64, VARINT, Field, Message, Walker
from edgemind.formats.window import Window, opened

INLINE_BYTES: Final = 4096
"""Longer weights stay in the old file."""
FLOAT32: Final = 1
INT64: Final = 7
INT32: Final = 6
TYPES: Final = {1: "float", 6: "int32", 7: "int64", 9: "bool", 10: "float16"}
"""How onnxruntime calls the types that a decoder takes and gives."""
_GRAPHS: Final = (6, 11)
_EXTERNAL: Final = 1


@dataclass(frozen=True, slots=True)
class Node:
    """An operator: `numbers` are its attributes that are whole numbers, or several of them."""

    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    raw: bytes
    numbers: Mapping[str, tuple[int, ...]]
    nested: bool
    """Whether a graph lies in one of its attributes."""


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output, as onnxruntime tells it: an open dimension is a name, or None."""

    name: str
    type: str
    shape: list[int | str | None]
    raw: bytes


@dataclass(slots=True)
class Graph:
    """The outermost graph. All parts are encoded fields; `numbers` are small tensors of int64.

    `large` names the weights that stay in the file `home` / `file`. `opset` is that of the
    standard operators.
    """

    home: Path
    file: str
    opset: int = 0
    nodes: list[Node] = field(default_factory=list)
    inputs: dict[str, Port] = field(default_factory=dict)
    outputs: dict[str, Port] = field(default_factory=dict)
    tensors: dict[str, bytes] = field(default_factory=dict)
    large: set[str] = field(default_factory=set)
    numbers: dict[str, tuple[int, ...]] = field(default_factory=dict)
    head: list[bytes] = field(default_factory=list)
    """The model's other fields."""
    elsewhere: bool = False
    """Whether weights lie in a file beside it."""

    def get_inputs(self) -> list[Port]:
        """As a session of it would tell them: all but the weights."""
        return [one for one in self.inputs.values() if one.name not in self.tensors]

    def get_outputs(self) -> list[Port]:
        """As a session of it would tell them."""
        return [*self.outputs.values()]


def read_graph(path: Path) -> Graph:
    """The graph of the model at `path`. Raises as `edgemind.formats.onnx_files.inspect_onnx`."""
    with opened(path) as (file, size):
        walker = Walker(Window(file, size, str(path), "ONNX"))
        return _Reading(walker, Graph(path.parent, path.name)).model(Message(0, size))


def model_of(
    graph: Graph, nodes: Iterable[bytes], inputs: Iterable[bytes], outputs: Iterable[bytes],
    tensors: Iterable[bytes],
) -> bytes:  # fmt: skip
    """A model with these encoded parts, and the other fields of `graph`."""
    parts = [
        *(message(1, node) for node in nodes), message(2, b"edgemind"),
        *(message(5, one) for one in tensors), *(message(11, one) for one in inputs),
        *(message(12, one) for one in outputs),
    ]  # fmt: skip
    return b"".join([*graph.head, message(7, b"".join(parts))])


def node(
    operator: str,
    inputs: Sequence[str],
    outputs: Sequence[str],
    domain: str = "",
    **attributes: int | float | Sequence[int],
) -> bytes:
    """An encoded operator."""
    parts = [message(1, one.encode()) for one in inputs]
    parts += [message(2, one.encode()) for one in outputs]
    parts += [message(3, outputs[0].encode()), message(4, operator.encode())]
    for name, value in attributes.items():
        inner = message(1, name.encode())
        if isinstance(value, float):
            inner += number(20, 1) + varint(2 << 3 | FIXED32) + struct.pack("<f", value)
        elif isinstance(value, int):
            inner += number(20, 2) + number(3, value)
        else:
            inner += number(20, 7) + b"".join(number(8, one) for one in value)
        parts.append(message(5, inner))
    return b"".join([*parts, message(7, domain.encode())])


def whole_numbers(
    name: str, values: Sequence[int], kind: int = INT64, scalar: bool = False
) -> bytes:
    """An encoded tensor of int64 or int32."""
    raw = struct.pack(f"<{len(values)}{'q' if kind == INT64 else 'i'}", *values)
    sizes = b"" if scalar else number(1, len(values))
    return sizes + number(2, kind) + message(8, name.encode()) + message(9, raw)


def float_number(name: str, value: float) -> bytes:
    """An encoded float32."""
    return number(2, FLOAT32) + message(8, name.encode()) + message(9, struct.pack("<f", value))


def port(name: str, kind: int) -> bytes:
    """An encoded input or output of any shape."""
    return message(1, name.encode()) + message(2, message(1, number(1, kind)))


# The encoding


def varint(value: int) -> bytes:
    """A whole number in base 128, the low digits first; negative ones as 64 bits."""
    value &= (1 << 64) - 1
    found = bytearray()
    while value >= 0x80:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def number(place: int, value: int) -> bytes:
    """A field with a whole number."""
    return varint(place << 3 | VARINT) + varint(value)


def message(place: int, value: bytes) -> bytes:
    """A field with bytes: a text, or a message."""
    return varint(place << 3 | BYTES) + varint(len(value)) + value


class _Reading:
    def __init__(self, walker: Walker, graph: Graph) -> None:
        self._walker, self._graph = walker, graph

    def model(self, place: Message) -> Graph:
        for one in self._walker.fields(place):
            if one.number == 7:
                self._read(one.place)
                continue
            self._graph.head.append(self._encoded(one))
            if one.number == 8:
                names = {inner.number: inner for inner in self._walker.fields(one.place)}
                domain = self._walker.text(names[1]) if 1 in names else ""
                version = names[2].value if 2 in names else 0
                if domain in ("", "ai.onnx") and isinstance(version, int):
                    self._graph.opset = version
        return self._graph

    def _read(self, place: Message) -> None:
        graph = self._graph
        for one in self._walker.fields(place):
            if one.number == 1:
                graph.nodes.append(self._node(one.place))
            elif one.number == 5:
                self._tensor(one.place)
            elif one.number in (11, 12):
                to = graph.inputs if one.number == 11 else graph.outputs
                found = self._port(one.place)
                to[found.name] = found

    def _port(self, place: Message) -> Port:
        """Name and TypeProto.Tensor of a ValueInfoProto."""
        walker, name, kind = self._walker, "", 0
        shape: list[int | str | None] = []
        for one in walker.fields(place):
            if one.number == 1:
                name = walker.text(one)
            elif one.number == 2:
                for tensor in (f for f in walker.fields(one.place) if f.number == 1):
                    for inner in walker.fields(tensor.place):
                        if inner.number == 1 and isinstance(inner.value, int):
                            kind = inner.value
                        elif inner.number == 2:
                            shape = [self._size(size.place) for size in walker.fields(inner.place)]
        return Port(name, f"tensor({TYPES.get(kind, kind)})", shape, self._bytes(place))

    def _size(self, place: Message) -> int | str | None:
        for one in self._walker.fields(place):
            if one.number == 1 and isinstance(one.value, int):
                return one.value
            if one.number == 2:
                return self._walker.text(one)
        return None

    def _node(self, place: Message) -> Node:
        inputs, outputs, operator, nested = [], [], "", False
        numbers: dict[str, tuple[int, ...]] = {}
        for one in self._walker.fields(place):
            if one.number == 1:
                inputs.append(self._walker.text(one))
            elif one.number == 2:
                outputs.append(self._walker.text(one))
            elif one.number == 4:
                operator = self._walker.text(one)
            elif one.number == 5:
                name, found = "", []
                for inner in self._walker.fields(one.place):
                    if inner.number == 1:
                        name = self._walker.text(inner)
                    elif inner.number in (3, 8):
                        found += self._signed(inner)
                    nested |= inner.number in _GRAPHS
                numbers[name] = tuple(found)
        raw = self._bytes(place)
        return Node(operator, tuple(inputs), tuple(outputs), raw, numbers, nested)

    def _tensor(self, place: Message) -> None:
        graph, parts, name, kind, large = self._graph, b"", "", 0, False
        values: list[int] = []
        for one in self._walker.fields(place):
            if one.number == 9 and one.place.end - one.place.start > INLINE_BYTES:
                large = True
                where = {
                    "location": graph.file, "offset": str(one.place.start),
                    "length": str(one.place.end - one.place.start),
                }  # fmt: skip
                for key, text in where.items():
                    entry = message(1, key.encode()) + message(2, text.encode())
                    parts += message(13, entry)
                parts += number(14, _EXTERNAL)
                continue
            parts += self._encoded(one)
            if one.number == 8:
                name = self._walker.text(one)
            elif one.number == 2 and isinstance(one.value, int):
                kind = one.value
            elif one.number == 7:
                values += self._signed(one)
            elif one.number == 9:
                raw = self._bytes(one.place)
                if len(raw) % 8 == 0:
                    values += struct.unpack(f"<{len(raw) // 8}q", raw)
            elif one.number == 13:
                graph.elsewhere = large = True
        if large:
            graph.large.add(name)
        elif kind == INT64:
            graph.numbers[name] = tuple(values)
        graph.tensors[name] = parts

    def _signed(self, one: Field) -> list[int]:
        values = self._walker.numbers(one, INLINE_BYTES)
        return [value - (1 << 64) if value >> 63 else value for value in values]

    def _bytes(self, place: Message) -> bytes:
        self._walker.window.seek(place.start)
        return self._walker.window.take(place.end - place.start)

    def _encoded(self, one: Field) -> bytes:
        if isinstance(one.value, Message):
            return message(one.number, self._bytes(one.place))
        if one.kind == VARINT:
            return number(one.number, one.value)
        form = "<Q" if one.kind == FIXED64 else "<I"
        return varint(one.number << 3 | one.kind) + struct.pack(form, one.value)
