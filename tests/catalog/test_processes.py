"""Several processes, and kill -9, over one catalogue: see `scripts/check_catalogue.py`."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the check forks")
def test_nothing_is_lost_or_broken() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "check_catalogue.py", "--kills", "12"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    changed = re.search(r"200 changes each in .* s: (\d+) models left", done.stdout)
    killed = re.search(r"24 processes killed: (\d+) models", done.stdout)
    assert changed is not None and int(changed[1]) > 20, done.stdout
    assert killed is not None and int(killed[1]) > 0, done.stdout
