"""`calibrate` on scripted engines: what it fits, refuses and saves."""

from __future__ import annotations

import math

import pytest

from edgemind.engines.scripted import Line, ScriptedEngine
from edgemind.evaluate.calibrate import Asked, ask_all, calibrate
from edgemind.evaluate.datasets import PROBLEMS, Problem, read_problems
from edgemind.router.calibration import Calibration
from edgemind.router.router import Router
from edgemind.strategies.stopping import Beta
from edgemind.types import Message, Route
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
    assert report.gain.auroc > 0.99  # a third of the drafts is wrong, and every vote right
    assert report.plan.right == 1.0 and report.plan.tokens < 0.75
    kept = report.calibration
    assert kept.stopping is not None and kept.stopping.price == report.plan.price
    router = Router(kept)
    for one in asked(9):
        route = router.next(Route("direct", 4, "", 0.5), one.samples[0])
        assert (route is None) == one.right[0]
    assert kept.problems == 60 and len(kept.data) == 64
    assert kept.most is None, "all four samples pay: nothing says that more would not"
    assert Calibration.from_json(kept.to_json()) == kept
    text = "\n".join(report.lines())
    assert "60 questions" in text and "AUROC" in text and "no sample is given up" in text


def test_votes_that_stay_split_are_cut_short() -> None:
    """Of the unsure drafts one half is mended by any further sample, the other by none."""
    found: list[Asked] = []
    for number, problem in enumerate(problems(60)):
        right = Line((f"#### {2 * number}",), (-0.01,))
        wrong = [Line((f"#### {2 * number + more}",), (-1.5,)) for more in range(1, 17)]
        lines = {0: [wrong[0], *[right] * 15], 1: wrong}.get(number % 4, [right] * 16)
        found += ask_all(scripted_mind(ScriptedEngine(lines)), [problem], 16, 1)
    report = calibrate(found)
    assert report.plan.most == 6 and report.plan.right == report.voted == 0.75
    assert report.calibration.most == 6


def test_what_is_always_right_is_always_accepted() -> None:
    found = [one for one in asked(90) if one.right[0]]
    report = calibrate(found)
    assert report.plan.right == 1.0
    assert report.plan.tokens < 0.3  # the draft alone, of four samples
    assert report.calibration.least_gain == 1.0
    assert math.isnan(report.correct.auroc)
    assert Calibration.from_json(report.calibration.to_json()).problems == len(found)


def hopeless(count: int = 60) -> list[Asked]:
    """Every third draft is wrong and unsure, and so are all other samples of that question."""
    found: list[Asked] = []
    for number, problem in enumerate(problems(count)):
        right = Line((f"#### {2 * number}",), (-0.01,))
        wrong = [Line((f"#### {2 * number + more}",), (-1.5,)) for more in range(1, 5)]
        mind = scripted_mind(ScriptedEngine(wrong if number % 3 == 0 else [right] * 4))
        found += ask_all(mind, [problem], 4, 1)
    return found


def test_no_vote_is_spent_on_what_it_cannot_mend() -> None:
    report = calibrate(hopeless())
    assert report.direct == report.voted == report.plan.right == pytest.approx(2 / 3)
    assert report.plan.tokens == pytest.approx(1 / 4)
    unsure = hopeless(1)[0].samples[0]
    assert Router().next(Route("direct", 4, "", 0.5), unsure) is not None
    assert Router(report.calibration).next(Route("direct", 4, "", 0.5), unsure) is None


def test_a_vote_of_all_samples_and_one_that_stops() -> None:
    one = asked(1)[0]
    assert one.pattern == ((3, 1), 3)
    whole, early = one.vote(), one.vote((Beta(0.7),))
    assert whole.ballot.drawn == 4 and whole.right
    assert early.ballot.drawn < 4 and early.tokens < whole.tokens


def test_what_samples_say_alike_is_counted_once() -> None:
    alike, mixed = asked(2)[1], asked(1)[0]
    length = alike.samples[0].signals.tokens
    assert alike.tokens == pytest.approx([length] * 4)
    assert alike.apart == 4 * length
    longer = mixed.samples[1].signals.tokens
    assert mixed.tokens[1] - mixed.tokens[0] == longer
    assert mixed.tokens[3] == mixed.tokens[1]


def test_other_questions_have_another_digest() -> None:
    one, other = calibrate(asked(60)).calibration, calibrate(asked(66)).calibration
    assert one.data != other.data
    assert one.data == calibrate(asked(60)).calibration.data
