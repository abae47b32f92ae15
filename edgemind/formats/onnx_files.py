"""What an ONNX model needs and reaches for, read from its file without the onnx library.

A model is refused that names files outside its folder for its weights, operators that only a
library of somebody's could bring, or a graph that is no language model's. Its graph is read by
`edgemind.formats.onnx_graph`. Source: docs/ExternalData.md of onnx/onnx.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Final

from edgemind.errors import ModelInvalid, ModelNotFound, ModelUnsupported
from edgemind.formats.onnx_graph import External, Port, Reader
from edgemind.formats.protobuf import Message, Walker
from edgemind.formats.window import Window, opened, shown

MEMORY_TAG: Final = "_ORT_MEM_ADDR_"
"""As a file's name it means to onnxruntime: the offset is an address in memory."""
SIDE_FILES: Final[Mapping[str, int]] = MappingProxyType(
    {
        "tokenizer.json": 64 << 20,
        "tokenizer_config.json": 16 << 20,
        "config.json": 1 << 20,
        "generation_config.json": 1 << 20,
        "genai_config.json": 1 << 20,
        "special_tokens_map.json": 1 << 20,
        "chat_template.jinja": 1 << 20,
    }
)
"""What an engine reads beside the model, and how long it may be in bytes."""


@dataclass(frozen=True, slots=True)
class OnnxModel:
    """A sound model's account of itself. `external` are the files with its weights."""

    path: Path
    bytes: int
    producer: str
    opsets: tuple[tuple[str, int], ...]
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    nodes: int
    parameters: int
    types: tuple[tuple[str, int], ...]
    external: tuple[Path, ...]

    @property
    def parts(self) -> tuple[Path, ...]:
        """All files that the model is made of."""
        return (self.path, *self.external)


def inspect_onnx(path: Path) -> OnnxModel:
    """Read and judge the ONNX model at `path`, a file or a folder with one.

    Raises `ModelInvalid` with the reason and the byte, `ModelUnsupported` for a sound graph that is
    no language model, `ModelNotFound` where it, or a file with its weights, is missing.
    """
    path = _model_file(path)
    with opened(path) as (file, size):
        reader = Reader(Walker(Window(file, size, str(path), "ONNX")))
        reader.model(Message(0, size))
        external = _files_inside(path, reader)
    _side_files(path.parent)
    names = {port.name: port for port in reader.inputs}
    outputs = {port.name for port in reader.outputs}
    if "inputs_embeds" in names and "input_ids" not in names:
        raise ModelUnsupported(f"{path} takes embeddings, not tokens: its embedding is elsewhere")
    if "input_ids" not in names or "logits" not in outputs:
        raise ModelUnsupported(f"{path} is no language model: it lacks input_ids or logits")
    if names["input_ids"].element not in ("int64", "int32"):
        raise ModelUnsupported(f"{path} takes tokens as {names['input_ids'].element}")
    return OnnxModel(
        path=path,
        bytes=size + sum(one.stat().st_size for one in external),
        producer=reader.producer,
        opsets=tuple(sorted(reader.opsets.items())),
        inputs=tuple(reader.inputs),
        outputs=tuple(reader.outputs),
        nodes=reader.nodes,
        parameters=reader.parameters,
        types=tuple(reader.types.most_common()),
        external=external,
    )


def _model_file(path: Path) -> Path:
    if not path.is_dir():
        return path
    found = sorted([*path.glob("*.onnx"), *path.glob("onnx/*.onnx")])
    if len(found) != 1:
        raise ModelInvalid(f"{path} holds {len(found)} .onnx files: name the one to use")
    return found[0]


def _side_files(folder: Path) -> None:
    for name, most in SIDE_FILES.items():
        for place in (folder, folder.parent):  # beside onnx/model.onnx they lie one up
            file = place / name
            if file.is_file() and file.stat().st_size > most:
                raise ModelInvalid(f"{file} is longer than {most >> 20} MiB")


def _files_inside(path: Path, reader: Reader) -> tuple[Path, ...]:
    """The files with external weights: all of them in the model's folder, and long enough.

    A cache of models may hold links to a folder of blobs: a link may lead to where the model's
    own link leads.
    """
    folders = (path.parent.resolve(), path.resolve().parent)
    found: dict[str, tuple[Path, int]] = {}
    for one in reader.external:
        if one.location not in found:
            found[one.location] = _file_inside(path, folders, one, reader.walker.window)
        _, size = found[one.location]
        if one.offset + one.length > size:
            called = shown(one.location.encode())
            reader.walker.window.fail(
                f"weights up to byte {one.offset + one.length} of {called}, which has {size}",
                one.at,
            )
    return tuple(sorted(file for file, _ in found.values()))


def _file_inside(
    path: Path, folders: tuple[Path, ...], one: External, window: Window
) -> tuple[Path, int]:
    called = shown(one.location.encode())
    inner = PurePosixPath(one.location)
    if (
        not one.location.isprintable()
        or MEMORY_TAG in one.location
        or any(char in one.location for char in "\\:*?")
        or inner.is_absolute()
        or ".." in inner.parts
        or not inner.parts
    ):
        window.fail(f"its weights lie in {called}, which is not a file in its folder", one.at)
    file = path.parent / inner
    real = file.resolve()
    if not any(real.is_relative_to(folder) for folder in folders):
        window.fail(f"its weights lie in {called}, a link out of its folder", one.at)
    try:
        with opened(file) as (_, size):
            return file, size
    except ModelNotFound:
        raise ModelNotFound(f"{path} has weights in {called}, which is missing") from None
