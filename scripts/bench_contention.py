"""How much a busy background process slows down a decode step, for several OpenMP settings.

    python scripts/bench_contention.py [--model FILE.gguf]

For each setting a fresh process decodes on an otherwise quiet machine, then beside one process of
idle priority that never sleeps; medians and the 99th percentile of a step, in milliseconds. `ours`
is what the engine sets by itself.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from random_model import SHAPES, write_model

SETTINGS: dict[str, dict[str, str]] = {
    "ours": {},
    "libgomp default": {"GOMP_SPINCOUNT": ""},
    "GOMP_SPINCOUNT=200": {"GOMP_SPINCOUNT": "200"},
    "GOMP_SPINCOUNT=2000": {"GOMP_SPINCOUNT": "2000"},
    "GOMP_SPINCOUNT=20000": {"GOMP_SPINCOUNT": "20000"},
    "OMP_WAIT_POLICY=passive": {"GOMP_SPINCOUNT": "", "OMP_WAIT_POLICY": "passive"},
}


def measure(path: Path, steps: int) -> None:
    """In the child: the milliseconds of each step, as JSON on stdout."""
    from edgemind.engines.llama import LlamaEngine
    from edgemind.types import Sampling

    engine = LlamaEngine(path, context=512, width=1)
    root = engine.prefill(engine.vocabulary.encode("A short prompt.", special=False), Sampling())
    [branch] = engine.fork(root, [Sampling(seed=1)])
    times = []
    for _ in range(steps):
        started = time.perf_counter()
        engine.step([branch])
        times.append(1000 * (time.perf_counter() - started))
    print(json.dumps(times[5:]))


def child(path: Path, steps: int, setting: dict[str, str]) -> tuple[float, float]:
    """Median and 99th percentile of a step in a fresh process with this setting."""
    environment = {**os.environ, **{key: value for key, value in setting.items() if value}}
    if setting.get("GOMP_SPINCOUNT") == "":
        # The engine leaves a value that is set alone; libgomp ignores one it cannot read.
        environment["GOMP_SPINCOUNT"] = "default"
    command = [sys.executable, __file__, "--child", "--model", str(path), "--steps", str(steps)]
    output = subprocess.run(
        command, env=environment, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ).stdout
    times = sorted(json.loads(output))
    return median(times), times[int(0.99 * (len(times) - 1))]


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path)
    parser.add_argument("--steps", type=int, default=105)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        measure(arguments.model, arguments.steps)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = arguments.model or Path(folder) / "random.gguf"
        if arguments.model is None:
            write_model(path, SHAPES["qwen2.5-0.5b"])
        print("| setting | quiet median ms | quiet p99 | busy median ms | busy p99 | busy/quiet |")
        print("|---|---|---|---|---|---|")
        for name, setting in SETTINGS.items():
            quiet = child(path, arguments.steps, setting)
            with subprocess.Popen(
                ["nice", "-n", "19", sys.executable, "-c", "while True: pass"]
            ) as busy:
                loaded = child(path, arguments.steps, setting)
                busy.kill()
            print(f"| {name} | {quiet[0]:.1f} | {quiet[1]:.1f} | {loaded[0]:.1f} | {loaded[1]:.1f} "
                  f"| {loaded[0] / quiet[0]:.1f} |", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
