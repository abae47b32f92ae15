"""`calibrate` on scripted engines: what it fits, refuses and saves."""

from __future__ import annotations

import math

import pytest

from edgemind.engines.scripted import Line, ScriptedEngine
from edgemind.evaluate.calibrate import Asked, ask_all, calibrate
from edgemind.evaluate.datasets import PROBLEMS, Problem, read_problems
from edgemind.router.calibration import Calibration
from edgemind.types import Message
from tests.helpers import scripted_mind


def problems(count: int) -> list[Problem]:
    return [Problem((Message("user", f"What is {n} + {n}?"),), str(2 * n)) for n in range(count)]


def asked(count: int = 60, width: int = 4) -> list[Asked]:
    """Every third draft is wrong and unsure, every other sample right."""
    found: list[Asked] = []
    for number, problem in enumerate(problems(count)):
        sure, unsure = (-0.01,), (-1.5,)
        right = Line(tuple(f"{number} + {number} = {2 * number}\n#### {2 * number}"), sure)
        wrong = Line(tuple(f"#### {2 * number + 1}"), unsure)
        lines = [wrong if number % 3 == 0 else right, *[right] * (width - 1)]
        mind = scripted_mind(ScriptedEngine(lines))
        found += ask_all(mind, [problem], width, 1)
    return found


def test_the_bundled_problems_can_be_read() -> None:
    found = read_problems(PROBLEMS)
    assert len(found) >= 400
    assert len({problem.chat for problem in found}) == len(found)


def test_unsure_drafts_are_told_from_sure_ones() -> None:
    report = calibrate(asked())
    assert report.direct == pytest.approx(2 / 3)
    assert report.voted == 1.0
    assert report.correct.auroc > 0.99 and report.correct.error < 0.1
    assert report.adaptive == 1.0 and report.tokens < 0.75
    kept = report.calibration
    assert kept.problems == 60 and len(kept.data) == 64
    assert Calibration.from_json(kept.to_json()) == kept
    text = "\n".join(report.lines())
    assert "60 questions" in text and "AUROC" in text and "no sample is given up" in text


def test_what_is_always_right_is_always_accepted() -> None:
    found = [one for one in asked(90) if one.right[0]]
    report = calibrate(found)
    assert report.adaptive == 1.0
    assert report.tokens < 0.7
    assert math.isnan(report.correct.auroc)
    assert Calibration.from_json(report.calibration.to_json()).problems == len(found)


def test_other_questions_have_another_digest() -> None:
    one, other = calibrate(asked(60)).calibration, calibrate(asked(66)).calibration
    assert one.data != other.data
    assert one.data == calibrate(asked(60)).calibration.data
