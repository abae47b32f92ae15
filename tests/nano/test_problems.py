"""The first skills and the generator as a whole: true steps, seeds, splits that share nothing."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from random import Random

import pytest

from problems import (
    FIRST_SKILLS,
    LEVELS,
    SKILLS,
    Problem,
    Split,
    generate,
    mixture,
    scored_skills,
    stratified,
)
from problems import steps as arithmetic
from problems.base import Draft, Family, bucket, part
from problems.dress import dress
from problems.words import CONTAINERS, NAMES, PLACES, THINGS

PER_CELL = 40
_STEP = re.compile(r"(\d+) ([-+*/]) (\d+) = (\d+)$")
CELLS = [
    (split, skill, level)
    for split in Split
    for skill in FIRST_SKILLS
    for level in range(len(LEVELS))
]


def true_step(a: int, op: str, b: int, c: int) -> bool:
    return {"+": a + b == c, "-": a - b == c, "*": a * b == c, "/": b != 0 and b * c == a}[op]


def made(split: Split, skill: str, level: int, count: int = PER_CELL) -> list[Problem]:
    return [
        generate(Random(f"test/{split.value}/{skill}/{level}/{n}"), skill, level, split)
        for n in range(count)
    ]


def undressed(split: Split, skill: str, level: int, count: int = 200) -> list[Draft]:
    """Drafts, whose prompts have no greetings and slips around them."""
    return [SKILLS[skill].make(Random(n), level, split) for n in range(count)]


def solutions(problem: Problem) -> list[str]:
    return [problem.solution, *(reply for _, reply in problem.history)]


def test_every_step_is_true_and_the_last_line_is_the_answer() -> None:
    checked = 0
    for split, skill, level in CELLS:
        for problem in made(split, skill, level):
            if not SKILLS[skill].scored:
                assert problem.answer == "" and "####" not in problem.solution
                continue
            assert problem.solution.splitlines()[-1] == f"#### {problem.answer}"
            for solution in solutions(problem):
                *lines, last = solution.splitlines()
                assert last.startswith("#### ") and lines
                for line in lines:
                    found = _STEP.search(line)
                    assert found, line
                    a, op, b, c = found.groups()
                    assert true_step(int(a), op, int(b), int(c)), line
                    checked += 1
    assert checked > 5000


@pytest.mark.parametrize("skill", [name for name in scored_skills(FIRST_SKILLS) if name != "clock"])
def test_the_answer_is_the_result_of_a_step(skill: str) -> None:
    for level in range(len(LEVELS)):
        for problem in made(Split.TRAIN, skill, level):
            assert problem.solution.splitlines()[-2].endswith(f"= {problem.answer}")


def test_clock_answers_are_times_or_minutes_that_agree_with_the_question() -> None:
    for level in range(len(LEVELS)):
        for problem in undressed(Split.HELD_OUT, "clock", level):
            times = [int(h) * 60 + int(m) for h, m in re.findall(r"(\d\d):(\d\d)", problem.prompt)]
            if len(times) == 2:
                assert int(problem.answer) == times[1] - times[0]
            else:
                hours, minutes = map(int, problem.answer.split(":"))
                assert 0 <= hours < 24 and 0 <= minutes < 60
                rest = re.sub(r"\d\d:\d\d", "", problem.prompt)
                length = sum(
                    int(number) * (60 if unit == "h" else 1)
                    for number, unit in re.findall(r"(\d+) *(h|m)", rest)
                )
                assert abs(hours * 60 + minutes - times[0]) == length, problem.prompt


def test_one_operation_agrees_with_the_numbers_of_the_question() -> None:
    results = {
        "add": lambda a, b: a + b,
        "subtract": lambda a, b: abs(a - b),
        "multiply": lambda a, b: a * b,
        "divide": lambda a, b: max(a, b) // min(a, b),
    }
    for skill, result in results.items():
        for level in range(len(LEVELS)):
            for problem in made(Split.VALIDATION, skill, level):
                a, b = map(int, re.findall(r"\d+", problem.prompt)[:2])
                assert str(result(a, b)) == problem.answer, problem


def test_expressions_agree_with_python() -> None:
    signs = str.maketrans({"x": "*", "×": "*", ":": "/", "÷": "/", "−": "-"})
    for level in range(len(LEVELS)):
        for problem in undressed(Split.TRAIN, "expression", level):
            text = problem.prompt.translate(signs)
            found = max(re.findall(r"[-+*/() \d]+", text), key=len).strip()
            value = eval(found, {"__builtins__": {}})
            assert value == int(problem.answer), problem


def test_same_seed_same_problems() -> None:
    for split, skill, level in CELLS:
        assert made(split, skill, level, 3) == made(split, skill, level, 3)
    first = list(itertools.islice(stratified(Split.HELD_OUT, 5), 60))
    assert first == list(itertools.islice(stratified(Split.HELD_OUT, 5), 60))
    assert first != list(itertools.islice(stratified(Split.HELD_OUT, 6), 60))


def test_stratified_takes_skills_and_levels_in_turn_without_repeats() -> None:
    problems = list(itertools.islice(stratified(Split.TRAIN, 1, ["add", "clock"], [0, 2]), 40))
    assert {(p.skill, p.level) for p in problems[:4]} == {
        ("add", "easy"), ("clock", "easy"), ("add", "hard"), ("clock", "hard"),
    }  # fmt: skip
    assert len({p.prompt for p in problems}) == len(problems)
    mixed = list(itertools.islice(stratified(Split.TRAIN, 1, ["age"], [0, 0, 0, 1]), 40))
    assert Counter(p.level for p in mixed) == {"easy": 30, "middle": 10}
    with pytest.raises(ValueError, match="unknown skill 'fractons'"):
        next(stratified(Split.TRAIN, 1, ["fractons"]))


def test_splits_share_no_words_and_no_numbers() -> None:
    for items in (NAMES, THINGS, CONTAINERS, PLACES):
        pieces = [set(part(split, list(items))) for split in Split]
        assert all(piece for piece in pieces)
        assert sum(map(len, pieces)) == len(set(items))
    keys = [f"{a}*{b}" for a in range(13, 60) for b in range(13, 60)]
    shares = [sum(bucket(key) is split for key in keys) / len(keys) for split in Split]
    assert shares[0] > 0.8 and min(shares) > 0.03


def test_splits_share_no_prompt_beyond_the_tables() -> None:
    skills = [name for name in scored_skills(FIRST_SKILLS) if name not in ("multiply", "divide")]
    seen: dict[Split, set[tuple[object, str]]] = {}
    for split in Split:
        seen[split] = {
            (problem.history, problem.prompt.lower())
            for skill in skills
            for level in (1, 2)
            for problem in made(split, skill, level)
        }
    for one, other in itertools.combinations(Split, 2):
        assert not seen[one] & seen[other]


def test_wordings_of_other_splits_never_reach_training() -> None:
    family = Family(("common",), ("valid",), ("held",))
    rng = Random(1)
    drawn = {split: {family.pick(rng, split) for _ in range(60)} for split in Split}
    assert drawn[Split.TRAIN] == {"common"}
    assert drawn[Split.VALIDATION] == {"common", "valid"}
    assert drawn[Split.HELD_OUT] == {"common", "held"}


def test_slips_never_touch_numbers() -> None:
    rng = Random(3)
    text = "At 14:35 Anna buys 17 apples for 23 dollars each, then 4 more."
    for _ in range(500):
        dressed = dress(rng, text, Split.TRAIN)
        assert re.findall(r"\d+", dressed) == re.findall(r"\d+", text)


def test_sampled_solutions_take_different_paths() -> None:
    for op, a, b in (("*", 47, 86), ("+", 2786, 1457), ("-", 932, 578), ("/", 782, 23)):
        paths = {tuple(arithmetic.compute(Random(n), a, op, b)) for n in range(40)}
        assert len(paths) >= 2, op


def test_impossible_steps_are_refused() -> None:
    with pytest.raises(ValueError, match="7 / 2 is no exact step"):
        arithmetic.line(7, "/", 2)


def test_mixtures_cover_every_skill() -> None:
    rng = Random(2)
    assert {mixture(rng, Split.TRAIN).skill for _ in range(3000)} == set(SKILLS)
