"""What state the machine is in: power source, heat, free memory. Read, never changed.

Every reading may be missing (another system, no permission, a container): then nothing is known and
nothing is done about it.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from edgemind.device.limits import group_memory
from edgemind.files import glance

MOST_CORES = 16
"""Counters are read of so many cores: they heat up together."""
PI_THROTTLED = 0b1110
"""Bits of a Raspberry Pi's `get_throttled` that hold now: clock capped, throttled, soft limit.
(Bit 0 is a supply that is too weak, which alone slows nothing down.)"""
LOW_MEMORY_BYTES = 256 << 20
LOW_MEMORY_SHARE = 0.05


class Conditions(Protocol):
    """The readings that planning asks for; a test's double has fixed ones."""

    def power_source(self) -> str:
        """`battery` while running on one, else `mains`."""

    def throttled(self) -> bool:
        """Whether the processor was slowed down for its heat since this was last asked."""

    def short_of_memory(self) -> float:
        """0 while there is plenty; above 1 the less there is (how often it fits into "low")."""


class Machine:
    """This machine, as Linux shows it in `/sys` and `/proc`; elsewhere what psutil knows.

    `sys_folder` and `proc_folder` stand for those two.
    """

    def __init__(self, sys_folder: Path = Path("/sys"), proc_folder: Path = Path("/proc")) -> None:
        self._sys = sys_folder
        self._proc = proc_folder
        self._throttles: int | None = None

    def power_source(self) -> str:
        """From the power supplies' files, else psutil's battery."""
        folder = self._sys / "class" / "power_supply"
        supplies = sorted(folder.iterdir()) if folder.is_dir() else []
        for supply in supplies:
            # A supply beside it that is on may be too weak: what the battery says, counts. One of
            # scope "Device" is in a mouse.
            ours = glance(supply / "type") == "Battery" and glance(supply / "scope") != "Device"
            if ours and glance(supply / "status") == "Discharging":
                return "battery"
        if not supplies and sys.platform != "linux":
            import psutil

            battery = psutil.sensors_battery()
            if battery is not None and not battery.power_plugged:
                return "battery"
        return "mains"

    def throttled(self) -> bool:
        """Whether a throttle counter has risen (x86), or a Raspberry Pi says so now."""
        state = glance(self._sys / "devices/platform/soc/soc:firmware/get_throttled")
        with suppress(ValueError):
            if state and int(state, 16) & PI_THROTTLED:
                return True
        counted = self._count()
        before, self._throttles = self._throttles, counted
        return before is not None and counted is not None and counted > before

    def _count(self) -> int | None:
        """All throttle events so far; None where they are not shown."""
        found = None
        folder = self._sys / "devices" / "system" / "cpu"
        for number in range(MOST_CORES):
            home = folder / f"cpu{number}" / "thermal_throttle"
            if not home.is_dir():
                break
            for name in ("core_throttle_count", "package_throttle_count"):
                text = glance(home / name)
                if text.isdecimal():
                    found = (found or 0) + int(text)
        return found

    def short_of_memory(self) -> float:
        """ "Low" over what is available; low is a twentieth of all, at least 256 MiB."""
        available, total = memory(self._proc)
        low = max(LOW_MEMORY_BYTES, LOW_MEMORY_SHARE * total)
        if available is None or available > low:
            return 0.0
        return low / max(available, 1)


def memory(proc_folder: Path = Path("/proc")) -> tuple[int | None, int]:
    """Bytes that can be used without swapping (None where unknown), and bytes of all memory.

    A limit of a control group (a container's, a service's) bounds both: beyond it the process is
    killed. Groups are looked for in `sys/fs/cgroup` beside `proc_folder`.
    """
    available, total = machine_memory(proc_folder)
    group = group_memory(proc_folder.parent)
    if group is None:
        return available, total
    left, limit = group
    return left if available is None else min(available, left), min(total or limit, limit)


def machine_memory(proc_folder: Path = Path("/proc")) -> tuple[int | None, int]:
    """The same of the whole machine, whatever of it this process may use.

    On Linux `MemAvailable`, which counts what the page cache would give back.
    """
    values = {}
    for line in glance(proc_folder / "meminfo").splitlines():
        name, _, rest = line.partition(":")
        number = rest.split()[:1]
        if number and number[0].isdecimal():
            values[name] = int(number[0]) << 10
    if "MemAvailable" in values:
        return values["MemAvailable"], values.get("MemTotal", 0)
    if sys.platform == "linux":
        return None, 0
    import psutil

    state = psutil.virtual_memory()
    return int(state.available), int(state.total)
