"""The graph of an ONNX model: what goes in and out, its operators, where its weights lie.

Reached from `edgemind.formats.onnx_files`. All places where a tensor, a graph or an operator may
stand are looked at: in attributes, in sparse tensors, in functions too. Source: onnx.proto of
onnx/onnx, whose field numbers stand here as they are.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from edgemind.formats.protobuf import Field, Message, Walker
from edgemind.formats.window import shown

DOMAINS: Final = frozenset({"", "ai.onnx", "ai.onnx.ml", "com.microsoft"})
REFUSED_OPERATORS: Final = frozenset({"EPContext"})
"""It runs what an accelerator's compiler left in a file of its own."""
ELEMENTS: Final[Mapping[int, str]] = MappingProxyType(
    dict(
        enumerate(
            "float32 uint8 int8 uint16 int16 int32 int64 string bool float16 float64 uint32 uint64 "
            "complex64 complex128 bfloat16 float8e4m3fn float8e4m3fnuz float8e5m2 float8e5m2fnuz "
            "uint4 int4 float4e2m1 float8e8m0 uint2 int2 float6e2m3 float6e3m2".split(),
            start=1,
        )
    )
)
PACKED_PRODUCT: Final = "MatMulNBits"
"""A product with a matrix of N columns and K rows, a few bits to a weight."""
MAX_PORTS: Final = 4096
MAX_DIMENSIONS: Final = 16
MAX_EXTERNAL: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output of the graph: its name, its elements' type, how many dimensions."""

    name: str
    element: str
    dimensions: int


@dataclass(frozen=True, slots=True)
class External:
    """Weights in another file, which a tensor at byte `at` of this one names."""

    location: str
    offset: int
    length: int
    at: int


