"""The meter of last resort: CPU seconds × watts per core. Always there, always an estimate."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable

WATTS_PER_CORE = {"aarch64": 1.6, "arm64": 3.0}
"""A Raspberry Pi 5 draws 6.4 W at the board with four busy cores; an Apple core about 3 W."""
OTHER_WATTS_PER_CORE = 6.0
"""A laptop's x86-64 core at its sustained clock, its share of the package included."""


class Estimate:
    """Energy of this process, from the CPU time of all its threads.

    The source says `estimated` wherever it is shown: it ignores what the screen, the memory and
    other programs draw, and the same core draws different power at different clocks.
    """

    source = "estimated"

    def __init__(
        self,
        watts_per_core: float | None = None,
        cpu_seconds: Callable[[], float] = time.process_time,
    ) -> None:
        self.watts_per_core = watts_per_core or WATTS_PER_CORE.get(
            platform.machine(), OTHER_WATTS_PER_CORE
        )
        self._cpu_seconds = cpu_seconds

    def joules(self) -> float:
        """Joules since the process started."""
        return self._cpu_seconds() * self.watts_per_core
