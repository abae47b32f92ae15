"""What the machine is doing now: clocks, heat, other programs' load, swap."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from edgemind.device.processor import CPUS
from edgemind.files import glance

THROTTLED = "sys/devices/platform/soc/soc:firmware/get_throttled"
HOTTEST_CELSIUS = 150.0
"""Beyond it a sensor is broken or counts something else."""


@dataclass(frozen=True, slots=True)
class Clocks:
    """How the clocks are governed; megahertz of the first core. Empty and None: not told."""

    governor: str = ""
    driver: str = ""
    preference: str = ""
    now_mhz: float | None = None
    most_mhz: float | None = None

    @property
    def slow(self) -> bool:
        """Whether the governor keeps clocks low under load. The drivers of newer processors call
        their usual, adaptive way `powersave` too."""
        adaptive = self.driver in ("intel_pstate", "amd-pstate-epp", "amd-pstate")
        return self.governor == "powersave" and not adaptive


def clocks(root: Path = Path("/")) -> Clocks:
    """The first core's."""
    home = root / CPUS / "cpu0/cpufreq"
    return Clocks(
        glance(home / "scaling_governor"),
        glance(home / "scaling_driver"),
        glance(home / "energy_performance_preference"),
        _mega(glance(home / "scaling_cur_freq")),
        _mega(glance(home / "cpuinfo_max_freq")),
    )


def _mega(kilo: str) -> float | None:
    return int(kilo) / 1000 if kilo.isdecimal() else None


def hottest(root: Path = Path("/")) -> tuple[str, float] | None:
    """The hottest sensor of the system's thermal zones and its degrees Celsius."""
    found = []
    for number in range(64):
        home = root / f"sys/class/thermal/thermal_zone{number}"
        text = glance(home / "temp")
        if re.fullmatch(r"-?\d+", text) and 0 < int(text) / 1000 < HOTTEST_CELSIUS:
            found.append((int(text) / 1000, glance(home / "type") or f"zone {number}"))
    return (max(found)[1], max(found)[0]) if found else None


def pi_throttled(root: Path = Path("/")) -> int | None:
    """A Raspberry Pi's bits of `vcgencmd get_throttled`; None on anything else."""
    text = glance(root / THROTTLED)
    return int(text, 16) if re.fullmatch(r"(0x)?[0-9a-fA-F]+", text) else None


def load(root: Path = Path("/")) -> float | None:
    """Tasks that ran or waited for a core, the mean of the last minute."""
    first = glance(root / "proc/loadavg").split()[:1]
    if first and re.fullmatch(r"\d+(\.\d+)?", first[0]):
        return float(first[0])
    if root == Path("/") and hasattr(os, "getloadavg"):
        try:
            return os.getloadavg()[0]
        except OSError:
            return None
    return None


def swap(root: Path = Path("/")) -> tuple[int, int] | None:
    """Bytes of swap space in all and in use; None where the system does not tell."""
    values = {}
    for line in glance(root / "proc/meminfo").splitlines():
        match = re.match(r"(SwapTotal|SwapFree):\s+(\d+)", line)
        if match:
            values[match[1]] = int(match[2]) << 10
    if len(values) < 2:
        return None
    return values["SwapTotal"], values["SwapTotal"] - values["SwapFree"]