class Reader:
    """Collects what is needed while the whole model is walked through."""

    def __init__(self, walker: Walker) -> None:
        self.walker = walker
        self.producer = ""
        self.opsets: dict[str, int] = {}
        self.inputs: list[Port] = []
        self.outputs: list[Port] = []
        self.nodes = 0
        self.parameters = 0
        """Weights, packed ones as what they stand for."""
        self.types: Counter[str] = Counter()
        self.external: list[External] = []
        # Operators of other domains, and where they stand; functions may define them.
        self._foreign: dict[tuple[str, str], int] = {}
        self._defined: set[tuple[str, str]] = set()

    def model(self, message: Message) -> None:
        """ModelProto."""
        graphs = 0
        for field in self.walker.fields(message):
            match field.number:
                case 2:
                    self.producer = self.walker.text(field)
                case 7:
                    graphs += 1
                    self._graph(field, outermost=True)
                case 8:
                    self._opset(field)
                case 20:
                    self._fail("it holds instructions for training", field)
                case 25:
                    self._function(field)
        if graphs != 1:
            self.walker.window.fail(f"it holds {graphs} graphs")
        for names, at in self._foreign.items():
            if names not in self._defined:
                called = shown("::".join(names).encode())
                self.walker.window.fail(f"the operator {called} needs a library of its own", at)
        for ports, what in ((self.inputs, "input"), (self.outputs, "output")):
            if not ports or len({port.name for port in ports}) < len(ports):
                self.walker.window.fail(f"its graph has no {what}, or one of them twice")

    def _fail(self, reason: str, field: Field) -> None:
        value = field.value
        self.walker.window.fail(reason, value.start if isinstance(value, Message) else None)

    def _inside(self, field: Field) -> Message:
        if not isinstance(field.value, Message):
            self.walker.window.fail(f"field {field.number} is no message")
        return field.value

    def _opset(self, field: Field) -> None:
        domain, version = "", 0
        for inner in self.walker.fields(self._inside(field)):
            if inner.number == 1:
                domain = self.walker.text(inner)
            elif inner.number == 2 and isinstance(inner.value, int):
                version = inner.value
        self.opsets[domain] = version

    def _graph(self, field: Field, outermost: bool = False) -> None:
        packed: set[str] = set()
        tensors: list[tuple[str, int]] = []
        for inner in self.walker.fields(self._inside(field)):
            match inner.number:
                case 1:
                    packed |= self._node(inner)
                case 5:
                    tensors.append(self._tensor(inner))
                case 11 if outermost:
                    self._port(inner, self.inputs)
                case 12 if outermost:
                    self._port(inner, self.outputs)
                case 15:
                    self._sparse(inner)
        self.parameters += sum(count for name, count in tensors if name not in packed)

    def _function(self, field: Field) -> None:
        name = domain = ""
        for inner in self.walker.fields(self._inside(field)):
            match inner.number:
                case 1:
                    name = self.walker.text(inner)
                case 7:
                    self._node(inner)
                case 10:
                    domain = self.walker.text(inner)
                case 11:
                    self._attribute(inner)
        self._defined.add((domain, name))

    def _node(self, field: Field) -> set[str]:
        """Look at an operator; the names of the packed weights that it reads."""
        self.nodes += 1
        operator = domain = ""
        inputs: list[str] = []
        sizes: dict[str, int] = {}
        for inner in self.walker.fields(place := self._inside(field)):
            match inner.number:
                case 1:
                    inputs.append(self.walker.text(inner))
                case 4:
                    operator = self.walker.text(inner)
                case 5:
                    name, size = self._attribute(inner)
                    sizes[name] = size
                case 7:
                    domain = self.walker.text(inner)
        if domain not in DOMAINS or operator in REFUSED_OPERATORS:
            self._foreign.setdefault((domain, operator), place.start)
        if operator != PACKED_PRODUCT:
            return set()
        self.parameters += sizes.get("K", 0) * sizes.get("N", 0)
        return set(inputs[1:])

    def _attribute(self, field: Field) -> tuple[str, int]:
        """Look at what lies in an attribute; its name, and its value where that is a number."""
        name, number = "", 0
        for inner in self.walker.fields(self._inside(field)):
            match inner.number:
                case 1:
                    name = self.walker.text(inner)
                case 3 if isinstance(inner.value, int):
                    number = inner.value
                case 5 | 10:
                    self._tensor(inner)
                case 6 | 11:
                    self._graph(inner)
                case 22 | 23:
                    self._sparse(inner)
        return name, number

    def _sparse(self, field: Field) -> None:
        for inner in self.walker.fields(self._inside(field)):
            if inner.number in (1, 2):
                self._tensor(inner)

    def _tensor(self, field: Field) -> tuple[str, int]:
        """Look at a tensor; its name and its number of elements."""
        name = ""
        shape: list[int] = []
        element, entries = 0, {}
        for inner in self.walker.fields(place := self._inside(field)):
            match inner.number:
                case 1:
                    shape += self.walker.numbers(inner, MAX_DIMENSIONS)
                case 2 if isinstance(inner.value, int):
                    element = inner.value
                case 8:
                    name = self.walker.text(inner)
                case 13:
                    key, value = self._entry(inner)
                    if key in entries:
                        self._fail(f"a tensor has two values for {shown(key.encode())}", inner)
                    entries[key] = value
        count = math.prod(shape)
        if len(shape) > MAX_DIMENSIONS or count >= 1 << 63 or element not in ELEMENTS:
            self._fail(f"a tensor of type {element} with {len(shape)} dimensions", field)
        self.types[ELEMENTS[element]] += count
        if entries:
            if len(self.external) >= MAX_EXTERNAL:
                self._fail(f"more than {MAX_EXTERNAL} tensors in other files", field)
            try:
                offset, length = (int(entries.get(key, "0")) for key in ("offset", "length"))
            except ValueError:
                offset = length = -1
            if min(offset, length) < 0:
                self._fail("a tensor in another file, at a place that is no number", field)
            location = entries.get("location", "")
            self.external.append(External(location, offset, length, place.start))
        return name, count

    def _entry(self, field: Field) -> tuple[str, str]:
        key = value = ""
        for inner in self.walker.fields(self._inside(field)):
            if inner.number == 1:
                key = self.walker.text(inner)
            elif inner.number == 2:
                value = self.walker.text(inner)
        return key, value

    def _port(self, field: Field, to: list[Port]) -> None:
        name, element, dimensions = "", 0, 0
        for inner in self.walker.fields(self._inside(field)):
            if inner.number == 1:
                name = self.walker.text(inner)
            elif inner.number == 2:
                for kind in self.walker.fields(self._inside(inner)):
                    if kind.number == 1:
                        element, dimensions = self._tensor_type(kind)
        if not name.isprintable() or not name or len(to) >= MAX_PORTS or element not in ELEMENTS:
            self._fail(f"an input or output {shown(name.encode())} of type {element}", field)
        to.append(Port(name, ELEMENTS[element], dimensions))

    def _tensor_type(self, field: Field) -> tuple[int, int]:
        element = dimensions = 0
        for inner in self.walker.fields(self._inside(field)):
            if inner.number == 1 and isinstance(inner.value, int):
                element = inner.value
            elif inner.number == 2:
                shape = self.walker.fields(self._inside(inner))
                dimensions = sum(1 for one in shape if one.number == 1)
        return element, dimensions
