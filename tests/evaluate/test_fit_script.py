"""`scripts/fit_stopping.py` from the outside."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.evaluate.synthetic import record

ROOT = Path(__file__).parents[2]


def fit_stopping(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, ROOT / "scripts" / "fit_stopping.py", *map(str, arguments)],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_prior_and_the_tables(tmp_path: Path) -> None:
    path = record(tmp_path / "r.jsonl", 60)
    done = fit_stopping(path, "--shuffles", 2, "--judge", path)
    assert done.returncode == 0, done.stderr
    assert "questions of half 0" in done.stdout
    assert "| worth 0.0005 | " in done.stdout
    assert "| beta 0.8906 | " in done.stdout


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    done = fit_stopping(tmp_path / "missing.jsonl")
    assert done.returncode == 1
    assert done.stderr.startswith("fit_stopping: ")
    assert done.stderr.count("\n") == 1
