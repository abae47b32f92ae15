"""The meter of last resort: CPU seconds × watts per core, and a share of what idling costs.

Always there, always an estimate: it ignores what the screen and other programs draw, and the same
core draws different power at different clocks. `edgemind calibrate --energy` fits it to a device
that has a counter, at least for a while (an unplugged laptop).
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edgemind.meters.cpu_time import CpuTime


@dataclass(frozen=True, slots=True)
class Power:
    """What a class of devices draws: watts of one busy core, and of the device that idles.

    `error` is the band around the estimate, as a share of it; `fitted_to` the meter that it was
    fitted to, empty for a guess from the class.
    """

    name: str
    core_watts: float
    idle_watts: float
    error: float
    fitted_to: str = ""

    def describe(self) -> str:
        """In words, for a person."""
        origin = f"fitted to {self.fitted_to}" if self.fitted_to else f"typical of {self.name}"
        return (
            f"{self.core_watts:.2g} W per busy core + {self.idle_watts:.2g} W, "
            f"±{self.error:.0%}, {origin}"
        )


# The Pi 5's figures add up to 6.4 W at the board with four busy cores, as measured by others
# (docs/budgets.md); the rest are round numbers for a class whose members differ by a factor of two.
BOARDS = (
    ("Raspberry Pi 5", Power("a Raspberry Pi 5", 0.95, 2.6, 0.3)),
    ("Raspberry Pi", Power("a Raspberry Pi", 0.9, 2.3, 0.4)),
)
MACHINES = {
    "aarch64": Power("a 64-bit ARM board", 1.2, 2.0, 0.6),
    "arm64": Power("Apple silicon", 4.0, 1.0, 0.5),
}
OTHER = Power("an x86-64 laptop", 6.0, 2.0, 0.6)


def typical_power(root: Path = Path("/"), machine: str | None = None) -> Power:
    """The class of this device: by its board's name where it has one, else by its processor."""
    try:
        board = (root / "proc/device-tree/model").read_text(encoding="ascii", errors="replace")
    except OSError:
        board = ""
    for name, power in BOARDS:
        if board.startswith(name):
            return power
    return MACHINES.get(machine or platform.machine(), OTHER)


class Estimate:
    """Energy of this process and its children, from their CPU time; and the device's idling.

    The source says `estimated` wherever it is shown.
    """

    source = "estimated"

    def __init__(
        self,
        power: Power | None = None,
        cpu_seconds: Callable[[], float] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.power = power or typical_power()
        self._cpu_seconds = cpu_seconds or CpuTime(clock=clock)
        self._clock = clock
        self._started = clock()

    def joules(self) -> float:
        """Joules since this was made, and those of the process's CPU time before."""
        power = self.power
        idle = (self._clock() - self._started) * power.idle_watts
        return self._cpu_seconds() * power.core_watts + idle
