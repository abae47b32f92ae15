"""What routing costs where it changes nothing: seconds of `auto` against a plain single pass.

    python scripts/bench_routing_cost.py PROBLEMS.jsonl [--limit 200] [--model FILE.gguf]

Both answer the same prompts greedily, in turns; between any two of them another prompt empties the
cache of the last one. Counted are the prompts at which `auto` took the draft: there it did the same
work, and what it took longer is the price of looking. The target is a ratio of at most 1.05.
"""

from __future__ import annotations

import argparse
import json
import statistics
from pathlib import Path

import edgemind

BETWEEN = "How many minutes are there in 2 hours?"


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("problems", type=Path)
    parser.add_argument("--limit", type=int, default=200)
    parser.add_argument("--model")
    arguments = parser.parse_args()
    lines = arguments.problems.read_text(encoding="utf-8").splitlines()[: arguments.limit]
    plain = edgemind.Sampling(temperature=0.0, seed=1)
    seconds: dict[str, list[float]] = {"direct": [], "auto": []}
    with edgemind.load(arguments.model) as mind:
        for number, line in enumerate(lines):
            prompt = json.loads(line)["prompt"]
            order = ("direct", "auto") if number % 2 else ("auto", "direct")
            answers = {}
            for policy in order:
                mind.ask(BETWEEN, strategy="direct", sampling=plain)
                sampling = plain if policy == "direct" else edgemind.Sampling(seed=1)
                answers[policy] = mind.ask(prompt, strategy=policy, sampling=sampling)
            if answers["auto"].samples == 1 and answers["auto"].text == answers["direct"].text:
                for policy, answer in answers.items():
                    seconds[policy].append(answer.spent.seconds)
    ratios = [a / d for a, d in zip(seconds["auto"], seconds["direct"], strict=True)]
    print(f"{len(ratios)} of {len(lines)} prompts were answered in one pass")
    for policy, values in seconds.items():
        print(f"{policy}: median {1000 * statistics.median(values):.1f} ms")
    print(f"auto/direct: median of the ratios {statistics.median(ratios):.3f}, "
          f"ratio of the sums {sum(seconds['auto']) / sum(seconds['direct']):.3f}")  # fmt: skip


if __name__ == "__main__":
    main()
