"""How often does an answer cost what was predicted? 300 answers, each predicted before its start.

    python scripts/bench_prediction.py [--model FILE.gguf] [--runs 300] [--seed 0]

The bundled model answers generated problems (`scripts/nano/make_data.py`), by direct, vote, refine
and the router's choice in random order, some of them under a limit in seconds; another model's
samples are at most 8 to 64 tokens long, since one with random weights never ends by itself. What
is learned starts from nothing; the first ten answers are a warm-up.

Printed: the share of answers whose seconds, joules and tokens were within the predicted 90 %
interval, and how wide that was. The bar is 85 to 95 %; exit code 1 outside it.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

import edgemind
from edgemind.types import Answer, Prediction

STRATEGIES = ("direct", "vote", "refine", "auto")
WARM_UP = 10
BAR = (0.85, 0.95)
QUANTITIES = ("seconds", "joules", "tokens")
MAKE_DATA = Path(__file__).parent / "nano" / "make_data.py"


def problems(number: int, seed: int) -> list[str]:
    """So many generated problems that the bundled model knows the kind of."""
    command = [sys.executable, str(MAKE_DATA), "--split", "heldout", "--skills", "first"]
    command += ["--seed", str(seed), "--size", str(number)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [json.loads(line)["prompt"] for line in done.stdout.splitlines()]


def inside(answer: Answer, quantity: str) -> bool:
    """Whether what was spent lies in the predicted interval."""
    assert isinstance(answer.predicted, Prediction)
    expected = getattr(answer.predicted, quantity)
    return bool(expected.p5 <= getattr(answer.spent, quantity) <= expected.p95)


def report(answers: list[Answer]) -> int:
    """Print the table; the exit code."""
    missed = False
    print(f"{len(answers)} answers after {WARM_UP} of warm-up")
    print("| | within the 90 % interval | median p95 / p5 | under p5 | over p95 |")
    print("|---|---|---|---|---|")
    for quantity in QUANTITIES:
        share = sum(inside(answer, quantity) for answer in answers) / len(answers)
        expected = [getattr(answer.predicted, quantity) for answer in answers]
        actual = [getattr(answer.spent, quantity) for answer in answers]
        width = median(one.p95 / max(one.p5, 1e-9) for one in expected)
        under = sum(a < e.p5 for a, e in zip(actual, expected, strict=True)) / len(answers)
        over = sum(a > e.p95 for a, e in zip(actual, expected, strict=True)) / len(answers)
        print(f"| {quantity} | {share:.1%} | {width:.1f} | {under:.1%} | {over:.1%} |")
        missed |= not BAR[0] <= share <= BAR[1]
    for strategy in sorted({answer.route.strategy for answer in answers}):
        own = [answer for answer in answers if answer.route.strategy == strategy]
        shares = ", ".join(
            f"{quantity} {sum(inside(a, quantity) for a in own) / len(own):.0%}"
            for quantity in QUANTITIES
        )
        print(f"  ended as {strategy} ({len(own)}): {shares}")
    return int(missed)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path)
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    total = WARM_UP + arguments.runs
    prompts = problems(total, arguments.seed)
    rng.shuffle(prompts)
    answers = []
    with tempfile.TemporaryDirectory() as folder:
        os.environ["EDGEMIND_CACHE_DIR"] = folder  # what was learned before must not help
        with edgemind.load(arguments.model) as mind:
            for number in range(total):
                most = rng.randint(8, 64) if arguments.model else None
                limited = number >= WARM_UP and rng.random() < 0.3
                budget = edgemind.Budget(seconds=rng.uniform(0.05, 1.0) if limited else None)
                answers.append(
                    mind.ask(
                        prompts[number % len(prompts)],
                        strategy=rng.choice(STRATEGIES),
                        sampling=edgemind.Sampling(seed=number, max_tokens=most),
                        budget=budget,
                        best_effort=True,
                    )
                )
    sys.exit(report(answers[WARM_UP:]))


if __name__ == "__main__":
    main()
