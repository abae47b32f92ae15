"""What `bench_deadlines.py` found: a record on disk that can be gone on from, and its figures."""

from __future__ import annotations

import json
import math
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from edgemind.costs.spread import quantile


@dataclass(frozen=True, slots=True)
class Result:
    """One answer under a limit: its overrun in seconds, or beyond one step in shares of joules.

    `overrun` is None where the answer was refused before it took any time. `silent` where there
    was no text though the budget exceeded the predicted minimum.
    """

    number: int
    strategy: str
    tokens: int
    seconds: float | None
    joules: float | None
    overrun: float | None
    refused: bool = False
    silent: bool = False
    finish: str = ""
    energy_source: str = ""


class Record:
    """Results so far, on disk too where a file was given."""

    def __init__(self, path: Path | None, settings: dict[str, object]) -> None:
        self.results: list[Result] = []
        self._file = None
        if path is None:
            return
        lines = path.read_text().splitlines() if path.exists() else []
        if lines and json.loads(lines[0]) != settings:
            sys.exit(f"{path} was made with {lines[0]}: take another file")
        for line in lines[1:]:
            with suppress(ValueError):  # the last line of a run that was killed
                self.results.append(Result(**json.loads(line)))
        self._file = path.open("w")
        for row in (settings, *map(asdict, self.results)):
            self._write(row)

    def _write(self, row: dict[str, object]) -> None:
        if self._file is not None:
            print(json.dumps(row), file=self._file, flush=True)

    def add(self, result: Result) -> None:
        """One more."""
        self.results.append(result)
        self._write(asdict(result))


def figures(values: Sequence[float], factor: float) -> dict[str, float]:
    """Median, 99th percentile and worst, scaled."""
    ordered = sorted(values)
    found = {"p50": quantile(ordered, 0.5), "p99": quantile(ordered, 0.99), "worst": ordered[-1]}
    return {name: factor * value for name, value in found.items()}


def report(results: Sequence[Result], busy: bool) -> int:
    """Print the figures; the exit code."""
    timed = [one.overrun for one in results if one.seconds and one.overrun is not None]
    metered = [one.overrun for one in results if one.joules and one.overrun is not None]
    refused, silent = sum(one.refused for one in results), [o for o in results if o.silent]
    strategies = Counter(one.strategy for one in results if not one.refused)
    answered = ", ".join(f"{count} {name}" for name, count in sorted(strategies.items()))
    ended = Counter(one.finish for one in results if not one.refused)
    print(f"{len(results)} pairs: {refused} refused; answered: {answered or 'none'}")
    print("answers ended by: " + ", ".join(f"{why} {count}" for why, count in ended.most_common()))
    missed: list[str] = []
    if timed:
        late = figures(timed, 1000)
        bars = {"p50": 10.0, "p99": 150.0 if busy else 40.0, "worst": math.inf if busy else 100.0}
        missed += [f"seconds {name}" for name, bar in bars.items() if late[name] > bar]
        print(f"overrun of {len(timed)} limits in seconds, ms: {written(late, 1)}")
    if metered:
        drawn = figures(metered, 100)
        missed += ["joules p99"] * (drawn["p99"] > 3)
        sources = {one.energy_source for one in results if one.joules and one.energy_source}
        print(
            f"overrun of {len(metered)} limits in joules beyond one step, % of the budget: "
            f"{written(drawn, 2)} ({', '.join(sorted(sources))})"
        )
    due = len(results) - refused + sum(one.refused for one in silent)
    print(f"without text though the budget exceeded the predicted minimum: {len(silent)} of {due}")
    for one in silent:
        print(f"  {one}")
    late_first = sorted((o.overrun, o.number) for o in results if o.seconds and o.overrun)[::-1]
    for overrun, number in late_first[:3]:
        [one] = [result for result in results if result.number == number]
        print(f"  latest: {1000 * overrun:.1f} ms, {one}")
    if not (timed and metered):
        print("too few answers for a verdict: every limit of a kind was refused or none was drawn")
        return 1
    print(f"bars missed: {', '.join(missed) or 'none'}")
    return int(bool(missed or silent))


def written(values: dict[str, float], digits: int) -> str:
    """Figures in one line."""
    return ", ".join(f"{name} {value:.{digits}f}" for name, value in values.items())
