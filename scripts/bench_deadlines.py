"""Do limits in seconds and joules hold? Random prompts under random limits, strategies in turn.

    python scripts/bench_deadlines.py [--model FILE.gguf] [--runs 500] [--seed 0] [--busy]

Prompts of 10 to 1,500 tokens, limits of 0.2 to 3 s or of 2 to 30 J, strategies direct, vote and
refine (with a verifier that objects to everything, since random weights say nothing that could be
wrong), samples of 8 to 200 tokens. Each answer is timed from outside. Ten answers without a limit
come first: before anything is measured nothing is refused. `--busy` lets another process load one
core meanwhile.

Printed: how far answers overran (negative: they ended before), in milliseconds, and in joules
beyond one decode step, as a share of the budget; how many were refused; and how many had no text
although the budget exceeded the predicted minimum (none must). Exit code 1 where a bar is missed:
p50 10 ms, p99 40 ms, worst 100 ms (`--busy`: p99 150 ms), joules p99 3 %.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import edgemind
from edgemind.costs.spread import quantile
from edgemind.types import Objection, Verdict
from random_model import SHAPES, write_model

STRATEGIES = ("direct", "vote", "refine")
WARM_UP = 10


@dataclass(frozen=True, slots=True)
class Result:
    """One answer under a limit: its overrun in seconds, or beyond one step in shares of joules.

    `silent` where there was no text though the budget exceeded the predicted minimum.
    """

    strategy: str
    limit: edgemind.Budget
    overrun: float
    refused: bool = False
    silent: bool = False
    cut: bool = False


def objects(text: str, seconds: float) -> Verdict:
    """A verifier that likes nothing."""
    del text, seconds
    return Verdict(0.0, (Objection(0, "this is not right"),))


def spin() -> None:
    """Load one core until killed."""
    while True:
        pass


@contextmanager
def company(wanted: bool) -> Iterator[None]:
    """Another process that loads one core, where it is wanted."""
    if not wanted:
        yield
        return
    process = multiprocessing.get_context("spawn").Process(target=spin, daemon=True)
    process.start()
    try:
        yield
    finally:
        process.kill()
        process.join()


class Bench:
    """A loaded model and a source of prompts and limits."""

    def __init__(self, mind: edgemind.Mind, rng: random.Random) -> None:
        self.mind = mind
        self.rng = rng
        letters = "etaoinshrdlu"
        self.words = ["".join(rng.choices(letters, k=rng.randint(2, 7))) for _ in range(2000)]

    def prompt(self, tokens: int) -> str:
        """About so many tokens: a word is about three here."""
        return " ".join(self.rng.choices(self.words, k=max(1, tokens // 3)))

    def warm_up(self) -> None:
        """Answers without a limit, from which costs are learned."""
        for number in range(WARM_UP):
            strategy = STRATEGIES[number % 3]
            sampling = edgemind.Sampling(max_tokens=24)
            self.mind.ask(
                self.prompt(40 * (number + 1)), strategy=strategy, sampling=sampling, width=4,
                verify=[objects] if strategy == "refine" else (),
            )  # fmt: skip

    def one(self) -> Result:
        """One random prompt under one random limit."""
        rng = self.rng
        strategy, prompt = rng.choice(STRATEGIES), self.prompt(rng.randint(10, 1500))
        limit = (
            edgemind.Budget(joules=rng.uniform(2, 30))
            if rng.random() < 1 / 3
            else edgemind.Budget(seconds=rng.uniform(0.2, 3.0))
        )
        sampling = edgemind.Sampling(max_tokens=rng.randint(8, 200), seed=rng.randrange(1 << 30))
        verify = [objects] if strategy == "refine" else ()
        started = time.perf_counter()
        try:
            answer = self.mind.ask(
                prompt, strategy=strategy, budget=limit, sampling=sampling, verify=verify
            )
        except edgemind.BudgetTooSmall as error:
            seconds = time.perf_counter() - started
            least, most = (
                (error.joules, limit.joules) if limit.joules else (error.seconds, limit.seconds)
            )
            overrun = seconds - limit.seconds if limit.seconds else -1.0
            silent = least is not None and most is not None and least <= most
            return Result(strategy, limit, overrun, refused=True, silent=silent)
        seconds = time.perf_counter() - started
        silent = not (answer.text or answer.reasoning)
        if limit.seconds:
            overrun = seconds - limit.seconds
        else:
            assert limit.joules is not None
            step = answer.spent.joules / max(1, answer.spent.tokens + answer.spent.prompt_tokens)
            overrun = (answer.spent.joules - step - limit.joules) / limit.joules
        return Result(strategy, limit, overrun, silent=silent, cut=answer.finish == "budget")


def report(results: list[Result], busy: bool) -> int:
    """Print the figures; the exit code."""
    timed = sorted(one.overrun for one in results if one.limit.seconds)
    metered = sorted(one.overrun for one in results if one.limit.joules and not one.refused)
    refused, silent = sum(one.refused for one in results), [o for o in results if o.silent]
    cut = sum(one.cut for one in results)
    print(f"{len(results)} answers: {refused} refused, {cut} cut; panel does not exist yet")
    bars = {"p50": (0.5, 10.0), "p99": (0.99, 150.0 if busy else 40.0)}
    figures = {name: 1000 * quantile(timed, share) for name, (share, _) in bars.items()}
    figures["worst"] = 1000 * timed[-1]
    print(
        f"overrun of {len(timed)} limits in seconds, ms: "
        + ", ".join(f"{name} {value:.1f}" for name, value in figures.items())
    )
    late = quantile(metered, 0.99)
    print(
        f"overrun of {len(metered)} limits in joules beyond one step, % of the budget: "
        f"p50 {100 * quantile(metered, 0.5):.2f}, p99 {100 * late:.2f}, "
        f"worst {100 * metered[-1]:.2f}"
    )
    print(f"without text though the budget exceeded the predicted minimum: {len(silent)}")
    for one in silent:
        print(f"  {one}")
    for one in sorted((o for o in results if o.limit.seconds), key=lambda o: -o.overrun)[:3]:
        print(f"  latest: {1000 * one.overrun:.1f} ms {one.strategy} {one.limit}")
    missed = [name for name, (_, bar) in bars.items() if figures[name] > bar]
    missed += ["worst"] * (not busy and figures["worst"] > 100) + ["joules"] * (late > 0.03)
    print(f"bars missed: {', '.join(missed) or 'none'}")
    return int(bool(missed or silent))


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path)
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--busy", action="store_true", help="another process loads one core")
    parser.add_argument("--minutes", type=float, help="stop after so long, whatever was done")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = arguments.model or Path(folder) / "random.gguf"
        if arguments.model is None:
            write_model(path, SHAPES["qwen2.5-0.5b"])
        results: list[Result] = []
        with edgemind.load(path) as mind, company(arguments.busy):
            bench = Bench(mind, random.Random(arguments.seed))
            bench.warm_up()
            started = time.perf_counter()
            while len(results) < arguments.runs:
                if arguments.minutes and time.perf_counter() - started > 60 * arguments.minutes:
                    break
                results.append(bench.one())
    sys.exit(report(results, arguments.busy))


if __name__ == "__main__":
    main()
