"""Switches that keep libraries from reporting, set before the libraries are imported.

onnxruntime's wheels upload by default since 1.29, on Linux too, from C++ code that no hook of
Python sees (docs/log.md). The lock would refuse that; this keeps it from being tried.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from types import MappingProxyType
from typing import Final

SWITCHES: Final = MappingProxyType(
    {"ORT_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "DO_NOT_TRACK": "1"}
)
OFFLINE: Final = "HF_HUB_OFFLINE"


def switch_off(environment: MutableMapping[str, str], *, locked: bool) -> None:
    """Set them in `environment` (`os.environ`), whatever they were.

    HF_HUB_OFFLINE also keeps the rest of a process from fetching models. Where the network is not
    `locked`, one that a person's program has set itself stays.
    """
    environment.update(SWITCHES)
    if locked:
        environment[OFFLINE] = "1"
    else:
        environment.setdefault(OFFLINE, "1")
