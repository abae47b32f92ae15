"""Reading answers, counting votes, intervals, and the JSON lines of make_data.py."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

import evaluate
import make_data
from nano_answer import answer_of
from problems import LEVELS, Problem, Split, stratified

SCRIPT = Path(make_data.__file__)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("2 + 3 = 5\n#### 5", "5"),
        ("#### 5\n#### 6.", "6"),
        ("#### 14:35", "14:35"),
        ("no answer", None),
        ("####", None),
    ],
)
def test_answer_of(text: str, answer: str | None) -> None:
    assert answer_of(text) == answer


def test_majority_ignores_what_cannot_be_read() -> None:
    assert evaluate.majority(["3", None, None, "4", "4"]) == "4"
    assert evaluate.majority(["3", "4"]) == "3"
    assert evaluate.majority([None]) is None


def test_intervals_hold_the_share() -> None:
    low, high = evaluate.wilson(45, 50)
    assert 0.78 < low < 0.9 < high < 0.96
    assert evaluate.wilson(0, 0) == (0.0, 1.0)
    low, high = evaluate.bootstrap([0.0, 1.0] * 50)
    assert 0.35 < low < 0.5 < high < 0.65


def test_a_perfect_answerer_scores_everything() -> None:
    stream = stratified(Split.HELD_OUT, 1)
    problems = [next(stream) for _ in range(36)]

    def answer(some: Sequence[Problem], temperature: float, samples: int, seed: int) -> list[str]:
        wrong = temperature == 0
        return ["#### no" if wrong else p.solution for p in some for _ in range(samples)]

    outcomes = evaluate.evaluate(answer, problems, 0.8, 4, 1)
    rows = evaluate.table(outcomes)
    assert list(rows)[:4] == ["all", *LEVELS]
    assert rows["all"]["greedy"][0] == 0.0
    assert rows["all"]["majority"][0] == rows["all"]["mean"][0] == rows["all"]["gain"][0] == 100.0
    text = evaluate.markdown(rows, 4)
    assert text.count("\n") == len(rows) + 1


def test_make_data_is_deterministic(tmp_path: Path) -> None:
    files = []
    for number in range(2):
        out = tmp_path / f"{number}.jsonl"
        command = [sys.executable, str(SCRIPT), "--size", "50", "--seed", "3", "--out", str(out)]
        subprocess.run(command, check=True)
        files.append(out.read_text(encoding="utf-8"))
    assert files[0] == files[1]
    records = [json.loads(line) for line in files[0].splitlines()]
    assert len(records) == 50
    assert all(set(record) == {"prompt", "answer", "skill", "level"} for record in records)


def test_make_data_refuses_unknown_skills(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        make_data.parse(["--skills", "poetry"])
    assert "unknown skill 'poetry'" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        make_data.parse(["--skills", "follow_up"])
