"""Does thinking harder pay, and does the router know when? Accuracy and cost of each policy.

    python scripts/bench_routing.py PROBLEMS.jsonl [--model FILE.gguf] [--width 8]

Each line of PROBLEMS has `prompt` and `answer` (scripts/nano/make_data.py writes such files), and
optionally `skill` and `level`. Every policy answers every problem with the same seeds: `direct` one
greedy pass, `majority` always `width` samples, `vote` the same with early stopping, `auto` the
router. Printed are accuracy with its 95 % interval, cost as a share of `majority`, and paired
differences with their 95 % intervals (normal approximation over the problems).
"""

from __future__ import annotations

import argparse
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import edgemind
from edgemind.verify.answers import equivalent

POLICIES = ("direct", "majority", "vote", "auto")


@dataclass(frozen=True, slots=True)
class Result:
    """One policy's answer to one problem."""

    right: bool
    tokens: int
    seconds: float
    joules: float
    samples: int


def answer(
    mind: edgemind.Mind, number: int, problem: dict[str, Any], policy: str, arguments: Any
) -> Result:
    """Ask one problem under one policy. Each problem has seeds of its own: one seed for all would
    draw the same random numbers at the same places, and make them all right or wrong together."""
    result = mind.ask(
        problem["prompt"],
        strategy=policy,
        width=arguments.width,
        sampling=edgemind.Sampling(
            seed=arguments.seed + 1000 * number, max_tokens=arguments.max_tokens
        ),
    )
    right = result.answer is not None and equivalent(result.answer, problem["answer"])
    spent = result.spent
    return Result(right, spent.tokens, spent.seconds, spent.joules, result.samples)


def interval(values: list[float]) -> tuple[float, float]:
    """Mean of `values` and half the width of its 95 % interval, in per cent."""
    mean = sum(values) / len(values)
    variance = sum((value - mean) ** 2 for value in values) / max(1, len(values) - 1)
    return 100 * mean, 196 * math.sqrt(variance / len(values))


def table(results: dict[str, list[Result]]) -> None:
    """Print accuracy and cost of each policy, then the paired differences."""
    base = results["majority"]
    print("| policy | accuracy % | ± | samples | tokens | tokens % | seconds % | joules % |")
    print("|---|---|---|---|---|---|---|---|")
    for policy, rows in results.items():
        accuracy, half = interval([float(row.right) for row in rows])
        shares = [
            100 * sum(getattr(r, unit) for r in rows) / sum(getattr(r, unit) for r in base)
            for unit in ("tokens", "seconds", "joules")
        ]
        samples = sum(row.samples for row in rows) / len(rows)
        tokens = sum(row.tokens for row in rows) / len(rows)
        print(
            f"| {policy} | {accuracy:.1f} | {half:.1f} | {samples:.2f} | {tokens:.0f} | "
            + " | ".join(f"{share:.0f}" for share in shares)
            + " |"
        )
    for left, right in (("vote", "direct"), ("auto", "direct"), ("auto", "majority")):
        pairs = zip(results[left], results[right], strict=True)
        difference, half = interval([float(a.right) - float(b.right) for a, b in pairs])
        print(f"{left} - {right}: {difference:+.1f} ± {half:.1f} points")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("problems", type=Path)
    parser.add_argument("--model")
    parser.add_argument("--width", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--max-tokens", type=int, default=256)
    parser.add_argument("--limit", type=int, help="only the first so many problems")
    parser.add_argument("--output", type=Path, help="write each result as a JSON line")
    arguments = parser.parse_args()
    lines = arguments.problems.read_text().splitlines()[: arguments.limit]
    problems = [json.loads(line) for line in lines]
    results: dict[str, list[Result]] = {policy: [] for policy in POLICIES}
    with edgemind.load(arguments.model) as mind:
        for policy in POLICIES:
            for number, problem in enumerate(problems):
                results[policy].append(answer(mind, number, problem, policy, arguments))
            print(f"{policy} done", flush=True)
    print(f"{len(problems)} problems, {mind.model}, width {arguments.width}")
    table(results)
    for level in sorted({problem.get("level", "") for problem in problems} - {""}):
        chosen = [index for index, problem in enumerate(problems) if problem["level"] == level]
        print(f"\nlevel {level}: {len(chosen)} problems")
        table({policy: [rows[index] for index in chosen] for policy, rows in results.items()})
    if arguments.output:
        with arguments.output.open("w") as file:
            for index, problem in enumerate(problems):
                row = {policy: results[policy][index].right for policy in POLICIES}
                file.write(json.dumps({**problem, **row}) + "\n")


if __name__ == "__main__":
    main()
