"""The words of an objection, on which the bundled model was trained."""

from __future__ import annotations

from edgemind.types import Objection
from edgemind.verify.arithmetic import check_arithmetic
from edgemind.verify.objection import feedback


def test_words() -> None:
    objections = check_arithmetic("2 + 2 = 4\n14 * 3 = 52\n#### 52")
    assert feedback(objections) == "Check line 2: 14 * 3 = 42, not 52. Correct the solution."


def test_the_first_line_that_is_wrong_is_named() -> None:
    text = feedback([Objection(5, "b"), Objection(2, "a is missing."), Objection(3, "c")])
    assert text == "Check line 2: a is missing. Correct the solution."


def test_an_objection_to_the_whole_text_names_no_line() -> None:
    text = feedback([Objection(0, "it is longer than 20 words")])
    assert text == "It is longer than 20 words. Correct the solution."
