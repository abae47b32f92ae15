"""Questions from JSON lines: the forms, and what is wrong with other lines."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from edgemind.errors import ConfigError
from edgemind.evaluate.datasets import Problem, read_problems
from edgemind.types import Answer, Budget, Message, Route, Spent
from tests.evaluate.synthetic import write

ANSWER = Answer(
    "", None, "", 0.5, 1.0, Route("direct", 1, "", 0.5), 1, Spent(), Budget(), "stop", 1, "m"
)  # fmt: skip


def said(text: str, answer: str | None) -> Answer:
    return dataclasses.replace(ANSWER, text=text, answer=answer)


def one(folder: Path, row: object, by: str | None = None) -> Problem:
    [problem] = read_problems(write(folder / "p.jsonl", [row]), by=by)
    return problem


def test_gsm8k(tmp_path: Path) -> None:
    problem = one(tmp_path, {"question": "2+2?", "answer": "2+2 = <<2+2=4>>4\n#### 1,004"})
    assert (problem.chat, problem.gold) == ((Message("user", "2+2?"),), "1,004")
    assert problem.right(said("", "1004.0"))
    assert not problem.right(said("", "4"))
    assert not problem.right(said("", None))


def test_prompt_with_turns_before_it(tmp_path: Path) -> None:
    row = {"prompt": "And 3 more?", "answer": "7", "history": [["2+2?", "4"]], "level": "easy"}
    problem = one(tmp_path, row, by="level")
    assert [message.role for message in problem.chat] == ["user", "assistant", "user"]
    assert problem.chat[1].content == "4"
    assert problem.group == "easy"


@pytest.mark.parametrize("answer", ["B", "b", 1])
def test_choices(tmp_path: Path, answer: object) -> None:
    row = {"question": "2+2?", "choices": ["3", "4"], "answer": answer}
    problem = one(tmp_path, row)
    assert problem.gold == "B"
    assert "2+2?\n\n(A) 3\n(B) 4\n\n" in problem.chat[0].content
    assert problem.right(said("The answer is (B).", "B"))
    assert problem.right(said("It is 4.", "4"))
    assert not problem.right(said("The answer is (A).", "A"))
    assert not problem.right(said("No idea.", None))


def test_numbers_as_answers(tmp_path: Path) -> None:
    assert one(tmp_path, {"prompt": "?", "answer": 1234567.25}).gold == "1234567.25"
    assert one(tmp_path, {"prompt": "?", "answer": 12}).gold == "12"


def test_limit_and_blank_lines(tmp_path: Path) -> None:
    row = {"prompt": "?", "answer": "1"}
    path = write(tmp_path / "p.jsonl", [row, "", row, "{"])
    assert len(read_problems(path, limit=2)) == 2


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ("{", "is no JSON"),
        ("3", "is no JSON object"),
        ({}, 'has neither "prompt" nor "question"'),
        ({"prompt": " ", "answer": "1"}, 'has a "prompt" that is no text'),
        ({"prompt": "?"}, 'has no "answer" to compare with'),
        ({"prompt": "?", "answer": True}, 'has no "answer" to compare with'),
        ({"question": 3, "answer": "1"}, 'has a "question" that is no text'),
        ({"question": "?", "answer": "so ####"}, 'has no "answer" to compare with'),
        ({"prompt": "?", "answer": "1", "history": "x"}, 'has a "history" that is no list'),
        ({"prompt": "?", "answer": "1", "history": [["x"]]}, 'has a "history" with a turn'),
        ({"question": "?", "choices": "ab", "answer": 0}, 'has "choices" that are no list'),
        ({"question": "?", "choices": ["a"], "answer": 0}, "has 1 choices, not 2 to 10"),
        ({"question": "?", "choices": ["a", "b"], "answer": 2}, 'has an "answer" that is neither'),
        ({"question": "?", "choices": ["a", "b"], "answer": "C"}, "a letter of AB nor an index"),
        ({"question": "?", "choices": ["a", "b"]}, 'has an "answer" that is neither'),
        ({"choices": ["a", "b"], "answer": 0}, 'has a "question" that is no text'),
    ],
)
def test_bad_lines_are_named(tmp_path: Path, row: object, complaint: str) -> None:
    path = write(tmp_path / "p.jsonl", [{"prompt": "?", "answer": "1"}, row])
    with pytest.raises(ConfigError, match=rf"p\.jsonl:2 .*{re.escape(complaint)}"):
        read_problems(path)


def test_nothing_to_ask(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="holds no questions"):
        read_problems(write(tmp_path / "p.jsonl", []))
    with pytest.raises(ConfigError, match=r'p\.jsonl:1 has no "level" to group by'):
        read_problems(write(tmp_path / "p.jsonl", [{"prompt": "?", "answer": "1"}]), by="level")
