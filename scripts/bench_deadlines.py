"""Do limits in seconds and joules hold? Random prompts under random limits, strategies in turn.

    python scripts/bench_deadlines.py [--model FILE.gguf] [--pairs 500] [--seed 0] [--busy]
        [--out RESULTS.jsonl] [--threads N] [--stretch 1]

A pair is a prompt of 10 to 800 tokens, half of them with a question that can be voted on, and a
limit of 0.3 to 3 s (both log-uniform; the mean limit is 1.2 s, so 500 pairs take about ten
minutes and less than fifteen). A third of the limits are in joules instead: as many as the warm-up
drew on average in so long. Strategies are direct, vote, refine (with a verifier that objects to
everything, since random weights say nothing that could be wrong) and panel; samples have 8 to 200
tokens. Each answer is timed from outside. Eight answers without a limit come first: before
anything is measured nothing is refused. `--busy` lets another process load one core meanwhile.

Printed: how far answers overran (negative: they ended before), in milliseconds, and in joules
beyond one decode step, as a share of the budget; how many were refused; and how many had no text
although the budget exceeded the predicted minimum (none must). Those refused at once are not
among the overruns. Exit code 1 where a bar is missed: p50 10 ms, p99 40 ms, worst 100 ms (`--busy`:
p99 150 ms), joules p99 3 %.

Ctrl-C, SIGTERM or `--minutes` end it early, with the figures of what was done. With `--out` each
pair is written as it ends, and the same command goes on from there: pair n depends on the seed
and on n alone. A pair that takes a minute more than its limit says where it hangs. On a machine
that is so slow, or so busy, that most are refused, `--stretch 10` makes limits ten times longer.
"""

from __future__ import annotations

import argparse
import faulthandler
import math
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import edgemind
from deadline_results import Record, Result, report
from edgemind.types import Objection, Verdict

STRATEGIES = ("direct", "vote", "refine", "panel")
WARM_UP = 8
TOKENS = (10, 800)
SECONDS = (0.3, 3.0)
HANGS_SECONDS = 60
PROGRESS_SECONDS = 5.0


def objects(text: str, seconds: float) -> Verdict:
    """A verifier that likes nothing."""
    del text, seconds
    return Verdict(0.0, (Objection(0, "this is not right"),))


def tell(line: str) -> None:
    """A sign of life, apart from the figures."""
    print(line, file=sys.stderr, flush=True)


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


def between(rng: random.Random, ends: tuple[float, float]) -> float:
    """A log-uniform draw."""
    low, high = ends
    return math.exp(rng.uniform(math.log(low), math.log(high)))


def one_step(spent: edgemind.Spent) -> float:
    """Joules of one decode step of the draft."""
    drafts = [phase for phase in spent.phases if phase.name == "draft" and phase.tokens]
    return sum(phase.joules / phase.tokens for phase in drafts)


