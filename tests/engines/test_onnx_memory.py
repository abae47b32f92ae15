"""Eight branches over a long prompt: what they take at most, and what is given back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MIB = 1 << 20
SCRIPT = """
import gc, json, sys
from pathlib import Path
import numpy as np
from edgemind.engines.onnx import OnnxEngine
from edgemind.types import Sampling

def status(field):
    gc.collect()
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line for line in lines if line.startswith(field)).split()[1])

engine = OnnxEngine(Path(sys.argv[1]), context=1200, width=8, threads=1)
samplings = [Sampling(temperature=0.8, top_k=40, seed=seed) for seed in range(8)]
warm = engine.prefill([*range(100, 120)], samplings[0])
engine.step([warm])
engine.drop(warm)
opened = status("VmRSS")
root = engine.prefill([100 + number % 400 for number in range(1000)], samplings[0])
branches = engine.fork(root, samplings)
for _ in range(10):
    engine.step(branches)
peak, full = status("VmHWM"), status("VmRSS")
for branch in (root, *branches[4:]):
    engine.drop(branch)
engine.step(branches[:4])
layout = engine._runner.layout
print(json.dumps([opened, peak, full, status("VmRSS"), 8 * 1010 * layout.token_bytes]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_eight_branches_over_a_long_prompt(nano: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(nano.parent / "edgemind-nano-onnx")],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    opened, peak, full, half, caches = json.loads(done.stdout)
    weights = sum(path.stat().st_size for path in nano.parent.glob("edgemind-nano-onnx/*.onnx"))
    # The bundled graph concatenates: past and present are held together.
    assert caches > 90 * MIB
    assert weights + peak - opened <= 1.15 * (weights + 2 * caches)
    assert full - half >= 0.45 * (full - opened)
