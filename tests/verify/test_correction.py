"""A revision is the draft corrected, or it is an answer to something else."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from edgemind.sample import NO_SIGNALS
from edgemind.strategies.refine import better
from edgemind.types import Completion, Finish, Objection
from edgemind.verify.answers import extract
from edgemind.verify.arithmetic import arithmetic, check_arithmetic
from edgemind.verify.correction import corrects

DRAFT = "5 + 9 = 14\n14 * 3 = 52\n52 - 2 = 50\n#### 50"


def completion(text: str, finish: Finish = "stop") -> Completion:
    verdict = arithmetic(text)
    return Completion(
        text, "", extract(text), NO_SIGNALS, finish, verdict.objections, verdict.score
    )


@pytest.mark.parametrize(
    "revision",
    [
        "5 + 9 = 14\n14 * 3 = 42\n42 - 2 = 40\n#### 40",
        "Right: 9 + 5 = 14, and 3 * 14 = 42. Then 42 - 2 = 40.\nThe answer is 40.",
        "(5 + 9) * 3 = 42\n42 - 2 = 40\n#### 40",
        # Another way to what the draft comes to when its false result is put right.
        "14 * 3 = 42\n7 * 6 = 42\n42 - 1 = 41\n41 - 1 = 40\n#### 40",
        # A step more, with all that the draft had.
        "5 + 9 = 14\n14 * 3 = 42\n42 - 2 = 40\n40 / 2 = 20\n#### 20",
    ],
)
def test_corrections(revision: str) -> None:
    assert corrects(DRAFT, revision, check_arithmetic(DRAFT))
    assert better(completion(revision), completion(DRAFT))


@pytest.mark.parametrize(
    "revision",
    [
        "",
        "I do not know.",
        "#### 40",
        "7 + 1 = 8\n#### 8",
        "It is fine, 14 * 3 = 42.\n#### 42",
        "5 + 9 = 14\n14 * 3 = 42\n#### 42",
        "5 + 9 = 14\n14 + 3 = 17\n17 - 2 = 15\n#### 15",
        "5 + 8 = 13\n14 * 3 = 42\n42 - 2 = 40\n#### 42",
        "5 + 9 = 14\n14 * 3 = 42\n42 - 2 = 40\n#### 7",
        "5 + 9 = 14\n14 * 3 = 42\n42 - 2 = 40\n#### nothing",
        "6 + 36 = 42\n#### 42",
    ],
    ids=["empty", "words", "bare", "unrelated", "echo", "cut short", "other operation",
         "other number", "other answer", "no answer", "by chance"],
)  # fmt: skip
def test_what_is_no_correction(revision: str) -> None:
    assert not better(completion(revision), completion(DRAFT))


def test_a_correction_has_to_be_whole_and_liked_better() -> None:
    right = "2 + 2 = 4\n#### 4"
    wrong = completion("2 + 2 = 5\n#### 5")
    assert better(completion(right), wrong)
    for finish in ("length", "budget", "interrupted", "dropped"):
        assert not better(completion(right, finish), wrong)
    assert not better(wrong, completion(right))
    assert not better(wrong, wrong)
    assert not better(completion(right), completion(right))


def test_false_results_that_later_sums_go_on_with() -> None:
    draft = "3 * 20 = 80\n10 % of it: 80 * 10 % = 8\n80 - 8 = 72\n#### 72"
    assert corrects(
        draft,
        "20 + 20 + 20 = 60\n60 / 10 = 6\n60 - 6 = 54\n#### 54",
        check_arithmetic(draft),
    )
    assert not corrects(draft, "20 + 20 + 20 = 60\n60 / 10 = 6\n#### 6", check_arithmetic(draft))


def test_an_answer_of_a_hundred_times_a_result_is_another_answer() -> None:
    draft = "500 + 2 = 492\n492 * 10 = 4920\n#### 4920"
    sums = "500 + 2 = 502\n502 * 10 = 5020\n"
    assert corrects(draft, f"{sums}#### 5020", check_arithmetic(draft))
    assert not corrects(draft, f"{sums}#### 50200", check_arithmetic(draft))
    share = "3 / 8 = 0.385\n#### 38.5%"
    assert corrects(share, "3 / 8 = 0.375\n#### 37.5%", check_arithmetic(share))


def test_rounded_results_hold() -> None:
    draft = "10 / 3 = 3.33\n3.33 + 1 = 4.43\n#### 4.43"
    assert corrects(draft, "10 / 3 = 3.33\n3.33 + 1 = 4.33\n#### 4.33", check_arithmetic(draft))


def test_a_division_by_what_is_put_right_to_nothing_cannot_be_followed() -> None:
    draft = "2 - 2 = 1\n6 / 1 = 6\n#### 6"
    assert not corrects(draft, "2 - 2 = 0\n#### 0", check_arithmetic(draft))


def test_where_another_verifier_objects_its_opinion_counts() -> None:
    long = "5 + 9 = 14, as everybody knows who can count.\n14 + 1 = 15\n#### 15"
    whole = (Objection(0, "it is too long"),)
    assert corrects(long, "Fourteen.", whole)
    at_the_end = (Objection(2, "one may not be added"),)
    assert corrects(long, "5 + 9 = 14\n#### 14", at_the_end)
    assert not corrects(long, "6 + 8 = 14\n#### 14", at_the_end), "line 1 was not objected to"


CODE = "```python\ndef double(x):\n    return x +\n```"


@pytest.mark.parametrize(
    ("draft", "revision", "kept"),
    [
        (CODE, "```python\ndef double(x):\n    return x + x\n```", True),
        (CODE, "def double(x):\n    return x + x\n", True),
        (CODE, "```python\ndef triple(x):\n    return 3 * x\n```", False),
        (CODE, "```python\npass\n```", False),
        (CODE, "I am not able to write that.", False),
        ("```python\nprint(1\n```", "```python\nprint(1)\n```", True),
        ("```python\nprint(1\n```", "It prints one.", False),
        ("if only I knew", "Now I know.", True),
    ],
)
def test_code_stays_code(draft: str, revision: str, kept: bool) -> None:
    assert corrects(draft, revision, (Objection(3, "invalid syntax"),)) is kept


# A set of problems: chains of sums, one result of which is false in the draft.


@dataclass(frozen=True)
class Chain:
    """`start` and what is done to it, step by step."""

    start: int
    steps: tuple[tuple[str, int], ...]

    def told(self, slip: int | None = None, by: int = 0, upto: int | None = None) -> str:
        """The solution, with the result of step `slip` off `by` so much, cut after `upto`."""
        value, lines = self.start, []
        for at, (sign, number) in enumerate(self.steps[:upto]):
            result = {"+": value + number, "-": value - number, "*": value * number}[sign]
            result += by if at == slip else 0
            lines.append(f"{value} {sign} {number} = {result}")
            value = result
        return "\n".join([*lines, f"#### {value}"])

    def numbers(self) -> Counter[int]:
        """What it reckons with, each number as often as it is used."""
        return Counter([self.start, *(number for _, number in self.steps)])


# Numbers that no result can be, but for multiples: what looks given is given.
STEP = st.tuples(st.sampled_from("+-*"), st.integers(2, 97))
CHAIN = st.builds(Chain, st.integers(500, 999), st.lists(STEP, min_size=1, max_size=4).map(tuple))


@given(CHAIN, CHAIN, st.data())
def test_over_a_set_refining_never_loses_what_the_draft_had(
    asked: Chain, other: Chain, data: st.DataObject
) -> None:
    """Whatever the revision is, if it is kept it is right; the true correction always is kept.

    But for one that reckons with all that the draft had and goes on from there, or does something
    else with it: nothing in it says that the draft was whole, or which sign was right
    (`test_corrections` has such a one).
    """
    assume(other == asked or not asked.numbers() <= other.numbers())
    slip = data.draw(st.integers(0, len(asked.steps) - 1))
    draft = completion(asked.told(slip, by=data.draw(st.sampled_from([-10, -1, 1, 10]))))
    right = completion(asked.told())
    assert better(right, draft)
    for text in (
        other.told(),
        asked.told(upto=len(asked.steps) - 1),
        f"#### {data.draw(st.integers(0, 999))}",
        draft.text.splitlines()[-1],
        "",
        draft.text,
        f"{right.text}0",
    ):
        revised = completion(text)
        assert not better(revised, draft) or revised.answer == right.answer
