"""Which columns of a model's matrices matter: the mean square of what they are multiplied with.

llama.cpp evaluates a text; before each product of a weight and activations a callback of ours
looks at the activations. The quantiser then keeps the columns that see large ones more exactly.
Only a child of `edgemind.quantize.making` does this: an engine runs no Python within a decode.
Source: tools/imatrix of llama.cpp.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from edgemind.engines.llama.c_api import Batch
from edgemind.engines.llama.vocabulary import LlamaVocabulary
from edgemind.errors import ConfigError, ModelError

MUL_MAT: Final = 29
MUL_MAT_ID: Final = 30
"""Numbers of ggml.h's `ggml_op` in the pinned version: a product, and one with a choice of experts.
"""
F32: Final = 0
CHUNK_TOKENS: Final = 256
LEAST_TOKENS: Final = 32
MOST_TOKENS: Final = 64 * CHUNK_TOKENS
"""More text changes little (llama.cpp's users take 100 to 200 chunks of 512 tokens at most)."""

Importance = dict[str, npt.NDArray[np.float32]]
Array = npt.NDArray[Any]


class Tensor(ctypes.Structure):
    """ggml.h's `ggml_tensor`, as of the pinned version."""


Tensor._fields_ = [
    ("type", ctypes.c_int),
    ("buffer", ctypes.c_void_p),
    ("ne", ctypes.c_int64 * 4),
    ("nb", ctypes.c_size_t * 4),
    ("op", ctypes.c_int),
    ("op_params", ctypes.c_int32 * 16),
    ("flags", ctypes.c_int32),
    ("src", ctypes.POINTER(Tensor) * 10),
    ("view_src", ctypes.c_void_p),
    ("view_offs", ctypes.c_size_t),
    ("data", ctypes.c_void_p),
    ("name", ctypes.c_char * 64),
]


class Collector:
    """Sums of squares for each matrix of a model's blocks, and how many rows went into them."""

    def __init__(self) -> None:
        self.sums: dict[str, npt.NDArray[np.float64]] = {}
        self.counts: dict[str, npt.NDArray[np.int64]] = {}
        self.error: BaseException | None = None

    def __call__(self, address: int, ask: bool, _data: object) -> bool:
        """llama.cpp's `cb_eval`: asked whether a node is of interest, then shown it."""
        if self.error is not None:
            return not ask  # a False to a question skips the node, to a node it ends the graph
        try:
            node = Tensor.from_address(address)
            if ask:
                return self._wants(node)
            self._look(node)
        except BaseException as error:  # an exception cannot pass through C
            self.error = error
        return True

    def _wants(self, node: Tensor) -> bool:
        if node.op not in (MUL_MAT, MUL_MAT_ID):
            return False
        weight, given = node.src[0].contents, node.src[1].contents
        return bool(weight.name.startswith(b"blk.") and given.type == F32)

    def _look(self, node: Tensor) -> None:
        weight, given = node.src[0].contents, node.src[1].contents
        name = weight.name.decode("utf-8", "replace")
        squares = np.square(_array(given, np.float32), dtype=np.float64)
        columns, mats = squares.shape[3], weight.ne[2] * weight.ne[3]
        sums = self.sums.setdefault(name, np.zeros((mats, columns)))
        counts = self.counts.setdefault(name, np.zeros(mats, np.int64))
        if sums.shape != (mats, columns):
            raise ModelError(f"{name} is used in two shapes: no importance matrix for this model")
        if node.op == MUL_MAT_ID:
            chosen = _array(node.src[2].contents, np.int32)[0, 0]  # (tokens, chosen experts)
            rows = np.broadcast_to(squares[0], (*chosen.shape, columns))
            np.add.at(sums, chosen, rows)
            np.add.at(counts, chosen, 1)
            return
        for outer in range(squares.shape[0]):
            for inner in range(squares.shape[1]):
                mat = (outer % weight.ne[3]) * weight.ne[2] + inner % weight.ne[2]
                sums[mat] += squares[outer, inner].sum(axis=0)
                counts[mat] += squares.shape[2]

    def means(self) -> Importance:
        """The mean square of each column, matrix after matrix; 1 for experts never chosen."""
        found: Importance = {}
        for name, sums in self.sums.items():
            counts = self.counts[name][:, None]
            means = np.where(counts > 0, sums / np.maximum(counts, 1), 1.0)
            found[name] = np.ascontiguousarray(means.reshape(-1), np.float32)
        return found


def _array(tensor: Tensor, kind: type[np.generic]) -> Array:
    """A view of a tensor's numbers, ggml's first dimension last."""
    shape, steps = tuple(tensor.ne)[::-1], tuple(tensor.nb)[::-1]
    size = sum((count - 1) * step for count, step in zip(shape, steps, strict=True)) + 4
    held = (ctypes.c_byte * size).from_address(tensor.data)
    return np.ndarray(shape, kind, buffer=held, strides=steps)


def collect(
    api: Any, path: Path, text: str, threads: int, tell: Callable[[int, int], None]
) -> Collector:
    """What the matrices of the model at `path` see in a text; `tell` hears tokens read of all.

    Raises `ConfigError` for a text that is too short, `ModelError` for a model that cannot be run.
    """
    model = api.llama_model_load_from_file(os.fsencode(path), api.llama_model_default_params())
    if not model:
        raise ModelError(f"cannot load {path}: no importance matrix can be made")
    vocabulary = LlamaVocabulary(api, model)
    tokens = vocabulary.encode(text, False)[:MOST_TOKENS]
    if len(tokens) < LEAST_TOKENS:
        raise ConfigError(
            f"the text for the importance matrix has {len(tokens)} tokens: give some thousands"
        )
    collector = Collector()
    callback = api.ggml_backend_sched_eval_callback(collector)
    settings = api.llama_context_default_params()
    settings.n_ctx = settings.n_batch = settings.n_ubatch = CHUNK_TOKENS
    settings.n_threads = settings.n_threads_batch = threads
    settings.cb_eval = callback
    context = api.llama_init_from_model(model, settings)
    if not context:
        raise ModelError(f"cannot run {path}: no importance matrix can be made")
    batch = Batch(api, CHUNK_TOKENS, 1)
    start = [] if vocabulary.bos is None else [vocabulary.bos]
    step = CHUNK_TOKENS - len(start)
    for at in range(0, len(tokens), step):
        _evaluate(api, context, batch, [*start, *tokens[at : at + step]])
        if collector.error is not None:
            raise collector.error
        tell(min(len(tokens), at + step), len(tokens))
    batch.free()
    api.llama_free(context)
    api.llama_model_free(model)
    if not collector.sums:
        raise ModelError(f"{path} has no matrices that an importance matrix is for")
    return collector


def _evaluate(api: Any, context: Any, batch: Batch, chunk: Sequence[int]) -> None:
    api.llama_memory_clear(api.llama_get_memory(context), True)
    batch.clear()
    batch.add(chunk, 0, [0], last_logits=True)
    for row in range(len(chunk)):
        batch.raw.logits[row] = 1  # else the last block would see the last token alone
    if api.llama_decode(context, batch.raw) != 0:
        raise ModelError("llama.cpp could not evaluate the text for the importance matrix")


def as_entries(api: Any, found: Importance) -> Any:
    """The array that llama.cpp's quantiser takes, ended by an entry without a name."""
    entries = (api.llama_model_imatrix_data * (len(found) + 1))()
    for entry, (name, values) in zip(entries, found.items(), strict=False):
        entry.name = name.encode()
        entry.data = values.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
        entry.size = values.size
    return entries
