"""A GGUF file becomes a model and one context of llama.cpp's, as large as the memory allows.

Reached from `LlamaEngine`, in its worker thread; what is opened is then the engine's to free.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgemind.engines.base import CacheMode, ModelInfo
from edgemind.engines.llama.c_api import AbortByte, Log
from edgemind.engines.llama.sizing import (
    SPARE_SEQUENCES,
    Sizes,
    cache_cells,
    micro_batch_tokens,
    needed_bytes,
    widest_that_fits,
)
from edgemind.engines.llama.vocabulary import LlamaVocabulary, describe, read_metadata
from edgemind.errors import ModelError, ModelInvalid, ModelUnsupported

BATCH_TOKENS = 512
SMALL_MODEL_BYTES = 32 << 20
"""Under it a single token takes less than a millisecond on one core, and waiting for a second
thread after each matrix costs more than it brings (docs/log.md)."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """How to open a file; the fields mean what they do in `LlamaEngine`."""

    context: int
    width: int
    gpu_layers: int
    threads: int
    cache: CacheMode
    exact: bool

    @property
    def unified(self) -> bool:
        """Whether all sequences share the cache's cells."""
        return self.cache == "unified"


@dataclass(frozen=True, slots=True)
class Opened:
    """What a file was opened as: llama.cpp's pointers, and the sizes that were chosen.

    `context_length` bounds one branch, `width` the branches of a step, `sequences` all that the
    cache holds; a prompt is evaluated in micro-batches of so many tokens. With `shares` a token can
    be evaluated once for several sequences.
    """

    model: Any
    context: Any
    vocabulary: LlamaVocabulary
    info: ModelInfo
    context_length: int
    width: int
    sequences: int
    micro_batch: int
    shares: bool


def open_file(
    api: Any, path: Path, wanted: Wanted, available: int | None, abort: AbortByte, log: Log
) -> Opened:
    """Open the file at `path`. `available` are the bytes that are free, None where unknown.

    Raises `ModelInvalid`, `ModelUnsupported`, and `ModelError` where it does not fit; nothing is
    left open then.
    """
    file_bytes = path.stat().st_size
    widest_that_fits(path, {1: file_bytes}, available, 1)
    log.listen()
    api.llama_backend_init()
    parameters = api.llama_model_default_params()
    parameters.n_gpu_layers = wanted.gpu_layers
    model = api.llama_model_load_from_file(os.fsencode(path), parameters)
    if not model:
        raise ModelInvalid(f"cannot load {path}: {log.reason('no reason given')}")
    try:
        opened = _with_context(api, path, model, file_bytes, wanted, available, abort, log)
    except BaseException:
        api.llama_model_free(model)
        raise
    log.silence()
    return opened


def _with_context(
    api: Any,
    path: Path,
    model: Any,
    file_bytes: int,
    wanted: Wanted,
    available: int | None,
    abort: AbortByte,
    log: Log,
) -> Opened:
    if api.llama_model_has_encoder(model) or not api.llama_model_has_decoder(model):
        raise ModelUnsupported(f"{path} is not a decoder-only language model")
    vocabulary = LlamaVocabulary(api, model)
    info = describe(api, model, vocabulary, path)
    length = min(wanted.context, info.context_length or wanted.context)
    sizes = Sizes.read(read_metadata(api, model), vocabulary.size)
    micro_batch = 128 if wanted.gpu_layers else micro_batch_tokens(sizes, wanted.threads)
    unified = wanted.unified
    needed = {
        width: needed_bytes(sizes, file_bytes, length, width, micro_batch, unified=unified)
        for width in range(1, wanted.width + 1)
    }
    width = widest_that_fits(path, needed, available, wanted.width)
    sequences = width + SPARE_SEQUENCES
    settings = api.llama_context_default_params()
    # llama.cpp asserts that every sequence could have a row of logits in one batch.
    settings.n_ctx = max(cache_cells(length, width, unified), sequences)
    settings.n_batch = BATCH_TOKENS
    settings.n_ubatch = micro_batch
    settings.n_seq_max = sequences
    # llama.cpp decodes a single token with the first number, anything more with the second.
    settings.n_threads = 1 if info.bytes < SMALL_MODEL_BYTES else wanted.threads
    settings.n_threads_batch = wanted.threads
    settings.kv_unified = unified
    settings.no_perf = True
    if wanted.exact:
        settings.type_k = settings.type_v = api.GGML_TYPE_F32
        # Fused attention rounds to 16 bits within, whatever the cache's type.
        settings.flash_attn_type = api.LLAMA_FLASH_ATTN_TYPE_DISABLED
    settings.abort_callback = abort.callback
    settings.abort_callback_data = abort.data
    context = api.llama_init_from_model(model, settings)
    if not context:
        reason = log.reason("not enough memory")
        raise ModelError(f"cannot run {path} with a context of {length}: {reason}")
    # One token of several sequences: neither streams of their own nor recurrent states can.
    states = api.llama_model_is_recurrent(model) or api.llama_model_is_hybrid(model)
    shares = unified and not states
    return Opened(model, context, vocabulary, info, length, width, sequences, micro_batch, shares)
