"""Tokens per second of answers that keep to a schema, against free ones.

    python scripts/bench_grammar.py [--model FILE.gguf | --shape edgemind-nano] [--threads 2]

At each width free and structured branches are stepped in turns, `--rounds` times `--steps` steps
each; the ratio is the median of the rounds' ratios (structured to free). A round's tokens per
second are all its tokens by all its time, so that refused tokens count, which are few but dear.
`refused` is their share: a model that was trained to write JSON has fewer than random weights.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from edgemind.engines.base import Branch
from edgemind.engines.llama import LlamaEngine
from edgemind.engines.trails import fork_apart
from edgemind.structure.schema import schema_grammar
from edgemind.types import Sampling
from random_model import SHAPES, write_model

WIDTHS = (1, 8)
PROMPT_TOKENS = 128
WARM_UP = 5
# It has to go on for as long as it is measured, and to be more than one long string.
SCHEMA: dict[str, Any] = {
    "type": "array",
    "minItems": 500,
    "items": {
        "type": "object",
        "properties": {
            "name": {"type": "string", "maxLength": 40},
            "amount": {"type": "integer"},
            "kind": {"enum": ["invoice", "order", "reminder"]},
            "paid": {"type": "boolean"},
        },
        "required": ["name", "amount", "kind", "paid"],
    },
}


class Refusals:
    """Counts the tokens that a grammar refused, by looking over the engine's shoulder."""

    def __init__(self, engine: LlamaEngine) -> None:
        self.count = 0
        grammars: Any = engine._sampler._grammars
        original = grammars.candidates

        def counted(*arguments: Any) -> Any:
            self.count += 1
            return original(*arguments)

        grammars.candidates = counted


def rate(engine: LlamaEngine, root: Branch, samplings: Sequence[Sampling], steps: int) -> float:
    """Tokens per second of `steps` steps of branches forked from `root`."""
    branches = fork_apart(engine, root, samplings)
    for _ in range(WARM_UP):
        engine.step(branches)
    started = time.perf_counter()
    for _ in range(steps):
        engine.step(branches)
    seconds = time.perf_counter() - started
    for branch in branches:
        engine.drop(branch)
    return len(branches) * steps / seconds


def measure(path: Path, threads: int | None, steps: int, rounds: int) -> None:
    """Print one row for each width."""
    engine = LlamaEngine(path, context=1024, width=max(WIDTHS), threads=threads)
    grammar = schema_grammar(SCHEMA)
    refusals = Refusals(engine)
    size = engine.vocabulary.size
    root = engine.prefill(
        [3 + 7 * number % (size - 3) for number in range(PROMPT_TOKENS)], Sampling()
    )
    print("| width | free tok/s | structured tok/s | ratio | refused |")
    print("|---|---|---|---|---|")
    for width in WIDTHS:
        free, structured, refusals.count = [], [], 0
        for number in range(rounds):
            seeds = range(100 * number, 100 * number + width)
            free.append(rate(engine, root, [Sampling(seed=seed) for seed in seeds], steps))
            held = [Sampling(seed=seed, grammar=grammar) for seed in seeds]
            structured.append(rate(engine, root, held, steps))
        ratio = median(held / loose for held, loose in zip(structured, free, strict=True))
        refused = refusals.count / (rounds * (steps + WARM_UP) * width)
        rates = f"{median(free):.1f} | {median(structured):.1f}"
        print(f"| {width} | {rates} | {ratio:.3f} | {refused:.0%} |", flush=True)
    engine.close()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path)
    parser.add_argument("--shape", choices=sorted(SHAPES), default="qwen2.5-0.5b")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--steps", type=int, default=80)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = arguments.model or Path(folder) / f"{arguments.shape}-random.gguf"
        if arguments.model is None:
            write_model(path, SHAPES[arguments.shape])
        print(path.name)
        measure(path, arguments.threads, arguments.steps, arguments.rounds)


if __name__ == "__main__":
    main()
