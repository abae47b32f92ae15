"""Quantising a GGUF file by llama.cpp's own quantiser. Runs in a child of `making`."""

from __future__ import annotations

import ctypes
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edgemind.engines.llama.c_api import LLAMA_LOG_ERROR, load_api
from edgemind.errors import ConfigError, ModelError, ModelInvalid
from edgemind.quantize.importance import as_entries, collect

Tell = Callable[[str, int, int], None]
"""Hears what is being done, how far it is, and of how many."""
_TENSOR = re.compile(r"\[\s*(\d+)/\s*(\d+)\]")
_FAILED = re.compile(r".*failed to quantize:\s*")


class _Listener:
    """llama.cpp's log: each tensor's line is progress, error lines are kept."""

    def __init__(self, tell: Tell) -> None:
        self.errors: list[str] = []
        self._tell = tell

    def __call__(self, level: int, text: bytes, _data: object) -> None:
        said = text.decode("utf-8", "replace").strip()
        if level == LLAMA_LOG_ERROR and said.strip("= "):
            self.errors.append(said)
        elif (match := _TENSOR.match(said)) is not None:
            self._tell("quantising", int(match[1]), int(match[2]))

    def reason(self) -> str:
        """Why it failed, by its last words."""
        return _FAILED.sub("", self.errors[-1]) if self.errors else "no reason given"


def quantize_gguf(request: dict[str, Any], tell: Tell) -> None:
    """Write request["out"] from request["source"]; see `making` for the rest of a request.

    Raises `ModelInvalid`, `ModelError` and `ConfigError` with llama.cpp's own reason.
    """
    api = load_api()
    source, threads = Path(request["source"]), request["threads"]
    listener = _Listener(tell)
    log = api.llama_log_callback(listener)
    api.llama_log_set(log, ctypes.c_void_p(0))
    api.llama_backend_init()
    settings = api.llama_model_quantize_default_params()
    settings.nthread = threads
    settings.ftype = request["type"]
    settings.allow_requantize = True
    if request["output_type"] is not None:
        settings.output_tensor_type = request["output_type"]
    if request["embedding_type"] is not None:
        settings.token_embedding_type = request["embedding_type"]
    entries = None
    if request["text"] is not None:
        seen = collect(
            api, source, request["text"], threads, lambda at, of: tell("reading the text", at, of)
        )
        importance = seen.means()
        entries = as_entries(api, importance)
        settings.imatrix = entries
    failed = api.llama_model_quantize(
        os.fsencode(source), os.fsencode(request["out"]), ctypes.byref(settings)
    )
    if not failed:
        return
    reason = listener.reason()
    if "imatrix" in reason or "importance matrix" in reason:
        raise ConfigError(
            f"so few bits need an importance matrix ({reason}): give --imatrix-text FILE"
        )
    kind = ModelInvalid if "load" in reason else ModelError
    raise kind(f"llama.cpp cannot quantise {source}: {reason}")
