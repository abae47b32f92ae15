"""From the start of the process to the first token on the screen, and the memory it takes.

    python scripts/bench_start.py [--runs 11] [--model FILE.gguf]

Starts `edgemind ask` on a pseudo-terminal (where an answer is streamed as it is made), again and
again, and reads until the first character that is not a control sequence. Printed are medians and
the worst, of seconds to the first token and to the end, and of peak resident memory.
"""

from __future__ import annotations

import argparse
import os
import pty
import re
import statistics
import sys
import time
from dataclasses import dataclass

QUESTION = "Tom has 3 bags with 14 marbles each and gives 5 away. How many are left?"
CONTROLS = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x20]")


@dataclass(frozen=True, slots=True)
class Start:
    """One run: seconds to the first token and to the end, peak resident memory in MB."""

    first: float
    whole: float
    megabytes: float


def run(command: list[str]) -> Start:
    """Start `command` on a pseudo-terminal and wait for its end."""
    began = time.perf_counter()
    child, terminal = pty.fork()
    if child == 0:
        os.execv(command[0], command)
    first, seen = None, b""
    while True:
        try:
            data = os.read(terminal, 4096)
        except OSError:  # Linux says so at the end of the other side
            data = b""
        if not data:
            break
        seen += data
        if first is None and CONTROLS.sub(b"", seen):
            first = time.perf_counter() - began
    _, status, usage = os.wait4(child, 0)
    os.close(terminal)
    if status or first is None:
        sys.exit(f"{' '.join(command)} failed:\n{seen.decode(errors='replace')}")
    unit = 1e6 if sys.platform == "darwin" else 1e3  # bytes there, kilobytes elsewhere
    return Start(first, time.perf_counter() - began, usage.ru_maxrss / unit)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=11)
    parser.add_argument("--model")
    arguments = parser.parse_args()
    command = [sys.executable, "-m", "edgemind.cli.main", "ask", QUESTION, "--seed", "1"]
    if arguments.model:
        command += ["--model", arguments.model]
    run(command)  # fills the system's file cache
    runs = [run(command) for _ in range(arguments.runs)]
    print(f"{arguments.runs} starts; median (worst)")
    for name, unit, values in (
        ("first token", "s", [one.first for one in runs]),
        ("whole process", "s", [one.whole for one in runs]),
        ("peak memory", "MB", [one.megabytes for one in runs]),
    ):
        print(f"{name}: {statistics.median(values):.3f} ({max(values):.3f}) {unit}")


if __name__ == "__main__":
    main()
