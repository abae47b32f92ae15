"""What there is to know of a model before it is opened: read from its files, without a library.

For lists, `edgemind models show` and whoever wants to know whether a model fits. The memory is
computed by the same sums as the engines' own.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgemind.catalog.entry import Facts
from edgemind.catalog.gguf_model import GgufModel
from edgemind.catalog.gguf_types import FILE_TYPES
from edgemind.catalog.inspection import inspect
from edgemind.catalog.places.base import quantisation
from edgemind.engines.opening import is_onnx, model_files
from edgemind.formats.onnx_files import SIDE_FILES, OnnxModel, inspect_onnx
from edgemind.types import Sampling

CONTEXT, WIDTH = 4096, 16
"""What `edgemind.load` opens where nobody asks for more: tokens, and samples at once."""
PHYSICAL_CORES = 4
"""Assumed for sizes of buffers where it does not matter how many there are."""


@dataclass(frozen=True, slots=True)
class Card:
    """A model's account of itself. Texts are the file's own: not fit for a terminal.

    `files` are all that belong to it, the main one first, `home` the folder that their names in a
    copy are counted from. `template` is the SHA-256 of the chat template. `memory` gives bytes for
    a context in tokens and a number of branches.
    """

    path: Path
    format: str
    name: str
    architecture: str
    parameters: int
    quantisation: str
    types: tuple[tuple[str, int], ...]
    bytes: int
    context: int
    vocabulary: int
    template: str | None
    sampling: Sampling
    licence: str
    notes: tuple[str, ...]
    files: tuple[Path, ...]
    home: Path
    memory: Callable[[int, int], int]

    @property
    def usual_context(self) -> int:
        """Tokens of context that it is opened with where nobody asks for more."""
        return min(CONTEXT, self.context or CONTEXT)

    @property
    def identity(self) -> tuple[str, int]:
        """Name and bytes by which an engine knows it: what is learned of it is kept under them."""
        if self.format == "ONNX":
            from edgemind.engines.onnx.describe import onnx_name

            return onnx_name(self.name, self.home), self.bytes
        return self.name or self.path.stem, sum(size for _, size in self.types)

    def facts(self, sha256: str | None = None) -> Facts:
        """What is kept of it in the catalogue."""
        modified = self.path.stat().st_mtime_ns
        kept = (self.architecture, self.parameters, self.quantisation, self.context)
        return Facts(self.bytes, modified, *kept, sha256)


def read_card(path: Path) -> Card:
    """The card of the model at `path`: a GGUF file, a folder with an ONNX model, or its graph.

    Raises `ModelNotFound`, `ModelInvalid` and `ModelUnsupported` as opening it would.
    """
    if is_onnx(path):
        return _onnx(path)
    model = inspect(path)
    assert isinstance(model, GgufModel)
    return _gguf(path, model)


def _gguf(path: Path, model: GgufModel) -> Card:
    from edgemind.engines.llama.sizing import Sizes, micro_batch_tokens, needed_bytes
    from edgemind.engines.llama.vocabulary import sampling_defaults

    sizes = Sizes.read(model.metadata, model.vocabulary)

    def memory(context: int, width: int) -> int:
        batch = micro_batch_tokens(sizes, PHYSICAL_CORES)
        return needed_bytes(sizes, model.bytes, context, width, batch, unified=True)

    number = model.metadata.get("general.file_type", "")
    kind = FILE_TYPES.get(int(number)) if number.isdecimal() else None
    largest = model.types[0][0] if model.types else ""
    return Card(
        path=path,
        format=f"GGUF {model.version}",
        name=model.name,
        architecture=model.architecture,
        parameters=model.parameters,
        quantisation=kind or quantisation(path.stem) or largest,
        types=model.types,
        bytes=model.bytes,
        context=model.context,
        vocabulary=model.vocabulary,
        template=model.template,
        sampling=sampling_defaults(model.metadata),
        licence=model.licence,
        notes=model.notes,
        files=model.parts,
        home=path.parent,
        memory=memory,
    )


def _onnx(path: Path) -> Card:
    from edgemind.engines.onnx.describe import CONTEXTS, sampling_defaults
    from edgemind.engines.onnx.folder import find_files

    graphs = [inspect_onnx(graph) for graph in model_files(path, None, "cpu")]
    main = graphs[0]
    files = find_files(main.path)
    config = files.config
    parts = dict.fromkeys(part for graph in graphs for part in graph.parts)
    beside = [files.home / name for name in SIDE_FILES if (files.home / name).is_file()]
    size = sum(part.stat().st_size for part in parts)
    context = next((value for key in CONTEXTS if (value := _whole(config, key))), 0)
    token = _cache_bytes(config, main)

    def memory(context: int, width: int) -> int:
        # A step holds the past and the present that it makes of it.
        return size + 2 * token * context * width

    return Card(
        path=path,
        format="ONNX",
        name=str(config.get("_name_or_path") or ""),
        architecture=str(config.get("model_type") or "unknown"),
        parameters=main.parameters,
        quantisation=_variant(main),
        types=main.types,
        bytes=size,
        context=context,
        vocabulary=_whole(config, "vocab_size"),
        template=_template(files.home),
        sampling=sampling_defaults(files),
        licence="",
        notes=(),
        files=(*parts, *beside),
        home=files.home,
        memory=memory,
    )


def _template(home: Path) -> str | None:
    """The SHA-256 of the chat template beside a graph."""
    from edgemind.engines.onnx.folder import read_json

    try:
        text: Any = (home / "chat_template.jinja").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        text = read_json(home / "tokenizer_config.json").get("chat_template")
    return hashlib.sha256(text.encode()).hexdigest() if isinstance(text, str) and text else None


def _variant(model: OnnxModel) -> str:
    """What the graph's name says (`q4`, `int8`), else the type of most of its weights."""
    _, _, variant = model.path.stem.partition("model_")
    return variant.removeprefix("merged_") or (model.types[0][0] if model.types else "")


def _cache_bytes(config: Any, model: OnnxModel) -> int:
    """Memory of one token's keys and values."""
    layers = _whole(config, "num_hidden_layers") or _whole(config, "n_layer")
    heads = _whole(config, "num_attention_heads") or _whole(config, "n_head")
    width = _whole(config, "hidden_size") or _whole(config, "n_embd")
    kv_heads = _whole(config, "num_key_value_heads") or heads
    head = _whole(config, "head_dim") or (width // heads if heads else 0)
    past = [port.element for port in model.inputs if port.name.startswith("past_key_values")]
    size = 2 if past and past[0] in ("float16", "bfloat16") else 4
    return layers * kv_heads * head * 2 * size


def _whole(config: Any, key: str) -> int:
    value = config.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def files_inside(card: Card) -> list[tuple[Path, str]]:
    """The model's files and their names in a copy of it; nothing outside its folder is taken."""
    home = card.home.absolute()
    return [(one, os.path.relpath(one.absolute(), home)) for one in card.files]
