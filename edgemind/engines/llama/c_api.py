"""llama.cpp's C API as the llama engine uses it: loading, the abort byte, batches, samplers.

Only `llama_cpp.llama_cpp` (the C bindings) is imported, not the package around it: its chat
formatting takes longer to import than all the rest.
"""

from __future__ import annotations

import ctypes
import importlib
import importlib.util
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edgemind.errors import ModelError, ModelInvalid, ModelNotFound
from edgemind.types import Sampling

LLAMA_LOG_ERROR = 4
RANDOM_SEED = 0xFFFFFFFF  # llama.cpp takes this one seed for "draw any"
DECODE_OK, DECODE_NO_SLOT, DECODE_ABORTED = 0, 1, 2


def load_api() -> Any:
    """The C bindings, with OpenMP told not to spin for long and the log silenced.

    libgomp's threads spin on a barrier by default; beside a busy process one of them can lose its
    core while the other burns the rest of its time slice. Asleep after a few microseconds costs
    less at worst; how much depends on the scheduler (`scripts/bench_contention.py`, docs/log.md).
    It has to stand in the environment before libgomp is loaded; a value that the person set is
    left alone.
    """
    os.environ.setdefault("GOMP_SPINCOUNT", "2000")
    if "llama_cpp" in sys.modules:
        return importlib.import_module("llama_cpp.llama_cpp")
    spec = importlib.util.find_spec("llama_cpp")
    if spec is None:
        raise ModelError("llama-cpp-python is missing: run `pip install llama-cpp-python`")
    # A package object that was never executed gives the bindings a home to import from; it is
    # taken away again, so that a later `import llama_cpp` elsewhere gets the real package.
    sys.modules["llama_cpp"] = importlib.util.module_from_spec(spec)
    try:
        api = importlib.import_module("llama_cpp.llama_cpp")
    finally:
        del sys.modules["llama_cpp"]
    return api


class Log:
    """llama.cpp's log: error lines are kept while a file is loaded, all the rest is dropped."""

    def __init__(self, api: Any) -> None:
        self.errors: list[str] = []
        self._api = api
        self._callback = api.llama_log_callback(self._keep)
        libc = ctypes.CDLL(None)
        # Inside a decode no Python may run (it would wait for the interpreter lock): libc's
        # `abs`, called with the level as its argument, is a logger that does nothing.
        self._silence = ctypes.cast(libc.abs, api.llama_log_callback)

    def _keep(self, level: int, text: bytes, _data: object) -> None:
        if level == LLAMA_LOG_ERROR and text.strip():
            self.errors.append(text.decode("utf-8", "replace").strip())

    def listen(self) -> None:
        """Keep error lines from now on."""
        self.errors.clear()
        self._api.llama_log_set(self._callback, ctypes.c_void_p(0))

    def silence(self) -> None:
        """Drop everything from now on."""
        self._api.llama_log_set(self._silence, ctypes.c_void_p(0))


class AbortByte:
    """The byte that llama.cpp polls in a decode: not zero means stop.

    The callback is libc's `strlen` over a two-byte buffer: 0 while the first byte is 0, 1 when
    it is set. A Python callback would take the interpreter lock hundreds of times a step.
    """

    def __init__(self, api: Any) -> None:
        self._buffer = ctypes.create_string_buffer(2)
        self.callback = ctypes.cast(ctypes.CDLL(None).strlen, api.ggml_abort_callback)
        self.data = ctypes.cast(self._buffer, ctypes.c_void_p)

    @property
    def is_set(self) -> bool:
        """Whether the next or running decode is refused."""
        return self._buffer[0] != b"\0"

    def set(self) -> None:
        """Cut the running decode. Any thread."""
        self._buffer[0] = b"\1"

    def clear(self) -> None:
        """Let decodes run again."""
        self._buffer[0] = b"\0"


def check_file(path: Path) -> None:
    """Raise where `path` is not a readable file that starts like GGUF."""
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except (FileNotFoundError, NotADirectoryError):
        raise ModelNotFound(f"no model file at {path}") from None
    except IsADirectoryError:
        raise ModelInvalid(f"{path} is a folder; name the .gguf file in it") from None
    except OSError as error:
        raise ModelError(f"cannot read {path}: {error.strerror}") from None
    if magic != b"GGUF":
        raise ModelInvalid(f"{path} is not a GGUF file (it starts with {magic!r})")


class Batch:
    """A `llama_batch` of fixed capacity, filled and emptied for each decode."""

    def __init__(self, api: Any, capacity: int) -> None:
        self._api = api
        self.capacity = capacity
        self.raw = api.llama_batch_init(capacity, 0, 1)

    def clear(self) -> None:
        """Start anew."""
        self.raw.n_tokens = 0

    def add(self, tokens: Sequence[int], position: int, sequence: int, last_logits: bool) -> int:
        """Append `tokens` of one sequence; the batch index of the last one."""
        raw, start = self.raw, int(self.raw.n_tokens)
        if start + len(tokens) > self.capacity:
            raise RuntimeError(f"batch of {start + len(tokens)} tokens exceeds {self.capacity}")
        index = start
        for offset, token in enumerate(tokens):
            index = start + offset
            raw.token[index] = token
            raw.pos[index] = position + offset
            raw.n_seq_id[index] = 1
            raw.seq_id[index][0] = sequence
            raw.logits[index] = 0
        raw.logits[index] = int(last_logits)
        raw.n_tokens = start + len(tokens)
        return index

    def free(self) -> None:
        """Give the memory back."""
        self._api.llama_batch_free(self.raw)


def new_sampler(api: Any, vocabulary_size: int, sampling: Sampling, history: Sequence[int]) -> Any:
    """A sampler chain in C: penalties, top-k, top-p, min-p, temperature, seeded draw.

    `sampling` is complete (defaults merged in). The last tokens of `history` are accepted into
    the penalties, as llama.cpp's own tools do with the prompt. Order as in llama.cpp.
    """
    chain = api.llama_sampler_chain_init(api.llama_sampler_chain_default_params())
    penalty, window = sampling.repeat_penalty or 1.0, sampling.repeat_last_n or 0
    penalised = penalty != 1.0 and window != 0
    if penalised:
        window = len(history) + 1 if window < 0 else window
        api.llama_sampler_chain_add(
            chain, api.llama_sampler_init_penalties(vocabulary_size, window, penalty, 0.0, 0.0)
        )
    temperature = sampling.temperature or 0.0
    if temperature <= 0:
        api.llama_sampler_chain_add(chain, api.llama_sampler_init_greedy())
    else:
        for stage in (
            api.llama_sampler_init_top_k(sampling.top_k or 0),
            api.llama_sampler_init_top_p(1.0 if sampling.top_p is None else sampling.top_p, 1),
            api.llama_sampler_init_min_p(sampling.min_p or 0.0, 1),
            api.llama_sampler_init_temp(temperature),
            api.llama_sampler_init_dist((sampling.seed or 0) % RANDOM_SEED),
        ):
            api.llama_sampler_chain_add(chain, stage)
    if penalised:
        for token in history[-window:]:
            api.llama_sampler_accept(chain, token)
    return chain
