"""CPU seconds of this process and of all its children, the living ones too.

The own ones come from one system call, those of children that ended from another. Living children
have to be looked for: on Linux through `/proc/PID/task/*/children`, elsewhere with psutil; seldom,
so that looking costs a small share of one core.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

FRESH_SECONDS = 0.002
"""Within this the last figure is given again: the kernel's own moves every 3 to 9 ms."""
LOOK_SECONDS = 0.25
LOOK_SHARE = 0.002
"""Most of one core that looking for children may cost."""


def reaped_seconds() -> float:
    """CPU seconds of children that ended and were waited for."""
    times = os.times()
    return times.children_user + times.children_system


class CpuTime:
    """A counter of CPU seconds that never falls. Any thread may ask."""

    def __init__(
        self,
        *,
        own: Callable[[], float] = time.process_time,
        reaped: Callable[[], float] = reaped_seconds,
        living: Callable[[], float] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._own = own
        self._reaped = reaped
        self._living = living or (lambda: living_seconds(Path("/proc"), os.getpid()))
        self._clock = clock
        self._lock = threading.Lock()
        self._due = clock()
        self._fresh_until = self._due
        self._seen_reaped = reaped()
        self._seen_living = 0.0
        self._most = 0.0

    def __call__(self) -> float:
        """CPU seconds since the process started."""
        now = self._clock()
        if now < self._fresh_until:
            return self._most
        with self._lock:
            reaped = self._reaped()
            # A child that ended is among the living ones until they are looked at again.
            if now >= self._due or reaped != self._seen_reaped:
                self._seen_living, self._seen_reaped = self._living(), reaped
                cost = self._clock() - now
                self._due = now + max(LOOK_SECONDS, min(cost / LOOK_SHARE, 10.0))
            self._most = max(self._most, self._own() + reaped + self._seen_living)
            self._fresh_until = now + FRESH_SECONDS
            return self._most


def living_seconds(proc: Path, pid: int) -> float:
    """CPU seconds of all living descendants of `pid`, with those of their own ended children."""
    try:
        return sum(_seconds(proc, child) for child in descendants(proc, pid))
    except FileNotFoundError:
        return _psutil_seconds(pid)


def descendants(proc: Path, pid: int) -> Iterator[int]:
    """Process numbers below `pid`; `FileNotFoundError` where the kernel keeps no such list."""
    children = []
    for task in os.listdir(proc / str(pid) / "task"):
        path = proc / str(pid) / "task" / task / "children"
        try:
            with open(path, "rb", buffering=0) as file:
                children += [int(number) for number in file.read(65536).split()]
        except (FileNotFoundError, ProcessLookupError):
            if path.parent.exists():
                raise  # the thread is there, so the list is missing
    for child in children:
        yield child
        try:
            yield from descendants(proc, child)
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has just ended


def _seconds(proc: Path, pid: int) -> float:
    """utime, stime, cutime and cstime of one process: fields 14 to 17 of its `stat`."""
    try:
        text = (proc / str(pid) / "stat").read_text(encoding="ascii", errors="replace")
        fields = text.rpartition(")")[2].split()
        return sum(int(field) for field in fields[11:15]) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError):
        return 0.0  # it has just ended


def _psutil_seconds(pid: int) -> float:
    import psutil

    total = 0.0
    try:
        for child in psutil.Process(pid).children(recursive=True):
            try:
                times = child.cpu_times()
            except psutil.Error:
                continue
            total += times.user + times.system
    except psutil.Error:
        return 0.0
    return total
