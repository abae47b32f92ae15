"""The words of an objection, which the bundled model was trained on."""

from __future__ import annotations

from edgemind.verify.objection import OBJECTION, objection


def test_an_objection_is_located_and_concise() -> None:
    text = objection(2, "14 * 3", "42", "52")
    assert text == "Check line 2: 14 * 3 = 42, not 52. Correct the solution."
    assert len(OBJECTION) < 80
