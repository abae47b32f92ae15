"""Milliseconds of a decode step, at several widths and numbers of threads.

    python scripts/bench_steps.py [--model FILE.gguf | --shape edgemind-nano] [--threads 1,2]

For each number of threads a prompt of 256 tokens is evaluated (tokens per second), then forked and
stepped; medians over `--steps`, and the 90th percentile in brackets. `--loop` adds the same step of
llama-cpp-python's `Llama.generate` at width 1, in turns with ours.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from edgemind.engines.llama import LlamaEngine
from edgemind.engines.trails import fork_apart
from edgemind.types import Sampling
from random_model import SHAPES, write_model

PROMPT_TOKENS = 256
WIDTHS = (1, 2, 4, 8, 16)


def timed(step: Callable[[], object], steps: int) -> list[float]:
    """Sorted milliseconds of `steps` calls, after five that do not count."""
    times = []
    for number in range(steps + 5):
        started = time.perf_counter()
        step()
        if number >= 5:
            times.append(1000 * (time.perf_counter() - started))
    return sorted(times)


def measure(path: Path, threads: int, steps: int) -> None:
    """Print one row: prefill, then each width."""
    engine = LlamaEngine(path, context=1024, threads=threads)
    prompt = [100 + number % 400 for number in range(PROMPT_TOKENS)]
    rates = []
    for number in range(5):
        started = time.perf_counter()
        root = engine.prefill([number, *prompt], Sampling())
        rates.append(PROMPT_TOKENS / (time.perf_counter() - started))
        if number < 4:
            engine.drop(root)
    cells = []
    for width in WIDTHS:
        branches = fork_apart(engine, root, [Sampling(seed=seed) for seed in range(width)])
        times = timed(lambda branches=branches: engine.step(branches), steps)  # type: ignore[misc]
        cells.append(f"{median(times):.2f} ({times[int(0.9 * len(times))]:.2f})")
        for branch in branches:
            engine.drop(branch)
    print(f"| {threads} | {median(rates):.0f} | {' | '.join(cells)} |", flush=True)
    engine.close()


def against_loop(path: Path, threads: int, steps: int) -> None:
    """Print a step of ours and one of `Llama.generate`, measured in turns."""
    engine = LlamaEngine(path, context=1024, threads=threads)
    from llama_cpp import Llama

    llama: Any = Llama(
        str(path), n_ctx=1024, n_threads=threads, n_threads_batch=threads, verbose=False
    )
    prompt = [100 + number % 400 for number in range(PROMPT_TOKENS)]
    ours, theirs = [], []
    for seed in range(5):
        root = engine.prefill(prompt, Sampling())
        [branch] = fork_apart(engine, root, [Sampling(seed=seed)])
        ours += timed(lambda branch=branch: engine.step([branch]), steps // 5)  # type: ignore[misc]
        engine.drop(branch)
        engine.drop(root)
        llama.reset()
        stream = llama.generate(prompt, top_k=40, top_p=0.95, min_p=0.05, temp=0.8)
        theirs += timed(lambda stream=stream: next(stream), steps // 5)  # type: ignore[misc]
    print(f"width 1: ours {median(ours):.2f} ms, Llama.generate {median(theirs):.2f} ms a step")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path)
    parser.add_argument("--shape", choices=sorted(SHAPES), default="qwen2.5-0.5b")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--loop", action="store_true")
    arguments = parser.parse_args()
    numbers = [int(number) for number in arguments.threads.split(",")]
    with tempfile.TemporaryDirectory() as folder:
        path = arguments.model or Path(folder) / f"{arguments.shape}-random.gguf"
        if arguments.model is None:
            write_model(path, SHAPES[arguments.shape])
        print(f"{path.name}: ms a step, median (p90)")
        print("| threads | prefill tok/s | " + " | ".join(map(str, WIDTHS)) + " |")
        print("|---|---|" + "---|" * len(WIDTHS))
        for threads in numbers:
            measure(path, threads, arguments.steps)
        if arguments.loop:
            against_loop(path, max(numbers), arguments.steps)


if __name__ == "__main__":
    main()
