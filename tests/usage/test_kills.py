"""kill -9 at random moments of real processes: see `scripts/check_kills.py`."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the check forks")
def test_a_dozen_kills() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "check_kills.py", "--kills", "12", "--seed", "40"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    counts = re.search(r": (\d+) answers finished, (\d+) killed", done.stdout)
    assert counts is not None
    assert int(counts[1]) > 0 and int(counts[2]) > 0, done.stdout
