"""How long after Ctrl-C an answer returns, in the middle of a 1,500-token prompt's evaluation.

    python scripts/bench_interrupt.py [--model FILE.gguf] [--runs 20]

A timer sends this process SIGINT at a random moment of the prefill; the handler calls
`Mind.stop()`, as the command line's does. Measured from the signal to the end of the stream, in
milliseconds. Exit code 1 if one took over 100 ms.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import median

import edgemind
from random_model import SHAPES, write_model

PROMPT_TOKENS = 1500
ALLOWED_MS = 100


def one(mind: edgemind.Mind, rng: random.Random, prefill_seconds: float) -> float:
    """Milliseconds from the signal to the end of one stream."""
    words = ["".join(rng.choices("etaoinshrdlu", k=5)) for _ in range(3000)]
    prompt = " ".join(words)[: PROMPT_TOKENS * 2]
    sent = 0.0

    def send() -> None:
        nonlocal sent
        sent = time.perf_counter()
        os.kill(os.getpid(), signal.SIGINT)

    timer = threading.Timer(prefill_seconds * rng.uniform(0.1, 0.9), send)
    timer.start()
    answer = mind.ask(prompt)
    ended = time.perf_counter()
    timer.join()
    if answer.text or answer.finish != "interrupted":
        raise AssertionError(f"the signal did not come within the prefill: {answer}")
    return 1000 * (ended - sent)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path)
    parser.add_argument("--runs", type=int, default=20)
    arguments = parser.parse_args()
    rng = random.Random(0)
    with tempfile.TemporaryDirectory() as folder:
        path = arguments.model or Path(folder) / "random.gguf"
        if arguments.model is None:
            write_model(path, SHAPES["qwen2.5-0.5b"])
        with edgemind.load(path) as mind:
            signal.signal(signal.SIGINT, lambda _number, _frame: mind.stop())
            words = ["".join(rng.choices("etaoinshrdlu", k=5)) for _ in range(3000)]
            once = edgemind.Sampling(max_tokens=1)
            first = mind.ask(" ".join(words)[: PROMPT_TOKENS * 2], sampling=once)
            print(
                f"{first.spent.prompt_tokens} tokens are evaluated in {first.spent.seconds:.1f} s"
            )
            times = [one(mind, rng, first.spent.seconds) for _ in range(arguments.runs)]
    print(f"signal to return: median {median(times):.1f} ms, worst {max(times):.1f} ms")
    sys.exit(int(max(times) > ALLOWED_MS))


if __name__ == "__main__":
    main()
