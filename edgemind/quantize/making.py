"""A quantised copy of a model: made in a locked child, put into its place when it is whole.

The child may write into one hidden folder beside the target and nowhere else; what it made is
looked at without a library and then renamed. Whatever happens before that (an error, a library
that aborts, Ctrl-C) leaves nothing behind.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from edgemind.catalog.inspection import Model, inspect
from edgemind.engines.onnx.folder import find_files
from edgemind.engines.opening import is_onnx
from edgemind.errors import (
    ConfigError,
    EdgemindError,
    ModelError,
    ModelInvalid,
    ModelUnsupported,
    plain,
)
from edgemind.formats.onnx_files import SIDE_FILES
from edgemind.probe import BASE_MEMORY, how_it_ended
from edgemind.quantize.names import gguf_type, onnx_type, tensor_type
from edgemind.verify.children import OPEN_FILES, Limits, Say, Task, call

BASE_SECONDS: Final = 600.0
BYTES_PER_SECOND: Final = 100_000
"""The slowest types search long for each block; this only ends a library that hangs."""
MEMORY_PER_BYTE: Final = 8
"""onnxruntime's tools hold a model several times over."""
ENDING_BYTES: Final = 64 << 20
"""Room for what is in a file besides weights."""

_ERRORS: Final[Mapping[str, type[EdgemindError]]] = MappingProxyType(
    {kind.__name__: kind for kind in (ConfigError, ModelError, ModelInvalid, ModelUnsupported)}
)
Progress = Callable[[str, int, int], None]
"""Hears what is being done, how far it is, and of how many."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be made. `source` and `target` are files, for ONNX (also) folders.

    `output_type` is the output head's (with tied embeddings: the table's), `embedding_type` that
    of the table of embeddings, `importance` a text for an importance matrix: all three for GGUF.
    `variant` chooses among an ONNX folder's models. `force` replaces what is there.
    """

    source: Path
    target: Path
    type: str
    output_type: str | None = None
    embedding_type: str | None = None
    importance: str | None = None
    variant: str | None = None
    threads: int = 1
    force: bool = False


@dataclass(frozen=True, slots=True)
class Made:
    """What came of it: both models as their files tell, and where the new one is."""

    source: Model
    target: Model
    path: Path


def quantize(order: Order, tell: Progress) -> Made:
    """Make the copy.

    Raises `ConfigError` for an order that cannot be, `ModelError` and its kinds for a source that
    is none or that the library cannot turn into this type.
    """
    onnx = is_onnx(order.source)
    _check(order, onnx)
    request, sources = _onnx_request(order) if onnx else _gguf_request(order)
    with _beside(order.target) as folder:
        _child(order.source, request, sources, folder, tell)
        out = folder / order.target.name
        if onnx:
            _with_side_files(out, folder, find_files(order.source, order.variant).home, request)
            made = next(inspect(out / name) for _, name in request["graphs"])
        else:
            made = inspect(out)
        _replace(out, order.target, folder)
    return Made(sources[0], made, order.target)


def _check(order: Order, onnx: bool) -> None:
    target = order.target
    if onnx and (order.output_type or order.embedding_type or order.importance is not None):
        raise ConfigError("an output type and an importance matrix are for GGUF models")
    if not onnx and order.variant is not None:
        raise ConfigError(f"a variant is for ONNX models, and {order.source} is none")
    if not onnx and target.suffix != ".gguf":
        raise ConfigError(f"{target} should end in .gguf")
    if onnx and target.suffix:
        raise ConfigError(f"{target} has to be a folder: an ONNX model has several files")
    if onnx and not (importlib.util.find_spec("onnx") and importlib.util.find_spec("onnx_ir")):
        raise ConfigError(
            "onnxruntime's tools need packages that are missing: pip install 'edgemind[quantize]'"
        )
    if not target.parent.is_dir():
        raise ConfigError(f"there is no folder {target.parent}")
    if not target.exists():
        return
    if order.source.exists() and order.source.resolve().is_relative_to(target.resolve()):
        raise ConfigError(f"{target} is the source: give another name")
    if not order.force:
        raise ConfigError(f"{target} exists already: give another name, or --force")
    if onnx and not (target.is_dir() and any(target.glob("*.onnx"))):
        raise ConfigError(f"{target} is no folder with an ONNX model: remove it yourself")
    if not onnx and not target.is_file():
        raise ConfigError(f"{target} is no file: remove it yourself")


