"""How many threads to decode with: the physical performance cores this process may use.

Two threads of one core share its vector units, and an efficiency core makes every fast one wait
at the end of each matrix row block (a Raspberry Pi-like big.LITTLE board ran twice as slow on all
cores as on the big ones), so neither counts.
"""

from __future__ import annotations

from pathlib import Path

from edgemind.device.processor import CPU_FOLDER, count_cores


def performance_cores(folder: Path = CPU_FOLDER) -> int:
    """Number of physical performance cores in this process's affinity mask; at least 1."""
    return count_cores(folder).performance
