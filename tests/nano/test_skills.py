"""Every skill, level and split: true lines, one answer for a prompt, nothing shared by splits."""

from __future__ import annotations

import itertools
import re
from fractions import Fraction
from pathlib import Path
from random import Random

import pytest

import problems
from edgemind.verify.answers import equivalent, extract
from problems import LEVELS, SKILLS, Problem, Split, generate, requests
from problems.faults import STEP, check
from problems.spelling import WORDS
from tests.nano.samples import CELLS, everything, families, identity, normal, sample

_NUMBER = r"-?\d+(?:\.\d+)?"
_LOOSE = re.compile(rf"({_NUMBER}) *([-+*/%]|//) *({_NUMBER}) *=(?!=) *({_NUMBER})")
# Their earlier turns hold a false line on purpose.
_FALSE = {"revise"}


def solutions(problem: Problem) -> list[str]:
    earlier = [reply for _, reply in problem.history if "####" in reply]
    return [problem.solution] if problem.skill in _FALSE else [problem.solution, *earlier]


def holds(a: str, op: str, b: str, c: str) -> bool:
    left, right, result = Fraction(a), Fraction(b), Fraction(c)
    match op:
        case "+":
            return left + right == result
        case "-":
            return left - right == result
        case "*":
            return left * right == result
        case "/":
            return right != 0 and left == result * right
        case "//":
            return left // right == result
    return left % right == result


def test_every_line_of_arithmetic_is_true() -> None:
    checked = 0
    for problem in everything():
        for solution in solutions(problem):
            for line in solution.splitlines():
                for a, op, b, c in _LOOSE.findall(line):
                    assert holds(a, op, b, c), (problem.skill, line)
                    checked += 1
    assert checked > 60_000


def test_solutions_end_in_the_answer_and_edgemind_reads_it() -> None:
    for number, problem in enumerate(everything()):
        if not SKILLS[problem.skill].scored:
            assert problem.answer == "" and "####" not in problem.solution
            continue
        lines = problem.solution.splitlines()
        assert lines[-1] == f"#### {problem.answer}" and len(lines) >= 2
        if number % 7 == 0:
            found = extract(problem.solution)
            assert found is not None and equivalent(found, problem.answer), problem
        assert all(line.strip() == line != "" for line in lines)


@pytest.mark.parametrize("skill", [
    "decimal", "percent", "chain", "rate", "age", "change", "imperial", "temperature", "equation",
    "near_miss", "add", "story", "sequence",
])  # fmt: skip
def test_the_answer_is_the_result_of_the_last_line(skill: str) -> None:
    for level, split in itertools.product(range(len(LEVELS)), Split):
        for problem in sample(skill, level, split):
            assert problem.solution.splitlines()[-2].endswith(f"= {problem.answer}"), problem


def test_the_same_seed_makes_the_same_problem() -> None:
    for skill, level, split in CELLS:
        seed = f"sample/{split.value}/{skill}/{level}/0"
        assert generate(Random(seed), skill, level, split) == sample(skill, level, split)[0]


def test_a_prompt_has_one_answer() -> None:
    answers: dict[tuple[str, ...], str] = {}
    for problem in everything():
        known = answers.setdefault(identity(problem), problem.answer)
        assert known == problem.answer, problem


def test_splits_share_no_prompt() -> None:
    # Tables of multiplication and sums below 30 must all be learnt; small talk has no numbers.
    tables = {"multiply", "divide", "add", "subtract", "chat", "expression", "revise", "dialogue"}
    seen = {
        split: {identity(p) for p in everything(split) if p.skill not in tables} for split in Split
    }
    for one, other in itertools.combinations(Split, 2):
        assert not seen[one] & seen[other]


def test_families_of_wordings_are_disjoint() -> None:
    modules = [problems.dress, requests]
    folder = Path(problems.__file__).parent / "skills"
    names = [path.stem for path in sorted(folder.glob("[!_]*.py"))]
    modules += [getattr(problems.skills, name) for name in names]
    count = 0
    for module in modules:
        for name, family in families(module):
            groups = [{normal(text) for text in group}
                      for group in (family.train, family.valid, family.held)]  # fmt: skip
            assert groups[1] and groups[2], (module, name)
            for one, other in itertools.combinations(groups, 2):
                assert not one & other, (module, name)
            count += len(family.train) + len(family.valid) + len(family.held)
    assert count > 1000


def test_words_and_topics_belong_to_one_split() -> None:
    for items in (WORDS, requests.TOPICS):
        assert len(set(items)) == len(items)


def test_prompts_are_plain_and_solutions_are_ascii() -> None:
    for problem in everything():
        assert problem.prompt.strip() == problem.prompt != ""
        assert problem.solution.isascii()
        assert not re.search(r"\{\w*\}|\bNone\b| ,|  [a-z]", problem.prompt.split("```")[0]) or (
            problem.skill == "code"
        ), problem.prompt


def test_solutions_have_bounded_length() -> None:
    for problem in everything():
        lines = problem.solution.splitlines()
        assert len(lines) <= 60 and max(map(len, lines)) <= 170, problem


def test_every_cell_has_some_variety() -> None:
    for skill, level, split in CELLS:
        made = sample(skill, level, split)
        assert len({identity(problem) for problem in made}) > len(made) / 3, (skill, level, split)


def test_a_revision_has_one_false_line_that_the_message_names() -> None:
    kept, count = 0, 0
    for level, split in itertools.product(range(len(LEVELS)), Split):
        for problem in sample("revise", level, split):
            ((_, draft),) = problem.history
            *lines, last = draft.splitlines()
            assert problem.prompt == check(lines)
            false = [
                line for line in lines for step in STEP.findall(line)
                if not holds(step[0], step[1], step[2], step[3])
            ]  # fmt: skip
            assert len(false) == 1, draft
            assert check(problem.solution.splitlines()[:-1]) is None
            assert len(problem.solution.splitlines()) == len(lines) + 1
            if problem.solution.splitlines()[-2].endswith(f" = {problem.answer}"):
                assert lines[-1].endswith(f" = {last.removeprefix('#### ')}"), draft
            kept += last == f"#### {problem.answer}"
            count += 1
    assert kept < 0.15 * count


def test_prompts_and_solutions_fit_in_400_tokens() -> None:
    from nano_tokenizer import encode_chat, train_tokenizer, turns_of

    tokenizer = train_tokenizer(2048, problems=2500)
    for skill in SKILLS:
        for problem in sample(skill, 2, Split.TRAIN)[:120] + sample(skill, 1, Split.TRAIN)[:60]:
            length = len(encode_chat(tokenizer, turns_of(problem, solved=True))[0])
            assert length <= (520 if skill == "chain" else 400), (length, problem)
