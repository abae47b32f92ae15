"""What llama.cpp and onnxruntime say of themselves, asked in a child of the program.

A library that was built for another processor ends whoever loads it, by a signal: here a child,
which opens no file of anybody. The network stays locked, as it is for whoever asks; nothing else
is, since a driver may need it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from edgemind.errors import EdgemindError, plain
from edgemind.verify.children import Limits, Say, Task, call

SECONDS: Final = 20.0
"""A GPU's driver can take some to start; the libraries alone take a tenth of one."""
MEMORY: Final = 1 << 46
"""Of address space, of which drivers reserve much and use little."""
OPEN_FILES: Final = 1024
DEVICE_KINDS: Final = ("cpu", "gpu", "integrated gpu", "accelerator")


@dataclass(frozen=True, slots=True)
class Library:
    """What one said: `facts` as JSON values, or why there are none in `error`.

    `signal` is that which ended the child, 0 for none.
    """

    facts: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""
    signal: int = 0


def ask_library(name: str) -> Library:
    """Ask `llama` or `onnx`. Never raises."""
    limits = Limits(SECONDS, MEMORY, OPEN_FILES)
    try:
        reply = call(
            "libraries", name, SECONDS, limits=limits, errors=True, variables=dict(os.environ)
        )
    except EdgemindError as error:
        return Library(error=str(error))
    for said in reply.said:
        if isinstance(said, dict) and "error" in said:
            return Library(error=plain(str(said["error"])))
        if isinstance(said, dict):
            return Library(said)
    if reply.code is None:
        return Library(error=f"it was not loaded within {SECONDS:.0f} s")
    if reply.code < 0:
        return Library(error=f"loading it ends with signal {-reply.code}", signal=-reply.code)
    last = reply.errors.strip().rpartition("\n")[2]
    return Library(error=plain(last)[:200] or f"loading it ends with code {reply.code}")


# What follows happens in the child.


def _work(request: Any, say: Say, _until: float) -> None:
    try:
        say(_llama() if request == "llama" else _onnx())
    except (EdgemindError, OSError, ImportError, AttributeError) as error:
        say({"error": " ".join(str(error).split()) or type(error).__name__})


def _llama() -> dict[str, Any]:
    import ctypes
    from importlib import metadata

    from edgemind.engines.llama.c_api import Log, load_api

    api = load_api()
    log = Log(api)
    log.silence()
    api.llama_backend_init()
    ggml = api._lib  # its symbols are looked for in what it is linked with, too

    def text(name: str, *arguments: Any) -> str:
        function = getattr(ggml, name, None)
        if function is None:
            return ""
        function.restype = ctypes.c_char_p
        return (function(*arguments) or b"").decode("utf-8", "replace")

    return {
        "package": metadata.version("llama-cpp-python"),
        "llama.cpp": api.llama_version().decode() if hasattr(api, "llama_version") else "",
        "ggml": text("ggml_version"),
        "commit": text("ggml_commit"),
        "features": _features(api.llama_print_system_info().decode("utf-8", "replace")),
        "offload": bool(api.llama_supports_gpu_offload()),
        "devices": _devices(ggml, text),
    }


def _features(info: str) -> dict[str, dict[str, str]]:
    """`CPU : AVX = 1 | OPENMP = 1 | CUDA : …`, by backend."""
    found: dict[str, dict[str, str]] = {}
    backend = ""
    for piece in info.split("|"):
        head, colon, rest = piece.rpartition(" : ")
        if colon:
            backend = head.strip()
        name, equals, value = rest.partition("=")
        if equals:
            found.setdefault(backend, {})[name.strip()] = value.strip()
    return found


def _devices(ggml: Any, text: Any) -> list[dict[str, Any]]:
    """ggml's devices with their memory in bytes."""
    import ctypes

    ggml.ggml_backend_dev_count.restype = ctypes.c_size_t
    ggml.ggml_backend_dev_get.restype = ctypes.c_void_p
    found = []
    for number in range(ggml.ggml_backend_dev_count()):
        device = ctypes.c_void_p(ggml.ggml_backend_dev_get(ctypes.c_size_t(number)))
        kind = int(ggml.ggml_backend_dev_type(device))
        free, total = ctypes.c_size_t(0), ctypes.c_size_t(0)
        ggml.ggml_backend_dev_memory(device, ctypes.byref(free), ctypes.byref(total))
        found.append(
            {
                "name": text("ggml_backend_dev_name", device),
                "description": text("ggml_backend_dev_description", device),
                "kind": DEVICE_KINDS[kind] if kind < len(DEVICE_KINDS) else f"kind {kind}",
                "free": free.value,
                "total": total.value,
            }
        )
    return found


def _onnx() -> dict[str, Any]:
    from edgemind.engines.onnx.runner import load_onnxruntime

    library = load_onnxruntime()
    return {
        "version": str(library.__version__),
        "providers": [str(name) for name in library.get_available_providers()],
    }


TASKS: Final[Mapping[str, Task]] = MappingProxyType({"libraries": _work})
