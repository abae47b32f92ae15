"""The machine beside a measurement: how fast its memory is, and what else it was doing."""

from __future__ import annotations

import resource
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from edgemind.conditions import Machine
from edgemind.device.processor import CPUS, count_cores
from edgemind.device.state import clocks, hottest
from edgemind.meters.cpu_time import CpuTime

COPY_BYTES = 64 << 20
"""Twice the largest cache of most processors."""
COPY_SECONDS = 0.2
BUSY_SHARE = 0.1
"""Of all cores: what other programs may take before figures are called spoilt."""


def copy_bytes_per_second(
    threads: int, seconds: float = COPY_SECONDS, size: int = COPY_BYTES
) -> float:
    """How fast memory is read and written by numpy's copies, in so many threads: the best pass.

    Bytes read plus bytes written, as STREAM's "copy" counts them.
    """
    import numpy as np

    share = max(1 << 16, size // threads)
    arrays = [(np.ones(share, np.uint8), np.ones(share, np.uint8)) for _ in range(threads)]
    barrier = threading.Barrier(threads + 1)
    stop = False

    def work(source: np.ndarray, target: np.ndarray) -> None:
        while True:
            barrier.wait()
            if stop:
                return
            np.copyto(target, source)
            barrier.wait()

    workers = [threading.Thread(target=work, args=pair, daemon=True) for pair in arrays]
    for worker in workers:
        worker.start()
    best, until = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < until or best == float("inf"):
        started = time.perf_counter()
        barrier.wait()
        barrier.wait()
        best = min(best, time.perf_counter() - started)
    stop = True
    barrier.wait()
    for worker in workers:
        worker.join()
    return 2 * share * threads / best


def peak_bytes() -> int:
    """The most resident memory that this process had so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak << 10


@dataclass(frozen=True, slots=True)
class Beside:
    """What was so during a measurement: cores that other programs took (None: unknown), of how
    many; whether the processor was slowed down; what else a reader should know."""

    others: float | None
    cores: int
    throttled: bool
    power: str
    celsius: float | None
    governor: str

    def notes(self) -> list[str]:
        """A line for each thing that spoils figures."""
        found = []
        if self.others is not None and self.others > BUSY_SHARE * self.cores:
            found.append(
                f"other programs took {self.others:.1f} of {self.cores} cores meanwhile: figures "
                "are worse than on a quiet machine"
            )
        if self.throttled:
            found.append("the processor was slowed down for its heat: let it cool, and repeat")
        if self.power == "battery":
            found.append("on battery: most devices are slower than on the mains")
        if self.governor == "powersave":
            found.append("the clocks' governor is powersave: edgemind doctor says what that means")
        return found


class Watch:
    """Looks at the machine now, and says at `done` what was so in between."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root
        self._machine = Machine(root / "sys", root / "proc")
        self._machine.throttled()
        self._own = CpuTime()
        self._before = (_busy_seconds(), self._own(), time.monotonic())

    def done(self) -> Beside:
        """What was so since this was made."""
        busy, own, now = _busy_seconds(), self._own(), time.monotonic()
        seconds = now - self._before[2]
        others = None
        if busy is not None and self._before[0] is not None and seconds > 0:
            others = max(0.0, busy - self._before[0] - (own - self._before[1])) / seconds
        heat = hottest(self._root)
        return Beside(
            others,
            count_cores(self._root / CPUS).allowed,
            self._machine.throttled(),
            self._machine.power_source(),
            heat[1] if heat else None,
            clocks(self._root).governor if clocks(self._root).slow else "",
        )


def _busy_seconds() -> float | None:
    """Seconds that all cores together were not idle; what a hypervisor took counts as busy."""
    import psutil

    try:
        times = psutil.cpu_times()
    except (OSError, RuntimeError, ValueError, KeyError):
        return None
    idle = times.idle + getattr(times, "iowait", 0.0)
    # Guests' time is a part of the user's.
    twice = getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0)
    return float(sum(times) - idle - twice)
