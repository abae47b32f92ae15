"""Does the record of what answers cost survive kill -9? Real processes, killed at random moments.

    python scripts/check_kills.py [--kills 100] [--seed 0] [--children 2]

Children answer over a scripted model with a real clock and the record in one file, and write down
each answer's cost on their own. Each round kills them all at a random moment, from the first
instant of the file on. Then the file has to open without a complaint, to be sound, to hold every
finished answer exactly once with the very figures that its child saw, and one more row at most for
each killed child, which counts at least as long as that answer had run and at most
`AHEAD_SECONDS` longer. Exit code 1 if not.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

from edgemind.engines.scripted import Line, ScriptedEngine
from edgemind.runtime import Mind
from edgemind.usage.account import KILLED, Usage
from edgemind.usage.entry import AHEAD_SECONDS, NOTE_SECONDS
from edgemind.usage.report import read

LONGEST_STEP = 0.02
LATE_SECONDS = 0.25
"""A busy machine may wake a child this much late between two notes."""


class Watts:
    """A meter of constant power."""

    source = "measured:constant"

    def joules(self) -> float:
        """Joules since the machine started."""
        return 5.0 * time.monotonic()


def answer_for_ever(record: Path, notes: Path, seed: int) -> None:
    """What a child does until it is killed. A line of `notes` is written whole or not at all."""
    chance = random.Random(seed)
    out = os.open(notes, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def note(**values: object) -> None:
        os.write(out, json.dumps(values).encode() + b"\n")

    def on_step(_: ScriptedEngine) -> None:
        time.sleep(chance.uniform(0, LONGEST_STEP))

    def complain(line: str) -> None:
        note(warning=line)

    lengths = [chance.randint(1, 12) if chance.random() < 0.8 else 100 for _ in range(50)]
    lines = [Line(("x",) * length, (-0.0001,)) for length in lengths]
    engine = ScriptedEngine(lines, on_step=on_step)
    usage = Usage(record, warn=complain)
    with Mind(engine, meter=Watts(), usage=usage) as mind:
        while True:
            note(begun=time.monotonic())
            spent = mind.ask("How long?", strategy="direct").spent
            note(seconds=spent.seconds, joules=spent.joules, tokens=spent.tokens)


def start(record: Path, notes: Path, seed: int) -> int:
    """A child process; its number."""
    child = os.fork()
    if child == 0:
        try:
            answer_for_ever(record, notes, seed)
        finally:
            os._exit(1)
    return child


def kill_round(record: Path, folder: Path, children: int, seed: int) -> tuple[list[Path], float]:
    """Start children, kill them; their notes, and when they died (monotonic)."""
    chance = random.Random(seed)
    notes = [folder / f"{seed}-{number}.jsonl" for number in range(children)]
    processes = [start(record, path, 1000 * seed + at) for at, path in enumerate(notes)]
    # As often within the first milliseconds as within the first second.
    time.sleep(10 ** chance.uniform(-3, 0.2))
    for process in processes:
        os.kill(process, signal.SIGKILL)
    died = time.monotonic()
    for process in processes:
        _, status = os.waitpid(process, 0)
        if not os.WIFSIGNALED(status):
            raise SystemExit(f"a child ended by itself: see {notes}")
    return notes, died


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--children", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    problems: list[str] = []
    finished: collections.Counter[tuple[float, float, int]] = collections.Counter()
    killed = noted = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        record = folder / "usage.sqlite"
        for number in range(options.kills):
            seed = options.seed + number
            paths, died = kill_round(record, folder, options.children, seed)
            running: list[float] = []
            for path in paths:
                lines = path.read_text().splitlines() if path.exists() else []
                values = [json.loads(line) for line in lines]
                problems += [value["warning"] for value in values if "warning" in value]
                finished.update(
                    (value["seconds"], value["joules"], value["tokens"])
                    for value in values
                    if "seconds" in value
                )
                if values and "begun" in values[-1]:
                    running.append(died - values[-1]["begun"])
            usage = Usage(record, warn=problems.append)
            report = read(usage.database, time.time(), None)
            sound = usage.database.write(
                lambda connection: [*connection.execute("PRAGMA integrity_check")]
            )
            usage.close()
            if sound != [("ok",)]:
                problems.append(f"round {seed}: {sound}")
            done = collections.Counter(
                (row.seconds, row.joules, row.tokens)
                for row in report.rows
                if row.finish not in (KILLED, "running")
            )
            missing, more = finished - done, done - finished
            # An answer may be settled and its child killed before it could write that down.
            if missing or sum(more.values()) > len(running):
                problems.append(f"round {seed}: {missing} missing, {more} too many")
            finished = done
            rows = [row for row in report.rows if row.finish == KILLED][killed:]
            killed += len(rows)
            open_rows = [row for row in report.rows if row.finish == "running"]
            if open_rows or len(rows) + sum(more.values()) > len(running):
                problems.append(f"round {seed}: {len(rows)} killed, {len(open_rows)} still open")
            counted = sorted((row.seconds for row in rows), reverse=True)
            ran = sorted(running, reverse=True)
            # Which row is which child's is not known; the longest run is the longest count.
            for seconds, true in zip(counted, ran, strict=False):
                noted += seconds > AHEAD_SECONDS
                if seconds > true + AHEAD_SECONDS + LATE_SECONDS:
                    problems.append(f"round {seed}: {seconds} s counted, {true} s run")
                if len(counted) == len(ran) and seconds < true - LATE_SECONDS:
                    problems.append(f"round {seed}: {seconds} s counted for {true} s run")
        total = sum(row.seconds for row in report.rows)
    print(
        f"{options.kills} kills of {options.children} processes: {sum(finished.values())} answers "
        f"finished, {killed} killed in the middle ({noted} after {NOTE_SECONDS:g} s), "
        f"{total:.1f} s counted, {len(problems)} problems"
    )
    for problem in problems:
        print(problem, file=sys.stderr)
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
