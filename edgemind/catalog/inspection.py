"""One way in for both kinds of model files, and what a person is told of one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final, TypeAlias

from edgemind.catalog.gguf_model import GgufModel, inspect_gguf
from edgemind.catalog.known_templates import KNOWN
from edgemind.catalog.templates import template_hash
from edgemind.formats.onnx_files import OnnxModel, inspect_onnx
from edgemind.formats.onnx_template import read_template

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
        yield "template", _template(model)
        return
    yield "format", f"GGUF {model.version}, {model.bytes:,} bytes in {_files(len(model.parts))}"
    yield "name", model.name or "not said"
    yield "architecture", model.architecture
    yield "quantisation", shares(model.types)
    yield "tensors", f"{model.tensors}, {model.parameters:,} parameters"
    yield "context", f"{model.context:,} tokens"
    yield "vocabulary", f"{model.vocabulary:,} tokens ({model.tokenizer})"
    yield "template", _template(model)
    yield "licence", model.licence or "not said"
    for note in model.notes:
        yield "note", note


def hash_of_template(model: Model) -> str | None:
    """The SHA-256 of a model's chat template, or None where it has none."""
    if not isinstance(model, OnnxModel):
        return model.template
    source = read_template(model.path)
    return None if source is None else template_hash(source)


def _template(model: Model) -> str:
    found = hash_of_template(model)
    if found is None:
        return "none"
    known = "well known" if found in KNOWN else "not known: rendered in a process of its own"
    return f"sha256 {found} ({known})"


def _files(count: int) -> str:
    return "one file" if count == 1 else f"{count} files"


def shares(types: tuple[tuple[str, int], ...]) -> str:
    """Types of tensors with their share, the largest first."""
    total = sum(count for _, count in types) or 1
    return ", ".join(f"{name} {count / total:.0%}" for name, count in types)
