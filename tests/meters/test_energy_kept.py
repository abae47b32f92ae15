"""The property that ledger, meter and guard exist for: joules are kept, whatever a sensor does."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgemind.budget import Cost, Ledger
from edgemind.costs.model import CostModel
from edgemind.engines.base import Branch
from edgemind.engines.scripted import Line, ScriptedEngine
from edgemind.errors import BudgetTooSmall
from edgemind.meters.base import Kind, Scope, Sensor, SensorFailed
from edgemind.meters.estimate import Estimate, Power
from edgemind.meters.guarded import Guarded
from edgemind.run import Run
from edgemind.strategies.base import find_strategy
from edgemind.types import Budget, Route, Token
from tests.helpers import Clock, StillWatchdog, drain, prompt

LIMIT_WATTS = 60.0
FAULTS: tuple[float | Exception | None, ...] = (
    SensorFailed("no longer discharging"),
    FileNotFoundError(2, "No such file or directory"),
    PermissionError(13, "Permission denied"),
    ValueError("could not convert string to float: 'N/A'"),
    math.nan,
    math.inf,
    -5.0,
    0.0,
    1e12,
    None,
)


class World(Sensor):
    """A device whose power a test sets, and its sensor, which breaks at one reading."""

    name = "world"
    scope: Scope = "system"
    limit_watts = LIMIT_WATTS

    def __init__(
        self, kind: Kind, every: float, breaks_at: int | None, fault: float | Exception | None
    ) -> None:
        self.kind = kind
        self.every = every
        self.breaks_at = breaks_at
        self.fault = fault
        self.clock = Clock()
        self.joules = 777.0
        self.watts = 5.0
        self.reads = 0

    def pass_time(self, seconds: float, watts: float) -> None:
        self.clock.now += seconds
        self.joules += seconds * watts
        self.watts = watts

    def read(self) -> float | None:
        self.reads += 1
        if self.breaks_at is not None and self.reads > self.breaks_at:
            if isinstance(self.fault, Exception):
                raise self.fault
            return self.fault
        return self.joules if self.kind == "counter" else self.watts


class WorldEngine(ScriptedEngine):
    """Steps take time and draw power, round and round the given ones."""

    def __init__(self, world: World, steps: Sequence[tuple[float, float]], length: int) -> None:
        lines = [Line((*"x" * length, *f" so #### {answer}")) for answer in "454"]
        super().__init__(lines, width=4)
        self.world = world
        self.steps = steps
        self.ledger: Ledger | None = None
        self.costs: CostModel | None = None
        self.before = 0.0  # what was spent when the last step began

    def step(self, branches: Sequence[Branch]) -> list[Token]:
        assert self.ledger is not None and self.costs is not None
        assert self.ledger.fits(self.costs.step(len(branches)), Cost()), "not to be started"
        self.before = self.ledger.spent().joules
        tokens = super().step(branches)
        self.world.pass_time(*self.steps[len(self.step_widths) % len(self.steps)])
        return tokens


STEPS = st.lists(
    st.tuples(st.floats(0.001, 3.0), st.floats(0.5, LIMIT_WATTS)), min_size=1, max_size=12
)
STRATEGIES = st.sampled_from(["direct", "majority", "vote"])


def run(
    world: World,
    steps: Sequence[tuple[float, float]],
    joules: float,
    strategy: str,
    length: int,
    estimated_watts: float,
) -> tuple[float, str, float]:
    """Answer within `joules`: what the ledger says was spent, its source, the last step's share."""
    power = Power("test", 0.0, estimated_watts, 0.5)
    estimate = Estimate(power, lambda: 0.0, world.clock)
    engine = WorldEngine(world, steps, length)
    meter = Guarded(world, estimate, world.clock)
    ledger = Ledger(Budget(joules=joules), world.clock, meter)
    costs = CostModel(engine.info.bytes)
    engine.ledger, engine.costs = ledger, costs
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("edgemind.stepping.Watchdog", StillWatchdog)
        made = Run(engine, ledger, costs, prompt(engine))
        try:
            _, outcome = drain(find_strategy(strategy)(made, Route(strategy, 5, "", 0.5)))
            assert outcome.samples >= 1
        except BudgetTooSmall:
            assert ledger.spent().tokens == 0
        finally:
            made.close()
    spent = ledger.spent()
    return spent.joules, spent.energy_source, spent.joules - engine.before


@given(
    kind=st.sampled_from(["counter", "power"]),
    every=st.sampled_from([0.0, 0.3, 5.0]),
    breaks_at=st.none() | st.integers(0, 40),
    fault=st.sampled_from(FAULTS),
    steps=STEPS,
    joules=st.floats(0.1, 400.0),
    strategy=STRATEGIES,
    length=st.integers(0, 30),
    estimated_watts=st.floats(0.1, LIMIT_WATTS),
)
def test_spending_ends_within_one_step_of_the_budget(
    kind: Kind,
    every: float,
    breaks_at: int | None,
    fault: float | Exception | None,
    steps: list[tuple[float, float]],
    joules: float,
    strategy: str,
    length: int,
    estimated_watts: float,
) -> None:
    world = World(kind, every, breaks_at, fault)
    spent, source, last_step = run(world, steps, joules, strategy, length, estimated_watts)
    assert math.isfinite(spent) and spent >= 0
    assert spent <= joules + last_step + 1e-9
    broken = breaks_at is not None and world.reads > breaks_at and fault is not None
    # A counter may really stand at 0 at its first reading, as far as anybody can tell.
    told = not (kind == "counter" and breaks_at == 0 and fault in (0.0, 1e12))
    if broken and told and (kind == "counter" or fault != 0.0):
        assert source.startswith("estimated (world")


@given(steps=STEPS, joules=st.floats(1.0, 400.0), strategy=STRATEGIES, length=st.integers(0, 30))
def test_what_was_really_drawn_is_kept_where_a_counter_works(
    steps: list[tuple[float, float]], joules: float, strategy: str, length: int
) -> None:
    """A counter that is read at every step: the truth, not only the ledger, within one step."""
    world = World("counter", 0.0, None, None)
    before = world.joules
    spent, source, _ = run(world, steps, joules, strategy, length, 5.0)
    drawn = world.joules - before
    assert drawn <= joules + max(seconds * watts for seconds, watts in steps) + 1e-6
    assert spent >= drawn - 1e-6
    assert source == "measured:world" or drawn == 0


@given(
    kind=st.sampled_from(["counter", "power"]),
    readings=st.lists(
        st.tuples(st.floats(0, 100), st.none() | st.floats() | st.sampled_from(FAULTS)),
        max_size=40,
    ),
)
def test_a_meter_never_falls_and_never_fails(
    kind: Kind, readings: list[tuple[float, float | Exception | None]]
) -> None:
    world = World(kind, 0.0, 0, None)
    estimate = Estimate(Power("test", 0.0, 7.0, 0.5), lambda: 0.0, world.clock)
    meter = Guarded(world, estimate, world.clock)
    shown = [meter.joules()]
    for seconds, reading in readings:
        world.fault = reading
        world.pass_time(seconds, 5.0)
        shown.append(meter.joules())
        assert meter.source.startswith(("measured:world", "estimated (world"))
    assert shown == sorted(shown)
    passed = sum(seconds for seconds, _ in readings)
    # Never more than a sensor may show, nor than the estimate could make of it.
    assert 0 <= shown[-1] <= (LIMIT_WATTS + 70.0) * (passed + 0.1 * len(readings)) + 1e-6
