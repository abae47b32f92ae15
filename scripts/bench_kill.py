"""Does what was learned of costs survive being killed? A writer is shot at random moments.

    python scripts/bench_kill.py [--kills 100] [--seed 0]

A child writes the cost model again and again, each time with more in it, and is sent SIGKILL after
0 to 50 ms of writing. After each kill the file has to be whole: as the child wrote it last, or the
time before, never older, never damaged, and nothing in it twice. Exit code 1 otherwise.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from edgemind.costs.history import Lengths
from edgemind.costs.model import CostModel
from edgemind.costs.store import read, write

WRITER = "--write"


def writer(path: Path) -> None:
    """Write for ever: version n of the file holds the lengths n - 63 to n. Each n is told."""
    number = max((tokens for tokens, _ in lengths(path)), default=0)
    print("ready", flush=True)
    while True:
        number += 1
        costs = CostModel(1_000_000)
        for context in range(0, 3000, 100):
            for width in (1, 2, 4, 8, 16):
                costs.observe_step(width, 0.01 * width, context)
        own = costs.lengths.setdefault("votable", Lengths())
        for tokens in range(max(1, number - 63), number + 1):
            own.observe(tokens, cut=False)
        if not write(path, costs):
            sys.exit(2)
        os.write(1, f"{number}\n".encode())


def lengths(path: Path) -> list[tuple[int, bool]]:
    """The lengths in a file, in order."""
    kept = read(path, 1_000_000).lengths.get("votable")
    return [*kept.seen] if kept else []


def shoot(path: Path, delay: float) -> int:
    """Kill a writer `delay` seconds after its first sign; the last number that it told."""
    command = [sys.executable, __file__, WRITER, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(delay)
        os.kill(child.pid, signal.SIGKILL)
        said = child.stdout.read().split()
    return int(said[-1]) if said else 0


def check(path: Path, least: int) -> tuple[int, str]:
    """The newest number in the file, and what is wrong with the file, if anything."""
    if not path.exists():
        return least, "" if least == 0 else "the file is gone"
    try:
        json.loads(path.read_bytes())
    except ValueError as error:
        return least, f"damaged: {error}"
    numbers = [tokens for tokens, _ in lengths(path)]
    newest = max(numbers, default=0)
    if numbers != list(range(max(1, newest - 63), newest + 1)):
        return newest, f"not what was written: {numbers}"
    if newest not in (least, least + 1):
        return newest, f"holds {newest} after {least} was written"
    return newest, ""


def campaign(folder: Path, kills: int, rng: random.Random) -> tuple[int, list[str]]:
    """Kill so many writers; how many versions were written, and all that was found wrong."""
    path, newest, wrong = folder / "costs" / "model.json", 0, []
    for number in range(kills):
        told = shoot(path, rng.uniform(0.0, 0.05))
        newest, fault = check(path, max(told, newest))
        if fault:
            wrong.append(f"kill {number + 1}: {fault}")
    if not write(path, read(path, 1_000_000)):
        wrong.append("the file cannot be written any more")
    if left := [file.name for file in path.parent.iterdir() if file != path]:
        wrong.append(f"left behind after the next start: {', '.join(left)}")
    return newest, wrong


def main() -> None:
    """The command line."""
    if sys.argv[1:2] == [WRITER]:
        writer(Path(sys.argv[2]))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        versions, wrong = campaign(Path(folder), arguments.kills, random.Random(arguments.seed))
    print(f"{arguments.kills} kills, {versions} versions written, {len(wrong)} faults")
    for fault in wrong:
        print(f"  {fault}")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
