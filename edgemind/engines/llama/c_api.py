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

from edgemind.engines.llama.backends import load_backends
from edgemind.errors import ModelError, ModelInvalid, ModelNotFound

LLAMA_LOG_ERROR = 4
DECODE_OK, DECODE_NO_SLOT, DECODE_ABORTED = 0, 1, 2


def load_api() -> Any:
    """The C bindings, with OpenMP told not to spin for long and the log silenced.

    libgomp's threads spin on a barrier by default; beside a busy process one of them can lose its
    core while the other burns the rest of its time slice. Asleep after a few microseconds costs
    less at worst; how much depends on the scheduler (`scripts/bench_contention.py`, docs/log.md).
    It has to stand in the environment before libgomp is loaded; a value that the person set is
    left alone. Code for the processor that is a file of its own is loaded here, too (`backends`).
    """
    os.environ.setdefault("GOMP_SPINCOUNT", "2000")
    api = _bindings()
    load_backends(api)
    return api


def _bindings() -> Any:
    if "llama_cpp" in sys.modules:
        return importlib.import_module("llama_cpp.llama_cpp")
    spec = importlib.util.find_spec("llama_cpp")
    if spec is None:
        raise ModelError("llama-cpp-python is missing: run `pip install llama-cpp-python`")
    # A package object that was never executed gives the bindings a home to import from; it is
    # taken away again, so that a later `import llama_cpp` elsewhere gets the real package.
    sys.modules["llama_cpp"] = importlib.util.module_from_spec(spec)
    try:
        return importlib.import_module("llama_cpp.llama_cpp")
    finally:
        del sys.modules["llama_cpp"]


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

    def reason(self, otherwise: str) -> str:
        """The first error line, or these words where there was none."""
        return self.errors[0] if self.errors else otherwise

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
    """A `llama_batch` of fixed capacity, filled and emptied for each decode.

    A token may belong to so many `sequences`.
    """

    def __init__(self, api: Any, capacity: int, sequences: int) -> None:
        self._api = api
        self.capacity = capacity
        self.raw = api.llama_batch_init(capacity, 0, sequences)

    def clear(self) -> None:
        """Start anew."""
        self.raw.n_tokens = 0

    def add(
        self, tokens: Sequence[int], position: int, sequences: Sequence[int], last_logits: bool
    ) -> int:
        """Append `tokens`, each of all these sequences; the batch index of the last one."""
        raw, start = self.raw, int(self.raw.n_tokens)
        if start + len(tokens) > self.capacity:
            raise RuntimeError(f"batch of {start + len(tokens)} tokens exceeds {self.capacity}")
        index = start
        for offset, token in enumerate(tokens):
            index = start + offset
            raw.token[index] = token
            raw.pos[index] = position + offset
            raw.n_seq_id[index] = len(sequences)
            ids = raw.seq_id[index]
            for place, sequence in enumerate(sequences):
                ids[place] = sequence
            raw.logits[index] = 0
        raw.logits[index] = int(last_logits)
        raw.n_tokens = start + len(tokens)
        return index

    def free(self) -> None:
        """Give the memory back."""
        self._api.llama_batch_free(self.raw)
