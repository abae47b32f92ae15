"""Which process an unfinished answer belongs to, and whether that one still lives."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path


def process_start(process: int) -> str | None:
    """When a process started, in the system's own terms; None where it does not live.

    With the number it tells a process from a later one that was given the same number.
    """
    if sys.platform == "linux":
        # Ticks since the machine started: unlike a date it does not move with the clock.
        with suppress(OSError, IndexError):
            fields = Path(f"/proc/{process}/stat").read_bytes().rpartition(b")")[2].split()
            return None if fields[0] in (b"Z", b"X") else fields[19].decode()
        return None
    import psutil

    with suppress(psutil.Error):
        return f"{psutil.Process(process).create_time():.0f}"
    return None
