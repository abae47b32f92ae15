"""One way in for both kinds of model files, and what a person is told of one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final, TypeAlias

from edgemind.catalog.gguf_model import GgufModel, inspect_gguf
from edgemind.formats.onnx_files import OnnxModel, inspect_onnx

ONNX: Final = ".onnx"
Model: TypeAlias = GgufModel | OnnxModel


def inspect(path: Path) -> Model:
    """Read and judge the model at `path`: ONNX for a folder or a name that ends so, else GGUF.

    Nothing is loaded. Errors as those of `inspect_gguf` and `inspect_onnx`.
    """
    return inspect_onnx(path) if path.suffix == ONNX or path.is_dir() else inspect_gguf(path)


def facts(model: Model) -> Iterator[tuple[str, str]]:
    """What the file says of itself, as pairs of a name and a text for people.

    The texts come from the file: keep what steers a terminal out of what is printed.
    """
    if isinstance(model, OnnxModel):
        yield "format", f"ONNX, {model.bytes:,} bytes in {_files(len(model.parts))}"
        yield "producer", model.producer or "not said"
        yield "operators", ", ".join(f"{name or 'ai.onnx'} {n}" for name, n in model.opsets)
        yield (
            "graph",
            f"{model.nodes} nodes, {len(model.inputs)} inputs, {len(model.outputs)} outputs",
        )
        yield "numbers", f"{model.parameters:,} in tensors: {shares(model.types)}"
        return
    yield "format", f"GGUF {model.version}, {model.bytes:,} bytes in {_files(len(model.parts))}"
    yield "name", model.name or "not said"
    yield "architecture", model.architecture
    yield "quantisation", shares(model.types)
    yield "tensors", f"{model.tensors}, {model.parameters:,} parameters"
    yield "context", f"{model.context:,} tokens"
    yield "vocabulary", f"{model.vocabulary:,} tokens ({model.tokenizer})"
    yield "template", f"sha256 {model.template}" if model.template else "none"
    yield "licence", model.licence or "not said"
    for note in model.notes:
        yield "note", note


def _files(count: int) -> str:
    return "one file" if count == 1 else f"{count} files"


def shares(types: tuple[tuple[str, int], ...]) -> str:
    """Types of tensors with their share, the largest first."""
    total = sum(count for _, count in types) or 1
    return ", ".join(f"{name} {count / total:.0%}" for name, count in types)
