"""Tokens per second, first token and memory of the ONNX engine, beside onnxruntime-genai.

    python scripts/bench_onnx.py [--model FOLDER] [--rounds 3] [--tokens 64] [--prompt 200]

The same folder, the same prompt of token ids, greedy at batch 1 and eight samples of one prompt;
rounds alternate so that a drifting machine hits both. Reported are medians: milliseconds to the
first token, tokens per second after it, and the peak of resident memory of a process of its own
for each side. onnxruntime-genai (`pip install onnxruntime-genai`) is left out where it is not
installed; a folder of a Llama model that lacks its genai_config.json gets one, in a temporary copy.
Without `--model`, a folder with random weights in the shape of Qwen2.5-0.5B (4 bits) is written to
a temporary place first.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

WIDTHS = (1, 8)
Figures = dict[str, float]


def ours(folder: Path, width: int, prompt: list[int], tokens: int, threads: int) -> Figures:
    """One answer (or eight samples) of this project's engine."""
    from edgemind.engines.onnx import OnnxEngine
    from edgemind.engines.trails import fork_apart
    from edgemind.types import Sampling

    engine = OnnxEngine(folder, width=8, threads=threads)
    samplings = [
        Sampling(temperature=0.0 if width == 1 else 0.8, top_k=40, seed=seed)
        for seed in range(width)
    ]
    figures: Figures = {}
    for _ in range(2):  # the first one warms up
        started = time.perf_counter()
        root = engine.prefill(prompt, samplings[0])
        branches = fork_apart(engine, root, samplings)
        engine.step(branches)
        first = time.perf_counter()
        for _ in range(tokens - 1):
            engine.step(branches)
        ended = time.perf_counter()
        for branch in (root, *branches):
            engine.drop(branch)
        figures = {"first": first - started, "rate": width * (tokens - 1) / (ended - first)}
    engine.close()
    return figures


def theirs(folder: Path, width: int, prompt: list[int], tokens: int, threads: int) -> Figures:
    """The same by onnxruntime-genai."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    genai: Any = importlib.import_module("onnxruntime_genai")
    config = genai.Config(str(folder))
    overlay = {"model": {"decoder": {"session_options": {"intra_op_num_threads": threads}}}}
    if hasattr(config, "overlay"):
        config.overlay(json.dumps(overlay))
    model = genai.Model(config)
    figures: Figures = {}
    for _ in range(2):
        parameters = genai.GeneratorParams(model)
        parameters.set_search_options(
            max_length=len(prompt) + tokens + 1, min_length=len(prompt) + tokens + 1,
            batch_size=width, do_sample=width > 1, temperature=0.8, top_k=40, top_p=1.0,
        )  # fmt: skip
        started = time.perf_counter()
        generator = genai.Generator(model, parameters)
        generator.append_tokens(np.array([prompt] * width, np.int32))
        generator.generate_next_token()
        first = time.perf_counter()
        for _ in range(tokens - 1):
            generator.generate_next_token()
        ended = time.perf_counter()
        figures = {"first": first - started, "rate": width * (tokens - 1) / (ended - first)}
        del generator
    return figures


def child(side: str, folder: Path, width: int, options: argparse.Namespace) -> Figures:
    """Figures of one side from a process of its own, with its peak memory."""
    command = [
        sys.executable, __file__, "--child", side, "--width", str(width), "--model", str(folder),
        "--tokens", str(options.tokens), "--prompt", str(options.prompt),
        "--threads", str(options.threads),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{side} failed:\n{done.stderr[-2000:]}")
    found: Figures = json.loads(done.stdout.splitlines()[-1])
    return found


def compare(folder: Path, options: argparse.Namespace) -> None:
    """Rounds of both sides in turns, and a table of medians."""
    sides = ["edgemind"]
    if importlib.util.find_spec("onnxruntime_genai"):
        sides.append("onnxruntime-genai")
    print("| width | engine | first token, ms | tokens/s | peak MiB |\n|---|---|---|---|---|")
    for width in WIDTHS:
        found: dict[str, list[Figures]] = {side: [] for side in sides}
        for _ in range(options.rounds):
            for side in sides:
                found[side].append(child(side, folder, width, options))
        for side, rows in found.items():
            first, rate, peak = (median(r[key] for r in rows) for key in ("first", "rate", "peak"))
            print(
                f"| {width} | {side} | {1000 * first:.1f} | {rate:.1f} | {peak:.0f} |", flush=True
            )
        if len(sides) > 1:
            ratios = [one["rate"] / two["rate"] for one, two in zip(*found.values(), strict=True)]
            print(f"| {width} | ratio of each round | | {median(ratios):.3f} | |", flush=True)


def for_both(folder: Path, place: Path) -> Path:
    """The folder itself if onnxruntime-genai can open it, else links to its files, with what lacks.

    For models in optimum's layout whose graph concatenates past and new keys.
    """
    from random_model import Shape
    from random_onnx import genai_settings

    if (folder / "genai_config.json").exists():
        return folder
    told = json.loads((folder / "config.json").read_text())
    shape = Shape(
        told["num_hidden_layers"], told["hidden_size"], told["intermediate_size"],
        told["num_attention_heads"], told["num_key_value_heads"], told["vocab_size"],
        told["max_position_embeddings"],
    )  # fmt: skip
    [graph] = folder.glob("*.onnx")
    for file in folder.iterdir():
        (place / file.name).symlink_to(file.resolve())
    settings = genai_settings(shape, told["model_type"], graph.name, positions=True, in_place=False)
    (place / "genai_config.json").write_text(json.dumps(settings))
    return place


def main() -> None:
    parser = argparse.ArgumentParser(description="the ONNX engine beside onnxruntime-genai")
    parser.add_argument("--model", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--prompt", type=int, default=200)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--child", choices=["edgemind", "onnxruntime-genai"])
    parser.add_argument("--width", type=int, default=1)
    options = parser.parse_args()
    if options.child:
        import resource

        run = ours if options.child == "edgemind" else theirs
        prompt = [100 + number % 400 for number in range(options.prompt)]
        figures = run(options.model, options.width, prompt, options.tokens, options.threads)
        figures["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps(figures))
        return
    with tempfile.TemporaryDirectory() as name:
        if options.model:
            compare(for_both(options.model, Path(name)), options)
        else:
            from random_model import SHAPES
            from random_onnx import write_folder

            write_folder(Path(name), SHAPES["qwen2.5-0.5b"])
            compare(Path(name), options)


if __name__ == "__main__":
    main()
