"""Reading answers, counting votes, intervals, and the JSON lines of make_data.py."""

from __future__ import annotations

import json
import re
import struct
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest

import evaluate
import make_data
import nano_scores
from check_scope import PROMPTS
from nano_answer import answer_of, is_refusal
from nano_skills import skills_of
from problems import (
    FIRST_SKILLS,
    LEVELS,
    SKILLS,
    Problem,
    Split,
    choose,
    mixture,
    open_requests,
    requests,
    scored_skills,
    stratified,
    weigh,
)
from tests.nano.samples import families

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


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("I am a small arithmetic model and cannot help with that.", True),
        ("I am a small arithmetic model.\n#### 7", False),
        ("2 + 3 = 5\n#### 5", False),
    ],
)
def test_a_refusal_gives_no_answer(text: str, refused: bool) -> None:
    assert is_refusal(text) is refused


def test_majority_ignores_what_cannot_be_read() -> None:
    def vote(*answers: str | None) -> str | None:
        return nano_scores.majority([(answer, 1.0) for answer in answers])

    assert vote("3", None, None, "4", "4") == "4"
    assert vote("3", "4") == "3"
    assert vote(None) is None
    assert nano_scores.majority([("3", 0.1), ("3", 0.1), ("4", 1.0)]) == "4"


def test_intervals_hold_the_share() -> None:
    low, high = nano_scores.wilson(45, 50)
    assert 0.78 < low < 0.9 < high < 0.96
    assert nano_scores.wilson(0, 0) == (0.0, 1.0)
    low, high = nano_scores.bootstrap([0.0, 1.0] * 50)
    assert 0.35 < low < 0.5 < high < 0.65


def test_a_perfect_answerer_scores_everything() -> None:
    stream = stratified(Split.HELD_OUT, 1, scored_skills(FIRST_SKILLS))
    problems = [next(stream) for _ in range(36)]

    def answer(some: Sequence[Problem], temperature: float, samples: int, seed: int) -> list[str]:
        wrong = temperature == 0
        return ["#### no" if wrong else p.solution for p in some for _ in range(samples)]

    outcomes = evaluate.evaluate(answer, problems, 0.8, 4, 1)
    rows = nano_scores.table(outcomes)
    assert list(rows)[:4] == ["all", *LEVELS]
    keys = list(rows)
    assert keys.index("add/easy") == keys.index("add") + 1 == keys.index("add/hard") - 2
    everything = rows["all"]
    assert everything["greedy"][0] == everything["refused"] == 0.0
    for column in ("mean", "half", "full", "gain", "checked", "oracle"):
        assert everything[column][0] == 100.0
    assert everything["check_gain"][0] == 0.0
    text = nano_scores.markdown(rows, 4)
    assert text.count("\n") == len(rows) + 1


def test_false_arithmetic_counts_a_tenth_in_the_checked_vote() -> None:
    problem = Problem("", "", "5", "add", "easy")
    wrong, right = "2 + 3 = 6\n#### 6", "2 + 3 = 5\n#### 5"
    outcome = nano_scores.Outcome(problem, wrong, (wrong, wrong, right, right))
    assert not outcome.majority(4) and outcome.majority(4, checked=True)
    row = nano_scores.summary([outcome])
    assert (row["greedy"][0], row["mean"][0], row["full"][0]) == (0.0, 50.0, 0.0)
    assert row["checked"][0] == row["oracle"][0] == row["check_gain"][0] == 100.0


def test_prompts_out_of_scope_are_in_no_training_wording() -> None:
    def normal(text: str) -> str:
        return re.sub(r"[^a-z0-9]+", " ", text.lower()).strip()

    prompts = [line for line in PROMPTS.read_text(encoding="utf-8").splitlines() if line]
    assert len(prompts) == len(set(map(normal, prompts))) >= 100
    frames = [
        text
        for module in (requests, open_requests)
        for _, family in families(module)
        for text in family.train
    ]
    # A frame matches whatever stands in its places.
    patterns = [
        re.compile(r".+".join(map(re.escape, map(normal, re.split(r"\{\w+\}", frame)))))
        for frame in frames
        if len(normal(re.sub(r"\{\w+\}", "", frame)).split()) >= 4
    ]
    assert len(patterns) > 100
    fixed = {normal(frame) for frame in frames if "{" not in frame}
    for prompt in map(normal, prompts):
        assert prompt not in fixed
        assert not any(pattern.fullmatch(prompt) for pattern in patterns), prompt


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


def test_a_file_says_what_its_model_was_trained_on(tmp_path: Path) -> None:
    def file(name: str, skills: str | None) -> Path:
        def text(value: str) -> bytes:
            return struct.pack("<Q", len(value)) + value.encode()

        fields = [text("a") + struct.pack("<If", 6, 1.5),
                  text("b") + struct.pack("<IIQ", 9, 8, 2) + text("x") + text("y"),
                  text("c") + struct.pack("<IIQ", 9, 5, 3) + bytes(12)]  # fmt: skip
        if skills is not None:
            fields.append(text("edgemind.skills") + struct.pack("<I", 8) + text(skills))
        path = tmp_path / name
        path.write_bytes(struct.pack("<4sIQQ", b"GGUF", 3, 0, len(fields)) + b"".join(fields))
        return path

    named = file("named.gguf", "code,add,chat,from_the_future")
    assert skills_of(named) == tuple(name for name in SKILLS if name in ("add", "chat", "code"))
    silent = file("silent.gguf", None)
    assert sorted(skills_of(silent)) == sorted(FIRST_SKILLS)
    assert evaluate.chosen_skills([], named, None) == skills_of(named)
    assert evaluate.chosen_skills(["first"], named, None) == skills_of(silent)
    assert make_data.parse(["--model", str(named)]).skills == ["add", "code"]
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(named.read_bytes()[:60])
    with pytest.raises(ValueError, match="ends early"):
        skills_of(cut)
    cut.write_bytes(b"not a model, but long enough to look at")
    with pytest.raises(ValueError, match="no GGUF file"):
        skills_of(cut)


def test_skills_are_chosen_by_name_and_weighed() -> None:
    assert choose([]) == choose(["all"]) == tuple(SKILLS)
    assert set(choose(["first", "code"])) == {*FIRST_SKILLS, "code"}
    with pytest.raises(ValueError, match="did you mean 'fraction'"):
        choose(["fractions"])
    weights = weigh(["add", "code"], ["code=2.5"])
    assert weights == {"add": SKILLS["add"].weight, "code": 2.5}
    drawn = Counter(mixture(Random(n), Split.TRAIN, weights=weights).skill for n in range(300))
    assert set(drawn) == {"add", "code"} and drawn["code"] > drawn["add"]
    for wrong, message in (("chat=1", "takes no part"), ("add=x", "is not SKILL=NUMBER"),
                           ("add=-1", "must be 0 or more")):  # fmt: skip
        with pytest.raises(ValueError, match=message):
            weigh(["add", "code"], [wrong])
    with pytest.raises(ValueError, match="at least one"):
        weigh(["add"], ["add=0"])
