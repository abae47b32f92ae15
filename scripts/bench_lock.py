"""What the network lock costs at the start of a process, in milliseconds.

    python scripts/bench_lock.py [--runs 31]

Each run is a fresh interpreter that has imported what the command line needs anyway; timed are the
import of `edgemind.guard.lock`, the lock with its self-test and tripwire, and a system call before
and after. Printed are medians and the worst.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys

SCRIPT = """
import ctypes, json, os, signal, sys, time
import edgemind.types
def call():
    began = time.perf_counter()
    for _ in range(20000):
        os.getppid()
    return (time.perf_counter() - began) / 20000 * 1e3
before = call()
began = time.perf_counter()
from edgemind.guard.lock import lock_network
imported = time.perf_counter()
report = lock_network()
locked = time.perf_counter()
after = call()
print(json.dumps([report.label, (imported - began) * 1e3, (locked - imported) * 1e3,
                  (locked - began) * 1e3, before, after]))
"""
NAMES = ("import", "lock and self-test", "together", "a system call before", "and after")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=31)
    runs = parser.parse_args().runs
    label, rows = "", []
    # Modules are compiled once, as they are wherever the program is installed.
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
    for _ in range(runs + 1):  # the first fills the system's file cache
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT], env=environment, stdout=subprocess.PIPE, check=True
        ).stdout
        label, *row = json.loads(done)
        rows.append(row)
    print(f"{runs} starts, {label}; median (worst), ms")
    for name, values in zip(NAMES, zip(*rows[1:], strict=True), strict=True):
        print(f"{name}: {statistics.median(values):.4f} ({max(values):.4f})")


if __name__ == "__main__":
    main()
