"""How many threads to decode with: the physical performance cores this process may use.

Two threads of one core share its vector units, and an efficiency core makes every fast one wait
at the end of each matrix row block (a Raspberry Pi-like big.LITTLE board ran twice as slow on all
cores as on the big ones), so neither counts.
"""

from __future__ import annotations

import os
from pathlib import Path

CPU_FOLDER = Path("/sys/devices/system/cpu")


def performance_cores(folder: Path = CPU_FOLDER) -> int:
    """Number of physical performance cores in this process's affinity mask; at least 1.

    Linux tells siblings and speeds in sysfs; elsewhere psutil counts the physical cores.
    """
    if not hasattr(os, "sched_getaffinity"):
        import psutil

        return psutil.cpu_count(logical=False) or os.cpu_count() or 1
    allowed = sorted(os.sched_getaffinity(0))
    cores: dict[str, int] = {}
    for cpu in allowed:
        home = folder / f"cpu{cpu}"
        siblings = _read(home / "topology" / "thread_siblings_list") or str(cpu)
        speed = _read(home / "cpu_capacity") or _read(home / "cpufreq" / "cpuinfo_max_freq")
        cores.setdefault(siblings, int(speed) if speed.isdigit() else 0)
    fastest = max(cores.values())
    # Cores of one kind differ by a few per cent in their boost clocks; kinds differ by a quarter.
    return max(1, sum(speed >= 0.8 * fastest for speed in cores.values()))


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