class Bench:
    """A loaded model, and pairs of prompts and limits for it."""

    def __init__(self, mind: edgemind.Mind, seed: int, stretch: float) -> None:
        self.mind = mind
        self.stretch = stretch
        self.seed = seed
        self.watts = 0.0
        rng, letters = random.Random(seed), "etaoinshrdlu"
        self.words = ["".join(rng.choices(letters, k=rng.randint(2, 7))) for _ in range(2000)]

    def prompt(self, rng: random.Random, tokens: int) -> str:
        """About so many tokens: a word is about three here. Half of them ask for a number."""
        words = " ".join(rng.choices(self.words, k=max(1, tokens // 3)))
        question = f"How much is {rng.randint(2, 99)} + {rng.randint(2, 99)}?"
        return f"{words} {question}" if rng.random() < 0.5 else words

    def warm_up(self) -> None:
        """Answers without a limit, from which costs are learned."""
        rng, seconds, joules = random.Random(f"{self.seed} warm"), 0.0, 0.0
        low, high = TOKENS
        for number in range(WARM_UP):
            strategy = STRATEGIES[number % len(STRATEGIES)]
            tokens = round(low * (high / low) ** (number / (WARM_UP - 1)))
            spent = self.mind.ask(
                self.prompt(rng, tokens), strategy=strategy, width=4,
                sampling=edgemind.Sampling(max_tokens=8, seed=number),
                verify=[objects] if strategy == "refine" else (),
            ).spent  # fmt: skip
            seconds, joules = seconds + spent.seconds, joules + spent.joules
            tell(f"warm-up: {number + 1} of {WARM_UP} answers, {seconds:.0f} s")
        self.watts = joules / seconds

    def pair(self, number: int) -> Result:
        """One random prompt under one random limit."""
        rng = random.Random(f"{self.seed} {number}")
        strategy, tokens = rng.choice(STRATEGIES), round(between(rng, TOKENS))
        prompt, seconds = self.prompt(rng, tokens), self.stretch * between(rng, SECONDS)
        limit = edgemind.Budget(seconds=seconds)
        if rng.random() < 1 / 3:
            limit = edgemind.Budget(joules=seconds * self.watts)
        started = time.perf_counter()
        try:
            answer = self.mind.ask(
                prompt, strategy=strategy, budget=limit,
                sampling=edgemind.Sampling(
                    max_tokens=rng.randint(8, 200), seed=rng.randrange(1 << 30)
                ),
                verify=[objects] if strategy == "refine" else (),
            )  # fmt: skip
        except edgemind.BudgetTooSmall as error:
            took = time.perf_counter() - started
            least, most = error.seconds, limit.seconds
            if limit.joules:
                least, most = error.joules, limit.joules
            late = took - limit.seconds if limit.seconds and took > limit.seconds / 2 else None
            silent = least is not None and most is not None and least <= most
            return Result(
                number, strategy, tokens, limit.seconds, limit.joules, late, True, silent
            )  # fmt: skip
        took, spent = time.perf_counter() - started, answer.spent
        if limit.seconds:
            overrun = took - limit.seconds
        else:
            assert limit.joules is not None
            overrun = (spent.joules - one_step(spent) - limit.joules) / limit.joules
        silent = not (answer.text or answer.reasoning)
        return Result(
            number, strategy, tokens, limit.seconds, limit.joules, overrun, False, silent,
            answer.finish, spent.energy_source,
        )  # fmt: skip


def run(bench: Bench, record: Record, pairs: int, seconds: float) -> None:
    """All pairs that are not done yet, as long as there is time, with a line of progress."""
    done, started, said = {one.number for one in record.results}, time.perf_counter(), 0.0
    for number in range(pairs):
        passed = time.perf_counter() - started
        if number in done:
            continue
        if passed > seconds:
            break
        if passed - said >= PROGRESS_SECONDS:
            said = passed
            made = len(record.results) - len(done)
            left = passed / made * (pairs - len(record.results)) if made else 0.0
            tell(f"{len(record.results)} of {pairs} pairs, {passed:.0f} s, {left:.0f} s to go")
        faulthandler.dump_traceback_later(HANGS_SECONDS + SECONDS[1] * bench.stretch)
        record.add(bench.pair(number))
    faulthandler.cancel_dump_traceback_later()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path)
    parser.add_argument("--pairs", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--stretch", type=float, default=1.0, help="limits so many times longer")
    parser.add_argument("--busy", action="store_true", help="another process loads one core")
    parser.add_argument("--minutes", type=float, default=math.inf, help="stop after so long")
    parser.add_argument("--out", type=Path, help="keep results here, and go on from them")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    settings = {name: getattr(arguments, name) for name in ("seed", "busy", "threads", "stretch")}
    stopped = False
    with tempfile.TemporaryDirectory() as folder:
        os.environ["EDGEMIND_CACHE_DIR"] = folder  # what was learned before must not count
        path = arguments.model or Path(folder) / "random.gguf"
        if arguments.model is None:
            from random_model import SHAPES, write_model

            write_model(path, SHAPES["qwen2.5-0.5b"])
        record = Record(arguments.out, {**settings, "model": path.name})
        with edgemind.load(path, threads=arguments.threads) as mind, company(arguments.busy):
            bench = Bench(mind, arguments.seed, arguments.stretch)
            try:
                bench.warm_up()
                run(bench, record, arguments.pairs, 60 * arguments.minutes)
            except KeyboardInterrupt:
                stopped = True
                tell(f"stopped after {len(record.results)} pairs")
    code = report(record.results, arguments.busy)
    sys.exit(130 if stopped else code)


if __name__ == "__main__":
    main()
