"""The reserve as steps are made: it follows what they teach, and is not reckoned at each."""

from __future__ import annotations

import pytest

from edgemind.engines.scripted import Line
from edgemind.stepping import FIRST_STEPS, RECKON_STEPS
from edgemind.types import Budget
from tests.helpers import Clock, TimedEngine, running, still_watchdog

pytestmark = pytest.mark.usefixtures(still_watchdog.__name__)

STEPS = 60


def test_the_reserve_follows_the_machine_soon() -> None:
    clock = Clock()
    quick = 40
    seconds = [0.1] * quick + [1.0] * (STEPS - quick)
    engine = TimedEngine([Line(("a",) * STEPS)], clock, seconds)
    held: list[float] = []
    with running(engine, Budget(seconds=1000), clock=clock) as run:
        engine.before_step = lambda width: held.append(run._stepper._reserve().seconds)
        list(run.draft())
    assert len(set(held[1:FIRST_STEPS])) > FIRST_STEPS / 2, "each of the first steps teaches"
    later = held[FIRST_STEPS : FIRST_STEPS + 20]
    assert len(set(later)) <= 20 / RECKON_STEPS + 1
    # Three slow steps of five make the machine a slow one.
    assert held[quick + 3 + RECKON_STEPS] > 5 * held[quick - 1]
