"""`edgemind calibrate`: what it says, saves and refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgemind.router.store import load_calibration
from tests.cli.conftest import Program


@pytest.fixture
def questions(tmp_path: Path, program: Program, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr("edgemind.cli.calibrate.load", program.load)
    monkeypatch.setenv("EDGEMIND_DATA_DIR", str(tmp_path / "data"))
    rows = [{"prompt": f"What is {n} + 2?", "answer": "4"} for n in range(40)]
    path = tmp_path / "q.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def test_it_is_fitted_and_saved(program: Program, questions: str, tmp_path: Path) -> None:
    done = program("calibrate", "--data", questions, "--width", "3", "--json")
    assert done.exit_code == 0, done.stderr
    assert "40 questions" in done.stderr and "saved as" in done.stderr
    shown = json.loads(done.stdout)
    assert shown["problems"] == 40 and len(shown["data"]) == 64
    assert load_calibration(tmp_path / "data", "scripted", 1_000_000)[0].problems == 40


def test_a_dry_run_saves_nothing(program: Program, questions: str, tmp_path: Path) -> None:
    assert program("calibrate", "--data", questions, "--width", "2", "--dry-run").exit_code == 0
    assert not (tmp_path / "data").exists()


def test_too_few_questions_and_wrong_files_are_one_line(
    program: Program, questions: str, tmp_path: Path
) -> None:
    few = program("calibrate", "--data", questions, "--limit", "3")
    assert few.exit_code == 2 and "give at least 30" in few.stderr
    missing = program("calibrate", "--data", str(tmp_path / "none.jsonl"))
    assert missing.exit_code == 2 and "none.jsonl" in missing.stderr
    assert missing.stderr.count("\n") == 1
