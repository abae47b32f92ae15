"""How long is the slowest graph node, between two of which a decode can be cut?

    python scripts/bench_nodes.py [--model FILE.gguf] [--tokens 1024] [--threads N]

llama.cpp polls its abort callback between nodes. Here the callback is a Python function that notes
the time (which is why this is a benchmark, and not how the engine works). Prints, for a prompt and
for steps at several widths, the longest time between two polls: its median and worst over rounds.
The bar is a median of 10 ms; exit code 1 above it.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from edgemind.engines.llama import LlamaEngine
from edgemind.engines.trails import fork_apart
from edgemind.types import Sampling
from random_model import SHAPES, write_model

WIDTHS = (1, 4, 8, 16)
BAR_SECONDS = 0.010


class Polls:
    """Longest time between two polls since the last `reset`."""

    def __init__(self, engine: LlamaEngine) -> None:
        self._api: Any = engine._api
        self._callback = self._api.ggml_abort_callback(self._poll)
        self._api.llama_set_abort_callback(engine._context, self._callback, None)
        self.reset()

    def reset(self) -> None:
        """Start anew: the time before the first poll does not count."""
        self.longest, self._last = 0.0, 0.0

    def _poll(self, _data: object) -> bool:
        now = time.perf_counter()
        if self._last:
            self.longest = max(self.longest, now - self._last)
        self._last = now
        return False


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path)
    parser.add_argument("--tokens", type=int, default=1024, help="of the prompt")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = arguments.model or Path(folder) / "random.gguf"
        if arguments.model is None:
            write_model(path, SHAPES["qwen2.5-0.5b"])
        sys.exit(measure(path, arguments.tokens, arguments.threads, arguments.rounds))


def measure(path: Path, tokens: int, threads: int | None, rounds: int) -> int:
    """Print the table; the exit code."""
    engine = LlamaEngine(path, context=2 * tokens, threads=threads)
    polls = Polls(engine)
    prompt = [100 + number % 400 for number in range(tokens)]
    found: dict[str, list[float]] = {}
    print(f"{path.name}: micro-batches of {engine.micro_batch} tokens, {engine.threads} threads")
    for number in range(rounds):
        polls.reset()
        started = time.perf_counter()
        root = engine.prefill([number, *prompt], Sampling())
        rate = tokens / (time.perf_counter() - started)
        found.setdefault(f"prompt of {tokens}", []).append(polls.longest)
        for width in WIDTHS:
            branches = fork_apart(engine, root, [Sampling(seed=seed) for seed in range(width)])
            for _ in range(3):
                polls.reset()
                engine.step(branches)
                found.setdefault(f"step of {width}", []).append(polls.longest)
            for branch in branches:
                engine.drop(branch)
        engine.drop(root)
    engine.close()
    print(f"prompt: {rate:.0f} tokens/s (with the callback in Python)")
    print("| | slowest node, median ms | worst ms |\n|---|---|---|")
    for name, times in found.items():
        print(f"| {name} | {1000 * median(times):.1f} | {1000 * max(times):.1f} |")
    return int(any(median(times) > BAR_SECONDS for times in found.values()))


if __name__ == "__main__":
    main()
