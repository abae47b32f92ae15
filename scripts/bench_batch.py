"""Tokens per second of many samples: this project's engine against llama-cpp-python's `Llama`.

    python scripts/bench_batch.py [--model FILE.gguf] [--widths 1,4,8,16] [--rounds 3]

For each width n: (a) one prompt is evaluated once, forked n times, and all samples are decoded in
batched steps, with a unified and with a split cache; (b) the high-level `Llama` is asked n times
in a loop (it re-uses the prompt's cache as well). Both draw the same number of tokens with the
same sampling; rounds alternate so that a drifting machine hits both. Reported are medians of
(tokens drawn) / (seconds from the prompt to the last token), the prompt's evaluation included,
and the ratio of each round's pair. Without `--model`, a file with random weights in the shape of
Qwen2.5-0.5B (Q4_0) is written to a temporary folder first.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from edgemind.engines.llama import CacheMode, LlamaEngine
from edgemind.engines.trails import fork_apart
from edgemind.types import Sampling
from random_model import SHAPES, write_model

PROMPT = "<|im_start|>user\n" + "A farmer has 12 hens and each lays 5 eggs a week. " * 3
ENDING = "<|im_end|>\n<|im_start|>assistant\n"
SAMPLING = Sampling(temperature=0.8, top_k=40, top_p=0.95, min_p=0.05, repeat_penalty=1.0)


def ours(engine: LlamaEngine, tokens: list[int], width: int, length: int, seed: int) -> float:
    """Seconds for `width` samples of `length` tokens, prefill and clean-up included."""
    started = time.perf_counter()
    before = engine.evaluated_tokens
    root = engine.prefill(tokens, SAMPLING)
    if engine.evaluated_tokens - before >= len(tokens):
        raise AssertionError("the prompt was evaluated more than once")
    samplings = [Sampling(temperature=0.8, seed=seed + index) for index in range(width)]
    branches = fork_apart(engine, root, samplings)
    for _ in range(length):
        engine.step(branches)
    seconds = time.perf_counter() - started
    if engine.evaluated_tokens - before != len(tokens) - 1 + width * length:
        raise AssertionError("a fork evaluated the prompt again")
    for branch in (*branches, root):
        engine.drop(branch)
    return seconds


def theirs(llama: Any, tokens: list[int], width: int, length: int, seed: int) -> float:
    """Seconds for the same with the high-level API, one sample after another."""
    llama.reset()
    started = time.perf_counter()
    for index in range(width):
        llama.set_seed(seed + index)
        stream = llama.generate(
            tokens, top_k=40, top_p=0.95, min_p=0.05, temp=0.8, repeat_penalty=1.0, reset=True
        )
        for count, _token in enumerate(stream, 1):
            if count == length:
                break
    return time.perf_counter() - started


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path)
    parser.add_argument("--widths", default="1,4,8,16")
    parser.add_argument("--length", type=int, default=48, help="tokens of each sample")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int)
    arguments = parser.parse_args()
    widths = [int(width) for width in arguments.widths.split(",")]
    with tempfile.TemporaryDirectory() as folder:
        path = arguments.model or Path(folder) / "qwen2.5-0.5b-random-q4_0.gguf"
        if arguments.model is None:
            write_model(path, SHAPES["qwen2.5-0.5b"])
        compare(path, widths, arguments)


def compare(path: Path, widths: list[int], arguments: argparse.Namespace) -> None:
    """Measure and print the table."""
    modes: tuple[CacheMode, ...] = ("unified", "split")
    options = {"context": 1024, "width": max(widths), "threads": arguments.threads}
    engines = {mode: LlamaEngine(path, cache=mode, **options) for mode in modes}
    threads = engines["unified"].threads
    from llama_cpp import Llama

    llama = Llama(str(path), n_ctx=1024, n_threads=threads, n_threads_batch=threads, verbose=False)
    tokens = engines["unified"].vocabulary.encode(PROMPT + ENDING, special=True)
    print(f"{path.name}: {len(tokens)} prompt tokens, {arguments.length} tokens a sample, "
          f"{threads} threads, medians of {arguments.rounds} rounds")  # fmt: skip
    print("| width | unified tok/s | split tok/s | Llama loop tok/s | unified/loop | split/loop |")
    print("|---|---|---|---|---|---|")
    for width in widths:
        size = (tokens, width, arguments.length)
        runs: dict[str, Callable[[int], float]] = {
            mode: partial(ours, engine, *size) for mode, engine in engines.items()
        }
        runs["loop"] = partial(theirs, llama, *size)
        for run in runs.values():
            run(0)
        rounds = [
            {name: run(1000 * number) for name, run in runs.items()}
            for number in range(1, arguments.rounds + 1)
        ]
        drawn = width * arguments.length
        rates = {name: drawn / median(r[name] for r in rounds) for name in runs}
        ratios = {n: median(r["loop"] / r[n] for r in rounds) for n in ("unified", "split")}
        print(
            f"| {width} | {rates['unified']:.1f} | {rates['split']:.1f} | {rates['loop']:.1f} | "
            f"{ratios['unified']:.2f} | {ratios['split']:.2f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
