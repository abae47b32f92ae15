"""The property that ledger, cost model and run exist for: budgets are kept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgemind.budget import Cost
from edgemind.costs.model import CostModel
from edgemind.engines.scripted import Line
from edgemind.errors import BudgetTooSmall
from edgemind.strategies.base import find_strategy
from edgemind.types import Budget, Route
from tests.helpers import Clock, StillWatchdog, TimedEngine, drain, running

SCRIPTS = ("4", "5", "4")


def script(answer: str, length: int) -> Line:
    return Line((*"x" * length, *f" so #### {answer}"))


@given(
    strategy=st.sampled_from(["direct", "majority", "vote"]),
    width=st.integers(1, 9),
    length=st.integers(0, 30),
    seconds=st.lists(st.floats(0.001, 3.0), min_size=1, max_size=12),
    limit_seconds=st.none() | st.floats(0.01, 60.0),
    limit_joules=st.none() | st.floats(0.01, 120.0),
    limit_tokens=st.none() | st.integers(1, 120),
    engine_width=st.integers(1, 5),
    cells=st.sampled_from([1 << 30, 60, 120]),
)
def test_a_run_keeps_its_budget(
    strategy: str,
    width: int,
    length: int,
    seconds: list[float],
    limit_seconds: float | None,
    limit_joules: float | None,
    limit_tokens: int | None,
    engine_width: int,
    cells: int,
) -> None:
    clock = Clock()
    lines = [script(answer, length) for answer in SCRIPTS]
    engine = TimedEngine(lines, clock, seconds, width=engine_width, cells=cells)
    budget = Budget(limit_seconds, limit_joules, limit_tokens)
    costs = CostModel(engine.info.bytes)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("edgemind.stepping.Watchdog", StillWatchdog)
        with running(engine, budget, clock=clock, costs=costs) as run:
            ledger = run.ledger

            def check(branches: int) -> None:
                assert ledger.fits(costs.step(branches), Cost()), "this step was not to be started"

            engine.before_step = check
            try:
                _, outcome = drain(find_strategy(strategy)(run, Route(strategy, width, "", 0.5)))
            except BudgetTooSmall:
                outcome = None
            spent = ledger.spent()
    if limit_tokens is not None:
        assert spent.tokens <= limit_tokens
    if limit_seconds is not None:
        assert spent.seconds < limit_seconds + max(seconds)
    if limit_joules is not None:
        assert spent.joules < limit_joules + 2.0 * max(seconds)
    if outcome is None:
        assert spent.tokens == 0
    else:
        assert outcome.samples <= width
        assert outcome.winner.signals.tokens <= spent.tokens
