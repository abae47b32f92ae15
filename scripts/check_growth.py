"""Does a process grow with every answer? Resident memory after 100, 500 and 1,000 of them.

    python scripts/check_growth.py [--answers 1000] [--model PATH ...]

Short questions, all different, one pass each; every tenth is a vote of four, so that rows of the
cache come and go. One process for each model, the bundled GGUF and ONNX ones if none is given.
Memory is read after a garbage collection. The exit code is 1 where more than
`MOST_GROWTH` was added after the first tenth of the answers.
"""

from __future__ import annotations

import argparse
import gc
import subprocess
import sys
from pathlib import Path

import psutil

import edgemind
from edgemind.catalog.bundled import bundled_model
from edgemind.types import Sampling

MOST_GROWTH = 0.05
"""Of what is resident after the first tenth. A heap settles by 4 %; 6 KB an answer is more."""


def resident_mib() -> float:
    gc.collect()
    return float(psutil.Process().memory_info().rss) / (1 << 20)


def measure(model: Path, answers: int) -> bool:
    """Ask, print what is resident on the way; whether it stayed as it was."""
    marks = sorted({answers // 10, answers // 2, answers - answers // 10, answers})
    found: list[float] = []
    with edgemind.load(model, context=512, width=4, threads=1) as mind:
        for number in range(1, answers + 1):
            voted = number % 10 == 0
            mind.ask(
                f"What is {number % 97} + {number % 89 + number % 7}?",
                strategy="vote" if voted else "direct",
                width=4,
                sampling=Sampling(seed=number, max_tokens=24),
            )
            if number in marks:
                found.append(resident_mib())
                print(f"{model.name}: {found[-1]:8.2f} MiB after {number:,} answers", flush=True)
    growth = found[-1] / found[0] - 1
    print(f"{model.name}: {growth:+.2%} from the first of these to the last", flush=True)
    return growth <= MOST_GROWTH


def main() -> None:
    parser = argparse.ArgumentParser(description="memory over many answers")
    parser.add_argument("--answers", type=int, default=1000)
    parser.add_argument("--model", type=Path, action="append")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    gguf = bundled_model()
    models = options.model or [gguf, gguf.with_name("edgemind-nano-onnx")]
    if options.child:
        sys.exit(not measure(models[0], options.answers))
    command = [sys.executable, __file__, "--child", "--answers", str(options.answers), "--model"]
    codes = [subprocess.run([*command, str(model)], check=False).returncode for model in models]
    sys.exit(max(codes))


if __name__ == "__main__":
    main()
