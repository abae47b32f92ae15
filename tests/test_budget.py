"""Ledger and watchdog."""

from __future__ import annotations

import math
import threading

import pytest

from edgemind.budget import (
    NO_TOKEN_LIMIT,
    Cost,
    Ledger,
    Watchdog,
    check_budget,
)
from edgemind.errors import BudgetError
from edgemind.types import Budget
from tests.helpers import Clock, FakeMeter


def make_ledger(budget: Budget) -> tuple[Ledger, Clock, FakeMeter]:
    clock = Clock()
    meter = FakeMeter(clock)
    return Ledger(budget, clock, meter), clock, meter


# Ledger


@pytest.mark.parametrize("value", [0, -1, -0.5, math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("name", ["seconds", "joules", "tokens"])
def test_limits_that_are_no_positive_numbers_are_refused(name: str, value: float) -> None:
    budget = Budget(**{name: value})  # type: ignore[arg-type]
    with pytest.raises(BudgetError, match=name):
        check_budget(budget)
    with pytest.raises(BudgetError):
        make_ledger(budget)


def test_good_limits_pass_unchanged() -> None:
    for budget in (Budget(), Budget(1e-9, 1e-9, 1), Budget(tokens=10**12)):
        assert check_budget(budget) is budget


def test_spent_counts_from_the_opening() -> None:
    ledger, clock, _ = make_ledger(Budget())
    clock.now += 2.5
    ledger.charge(3, 40)
    ledger.charge(1)
    spent = ledger.spent()
    assert (spent.seconds, spent.joules) == (2.5, 5.0)
    assert (spent.tokens, spent.prompt_tokens) == (4, 40)
    assert spent.energy_source == "measured:fake"


def test_a_meter_is_looked_at_now_and_then() -> None:
    ledger, clock, meter = make_ledger(Budget(seconds=100))
    reads = meter.reads
    for _ in range(100):
        clock.now += 0.01
        ledger.charge(1)
    assert 8 <= meter.reads - reads <= 10
    ledger, clock, meter = make_ledger(Budget(joules=100))
    reads = meter.reads
    ledger.charge(1)
    clock.now += 10
    ledger.charge(1)
    assert meter.reads == reads, "before each step it is asked anyway"


def test_left_of_each_limit() -> None:
    ledger, clock, _ = make_ledger(Budget(seconds=10, joules=10, tokens=10))
    clock.now += 3
    ledger.charge(4, 1000)
    assert ledger.left() == Cost(7.0, 4.0, 6)
    clock.now += 100
    ledger.charge(100)
    left = ledger.left()
    assert left.seconds < 0 and left.joules < 0 and left.tokens < 0


def test_no_limit_is_never_used_up() -> None:
    ledger, clock, meter = make_ledger(Budget())
    clock.now += 1e9
    reads = meter.reads
    assert ledger.left() == Cost(math.inf, math.inf, NO_TOKEN_LIMIT)
    assert ledger.fits(Cost(1e9, 1e9, 10**9), Cost(1e9, 1e9, 10**9))
    assert meter.reads == reads, "joules are read only where they are limited"


@pytest.mark.parametrize("name", ["seconds", "joules", "tokens"])
def test_a_step_fits_up_to_the_limit_and_not_beyond(name: str) -> None:
    ledger, _, _ = make_ledger(Budget(**{name: 10}))
    six, four, five = (Cost(**{name: n}) for n in (6, 4, 5))
    assert ledger.fits(six, four)
    assert ledger.fits(four, six)
    assert not ledger.fits(six, five)
    assert ledger.fits(six, Cost())


def test_after_stop_nothing_fits() -> None:
    ledger, clock, _ = make_ledger(Budget())
    clock.now += 1
    ledger.charge(2)
    ledger.stop()
    ledger.stop()
    assert not ledger.fits(Cost(), Cost())
    assert ledger.left() == Cost()
    assert (ledger.spent().seconds, ledger.spent().tokens) == (1.0, 2)


def test_costs_add_and_multiply() -> None:
    assert Cost(1, 2, 3) + Cost(10, 20, 30) == Cost(11, 22, 33)
    assert Cost(1, 2, 3).times(2.5) == Cost(2.5, 5.0, 8)


# Watchdog


class Calls:
    """An engine's `interrupt` and `resume`, remembered."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self.interrupted = threading.Event()

    def interrupt(self) -> None:
        self.made.append("interrupt")
        self.interrupted.set()

    def resume(self) -> None:
        self.made.append("resume")
        self.interrupted.clear()


WAIT = 30.0  # seconds until a test that waits for a thread is taken for broken


def test_the_watchdog_interrupts_at_the_limit() -> None:
    ledger, clock, _ = make_ledger(Budget(seconds=1000))
    engine = Calls()
    watchdog = Watchdog(ledger, engine.interrupt, engine.resume)
    watchdog.arm(Cost(10))
    clock.now += 989
    watchdog.arm(Cost(10))
    assert "interrupt" not in engine.made
    clock.now += 1
    watchdog.arm(Cost(10))
    assert engine.interrupted.wait(WAIT)
    watchdog.close()


def test_a_smaller_reserve_lets_the_engine_run_again() -> None:
    ledger, clock, _ = make_ledger(Budget(seconds=1000))
    engine = Calls()
    watchdog = Watchdog(ledger, engine.interrupt, engine.resume)
    clock.now += 500
    watchdog.arm(Cost(500))
    assert engine.interrupted.wait(WAIT)
    watchdog.arm(Cost())
    assert not engine.interrupted.is_set()
    clock.now += 500
    watchdog.arm(Cost())
    assert engine.interrupted.wait(WAIT)
    watchdog.close()
    assert engine.made[-1] == "resume", "a closed watchdog leaves the engine ready"


def test_joules_are_polled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Watchdog, "POLL_SECONDS", 0.001)
    ledger, clock, meter = make_ledger(Budget(joules=1000))
    engine = Calls()
    watchdog = Watchdog(ledger, engine.interrupt, engine.resume)
    watchdog.arm(Cost(joules=1))
    reads = meter.reads
    assert "interrupt" not in engine.made
    clock.now += 500
    assert engine.interrupted.wait(WAIT), "without another call"
    assert meter.reads > reads
    watchdog.close()


def test_closing_ends_the_thread_for_good() -> None:
    ledger, _, _ = make_ledger(Budget(seconds=1000))
    engine = Calls()
    watchdog = Watchdog(ledger, engine.interrupt, engine.resume)
    before = threading.active_count()
    watchdog.arm(Cost())
    assert threading.active_count() == before + 1
    watchdog.close()
    watchdog.close()
    assert threading.active_count() == before
    watchdog.arm(Cost())
    assert threading.active_count() == before


@pytest.mark.parametrize("budget", [Budget(), Budget(tokens=5)])
def test_without_time_or_energy_limits_no_thread_runs(budget: Budget) -> None:
    ledger, _, _ = make_ledger(budget)
    engine = Calls()
    before = threading.active_count()
    watchdog = Watchdog(ledger, engine.interrupt, engine.resume)
    watchdog.arm(Cost())
    assert threading.active_count() == before
    watchdog.close()


def test_arming_does_not_undo_a_stop() -> None:
    ledger, _, _ = make_ledger(Budget())
    engine = Calls()
    watchdog = Watchdog(ledger, engine.interrupt, engine.resume)
    ledger.stop()
    engine.interrupt()
    watchdog.arm(Cost())
    assert engine.interrupted.is_set()
    watchdog.close()
    assert not engine.interrupted.is_set()


def test_a_stop_that_comes_while_arming_is_not_lost() -> None:
    ledger, _, _ = make_ledger(Budget())
    engine = Calls()

    def resume() -> None:
        if len(engine.made) < 1:
            ledger.stop()
            engine.interrupt()
        engine.resume()

    watchdog = Watchdog(ledger, engine.interrupt, resume)
    watchdog.arm(Cost())
    assert engine.interrupted.is_set()
