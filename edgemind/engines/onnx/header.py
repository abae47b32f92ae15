"""What an ONNX file holds, read without onnxruntime: weights, files beside it, kinds of nodes.

A bounded reader of the few protobuf fields that matter (onnx.proto, version 1). It looks before
any library does: a file may name weights anywhere on the disk, and those of a model have no
business outside its folder.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from edgemind.errors import ModelError, ModelInvalid, ModelNotFound

MAX_DEPTH = 8
"""Graphs within graphs: a merged decoder has two levels."""
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
EXTERNAL = 1

Span = tuple[int, int]


@dataclass(slots=True)
class Header:
    """What was found: `parameters` counts weights, packed ones as what they stand for."""

    parameters: int = 0
    external: dict[str, None] = field(default_factory=dict)
    kinds: set[str] = field(default_factory=set)

    def bytes(self, path: Path) -> int:
        """Bytes of the file and of all that it names beside it."""
        return sum(file.stat().st_size for file in (path, *self.files(path)))

    def files(self, path: Path) -> list[Path]:
        """The files with weights beside `path`; `ModelInvalid` for one outside its folder."""
        home, found = path.parent.resolve(), []
        for name in self.external:
            file = path.parent / name
            # A link is followed by whoever made the folder on purpose (a cache of downloads);
            # only what the model itself wrote down must not lead away.
            if Path(name).is_absolute() or ".." in Path(name).parts:
                raise ModelInvalid(f"{path} asks for weights outside its folder: {name}")
            if not file.is_file():
                raise ModelNotFound(f"{path} needs its weights in {home / name}, which is missing")
            found.append(file)
        return found


class _Reader:
    """Walks protobuf messages in a buffer; `ModelInvalid` where they do not hold together."""

    def __init__(self, data: mmap.mmap, path: Path) -> None:
        self._data = data
        self._path = path
        self.header = Header()

    def broken(self) -> ModelInvalid:
        return ModelInvalid(f"{self._path} is not an ONNX model, or is damaged: fetch it again")

    def _varint(self, at: int, end: int) -> tuple[int, int]:
        value = shift = 0
        while at < end and shift < 64:
            byte = self._data[at]
            value |= (byte & 0x7F) << shift
            at, shift = at + 1, shift + 7
            if byte < 0x80:
                return value, at
        raise self.broken()

    def fields(self, span: Span) -> Iterator[tuple[int, int | Span]]:
        """(number, value) of each field: an integer, or where its bytes lie."""
        at, end = span
        while at < end:
            key, at = self._varint(at, end)
            kind = key & 7
            if kind == VARINT:
                value, at = self._varint(at, end)
                yield key >> 3, value
                continue
            if kind == BYTES:
                size, at = self._varint(at, end)
            elif kind in (FIXED32, FIXED64):
                size = 4 if kind == FIXED32 else 8
            else:
                raise self.broken()
            if size > end - at:
                raise self.broken()
            yield key >> 3, (at, at + size)
            at += size

    def text(self, span: int | Span) -> str:
        start, end = self.span(span)
        return self._data[start : min(end, start + 4096)].decode("utf-8", "replace")

    def span(self, value: int | Span) -> Span:
        if isinstance(value, int):
            raise self.broken()
        return value

    def model(self, span: Span) -> None:
        graphs = [self.span(value) for number, value in self.fields(span) if number == 7]
        if not graphs:
            raise self.broken()
        for graph in graphs:
            self.graph(graph, 0)

    def graph(self, span: Span, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise self.broken()
        packed: set[str] = set()
        tensors: list[tuple[str, int]] = []
        for number, value in self.fields(span):
            if number == 1:
                packed |= self.node(self.span(value), depth)
            elif number == 5:
                tensors.append(self.tensor(self.span(value)))
        self.header.parameters += sum(size for name, size in tensors if name not in packed)

    def node(self, span: Span, depth: int) -> set[str]:
        """Note a node's kind and what is inside it; the names of packed weights it reads."""
        inputs: list[str] = []
        kind = ""
        numbers: dict[str, int] = {}
        for number, value in self.fields(span):
            if number == 1:
                inputs.append(self.text(value))
            elif number == 4:
                kind = self.text(value)
            elif number == 5:
                self.attribute(self.span(value), numbers, depth)
        self.header.kinds.add(kind)
        if kind != "MatMulNBits":
            return set()
        self.header.parameters += numbers.get("K", 0) * numbers.get("N", 0)
        return set(inputs[1:])

    def attribute(self, span: Span, numbers: dict[str, int], depth: int) -> None:
        name = ""
        for number, value in self.fields(span):
            if number == 1:
                name = self.text(value)
            elif number == 3 and isinstance(value, int):
                numbers[name] = value
            elif number in (5, 10):
                self.tensor(self.span(value))
            elif number in (6, 11):
                self.graph(self.span(value), depth + 1)

    def tensor(self, span: Span) -> tuple[str, int]:
        """A tensor's name and number of elements; where its data lies is noted."""
        name, size, outside = "", 1, ""
        for number, value in self.fields(span):
            if number == 1:
                if isinstance(value, int):
                    size *= value
                else:
                    at, end = value
                    while at < end:
                        dimension, at = self._varint(at, end)
                        size *= dimension
            elif number == 8:
                name = self.text(value)
            elif number == 13:
                entry = {n: self.text(v) for n, v in self.fields(self.span(value))}
                if entry.get(1) == "location":
                    outside = entry.get(2, "")
        if outside:
            self.header.external[outside] = None
        return name, size


def read_header(path: Path) -> Header:
    """The header of an ONNX file.

    Raises `ModelNotFound`, `ModelInvalid` for what is none, and `ModelError` where it cannot be
    read.
    """
    try:
        with path.open("rb") as file:
            if not path.stat().st_size:
                raise ModelInvalid(f"{path} is empty: fetch it again")
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                reader = _Reader(data, path)
                reader.model((0, len(data)))
                return reader.header
    except FileNotFoundError:
        raise ModelNotFound(f"no model file at {path}") from None
    except OSError as error:
        raise ModelError(f"cannot read {path}: {error.strerror}") from None
