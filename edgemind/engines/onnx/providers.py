"""Where onnxruntime runs: the processor, unless something else is asked for and there."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from edgemind.engines.onnx import folder
from edgemind.errors import ConfigError

PROVIDERS = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "directml": "DmlExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
    "qnn": "QNNExecutionProvider",
    "xnnpack": "XnnpackExecutionProvider",
}
HALF_FIRST = frozenset({"cuda", "coreml", "directml"})
"""Providers that like 16-bit floats."""


def provider_key(name: str) -> str:
    """The key of a provider that a person named; `ConfigError` with the nearest known name."""
    key = name.lower()
    if key not in PROVIDERS:
        near = difflib.get_close_matches(key, PROVIDERS, 1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(PROVIDERS)}"
        raise ConfigError(f"no provider is named {name!r}: {hint}")
    return key


def preferred_variants(name: str) -> Sequence[str]:
    """Which of a folder's variants suit a provider that a person named, the best first."""
    return folder.HALF_FIRST if provider_key(name) in HALF_FIRST else folder.SMALL_FIRST


def chosen(key: str, available: Sequence[str]) -> tuple[list[str], str | None]:
    """onnxruntime's names of the providers to use, and what to tell if it is not the asked one."""
    cpu = PROVIDERS["cpu"]
    if key == "cpu" or PROVIDERS[key] in available:
        return list(dict.fromkeys((PROVIDERS[key], cpu))), None
    return [cpu], f"this onnxruntime has no {key} provider: running on the processor instead"


def started(key: str, using: Sequence[str]) -> str | None:
    """What to tell where a provider that is installed did not start (a missing driver)."""
    if PROVIDERS[key] in using:
        return None
    return f"the {key} provider did not start: running on the processor instead"
