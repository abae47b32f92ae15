"""The clock that budgets are kept by: nobody can set it, and it goes on while the machine sleeps.

`time.monotonic` stands still in a suspended laptop on Linux and macOS: an answer that was promised
within five seconds would take its time again after a night.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable


def steady_clock() -> Callable[[], float]:
    """A function that gives seconds since some fixed moment.

    CLOCK_BOOTTIME on Linux; on macOS CLOCK_MONOTONIC, which counts sleep there, unlike
    `time.monotonic`. NTP may slew both but never sets them.
    """
    number = getattr(time, "CLOCK_BOOTTIME", None)
    if number is None and sys.platform == "darwin":
        number = time.CLOCK_MONOTONIC
    if number is not None:
        try:
            time.clock_gettime(number)
        except OSError:  # an old kernel, or a sandbox that knows only the usual ones
            return time.monotonic
        return lambda: time.clock_gettime(number)
    return time.monotonic