def _gguf_request(order: Order) -> tuple[dict[str, Any], list[Model]]:
    kinds = (order.output_type, order.embedding_type)
    output, embedding = (None if kind is None else tensor_type(kind) for kind in kinds)
    request = {"type": gguf_type(order.type), "output_type": output, "embedding_type": embedding}
    model = inspect(order.source)
    return {
        **request,
        "kind": "gguf",
        "source": os.path.abspath(model.parts[0]),
        "out": order.target.name,
        "text": order.importance,
        "threads": order.threads,
    }, [model]


def _onnx_request(order: Order) -> tuple[dict[str, Any], list[Model]]:
    kind = onnx_type(order.type)
    files = find_files(order.source, order.variant, prefer=("f32", "fp16"))
    models = [inspect(path) for path in files.paths]
    graphs = [(os.path.abspath(path), f"{_stem(path)}_{kind}.onnx") for path in files.paths]
    if files.genai:
        graphs = [(graphs[0][0], files.decoder.name)]  # the configuration names it
    beside = max(sum(part.stat().st_size for part in model.parts[1:]) for model in models)
    return {"kind": "onnx", "type": kind, "graphs": graphs, "external_bytes": beside}, models


def _stem(path: Path) -> str:
    """A graph's name without the variant that it has now."""
    names = ("decoder_with_past_model", "decoder_model_merged", "decoder_model")
    return next((name for name in names if path.stem.startswith(name)), "model")


@contextmanager
def _beside(target: Path) -> Iterator[Path]:
    """A hidden folder on the target's disk, gone afterwards with all that is in it."""
    try:
        folder = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    except OSError as error:
        raise ConfigError(f"cannot write into {target.parent}: {error.strerror}") from None
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _child(
    source: Path, request: dict[str, Any], models: list[Model], folder: Path, tell: Progress
) -> None:
    size = sum(model.bytes for model in models)
    most = sum(4 * model.parameters for model in models) + size + ENDING_BYTES
    limits = Limits(
        seconds=BASE_SECONDS + size / BYTES_PER_SECOND,
        memory=BASE_MEMORY + MEMORY_PER_BYTE * max(size, most // 4),
        open_files=OPEN_FILES + sum(len(model.parts) for model in models),
        file=most,
    )

    def heard(said: object) -> None:
        if isinstance(said, list) and len(said) == 3:
            tell(plain(str(said[0])), int(said[1]), int(said[2]))

    reply = call(
        "quantize",
        request,
        limits.seconds,
        limits=limits,
        errors=True,
        folder=folder,
        heard=heard,
    )
    if reply.code == 0 and "done" in reply.said:
        return
    for said in reply.said:
        if isinstance(said, dict) and (kind := _ERRORS.get(str(said.get("error")))) is not None:
            raise kind(plain(str(said.get("text"))))
    if reply.code is None:
        raise ModelError(f"{source} was not quantised within {limits.seconds:.0f} s")
    ended = how_it_ended(reply.code, reply.errors)
    raise ModelError(f"the library did not survive quantising {source} ({ended}): nothing was made")


def _with_side_files(out: Path, folder: Path, home: Path, request: dict[str, Any]) -> None:
    """A folder of the new graphs, with the tokenizer and the configuration of the old ones."""
    out.mkdir()
    names = {name for _, name in request["graphs"]}
    for file in [*folder.iterdir()]:
        if file.name in names or file.name.removesuffix(".data") in names:
            file.rename(out / file.name)
    for name in (*SIDE_FILES, "tokenizer.model", "added_tokens.json"):
        if (home / name).is_file():
            shutil.copyfile(home / name, out / name)


def _replace(out: Path, target: Path, folder: Path) -> None:
    if target.is_dir():
        target.rename(folder / "before")  # gone with the hidden folder
    out.replace(target)


# What follows happens in the child.


def _work(request: Any, say: Say, _until: float) -> None:
    """Make the files of a request; say progress, and "done" or the error."""
    os.environ["GGML_NO_BACKTRACE"] = "1"
    told = [-1]

    def tell(what: str, at: int, of: int) -> None:
        percent = 100 * at // max(1, of)
        if percent != told[0] or at in (0, of):
            told[0] = percent
            say([what, at, of])

    try:
        if request["kind"] == "gguf":
            from edgemind.quantize.gguf_child import quantize_gguf

            quantize_gguf(request, tell)
        else:
            from edgemind.quantize.onnx_child import quantize_onnx

            quantize_onnx(request, tell)
    except EdgemindError as error:
        known = type(error).__name__
        say({"error": known if known in _ERRORS else "ModelError", "text": str(error)})
    else:
        say("done")


TASKS: Final[Mapping[str, Task]] = MappingProxyType({"quantize": _work})
"""The child that this module starts."""
