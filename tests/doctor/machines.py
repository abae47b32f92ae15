"""A machine that is not there, for the doctor: a Raspberry Pi 5 in good order."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from edgemind.device.processor import CPUS
from edgemind.doctor.base import Site
from edgemind.doctor.libraries import Library
from edgemind.doctor.words import LLAMA
from tests.device.test_device import PI5, cpus
from tests.meters.devices import RaplDevice
from tests.test_conditions import put

LLAMA_FACTS: dict[str, Any] = {
    "package": LLAMA.partition("==")[2],
    "llama.cpp": "b1",
    "ggml": "0.9",
    "commit": "abc",
    "features": {"CPU": {"NEON": "1", "DOTPROD": "1", "FP16_VA": "1", "OPENMP": "1"}},
    "offload": False,
    "devices": [{"name": "CPU", "description": "a CPU", "kind": "cpu", "free": 1, "total": 2}],
}
ONNX_FACTS = {"version": "1.30", "providers": ["CPUExecutionProvider"]}


def libraries(llama: Library | None = None, onnx: Library | None = None) -> Callable[..., Library]:
    known = {"llama": llama or Library(LLAMA_FACTS), "onnx": onnx or Library(ONNX_FACTS)}
    return known.__getitem__


def raspberry_pi(root: Path) -> Site:
    """A Raspberry Pi 5, cool and idle, with RAPL's counters for want of others."""
    cpus(root, [2_400_000] * 4, list("0123"))
    put(
        root,
        {
            "proc/device-tree/model": "Raspberry Pi 5 Model B Rev 1.0\0",
            "proc/cpuinfo": f"processor : 0\nFeatures : {PI5}\n",
            "proc/meminfo": "MemTotal: 8000000 kB\nMemAvailable: 6000000 kB\n"
            "SwapTotal: 0 kB\nSwapFree: 0 kB\n",
            "proc/loadavg": "0.10 0.1 0.1 1/1 1",
            "etc/os-release": 'PRETTY_NAME="Raspberry Pi OS"\n',
            f"{CPUS}/cpu0/cpufreq/scaling_governor": "ondemand",
            "sys/class/thermal/thermal_zone0/temp": "45000",
            "sys/devices/platform/soc/soc:firmware/get_throttled": "0",
        },
    )
    place = RaplDevice(root).place()
    return Site(place, {"TERM": "xterm"}, libraries(), cores_allowed=frozenset(range(4)))
