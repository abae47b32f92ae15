"""Every strategy against everything that can end it: what it answers, why it ended, what is left.

The draft is wrong and objected to, every other sample is right, so that each strategy has a reason
to go on. One step is one token of each branch; the draft takes the first `DRAFT_STEPS`.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

import edgemind.strategies
from edgemind.engines.scripted import Line, ScriptedEngine
from edgemind.errors import ModelError
from edgemind.events import Event, Revised, Sampled
from edgemind.run import Run
from edgemind.strategies import (
    SUPPORT,
    base,
    choice,
    prior,
    roles,
    stopping,
    strategy_names,
    tally,
    urns,
)
from edgemind.strategies.base import Outcome, find_strategy
from edgemind.types import Budget, Completion, Finish, Route
from tests.helpers import PROMPT, drain, running, still_watchdog, streamed

pytestmark = pytest.mark.usefixtures(still_watchdog.__name__)

WIDTH = 4
WRONG, RIGHT = "2 + 2 = 5\n#### 5", "2 + 2 = 4\n#### 4"
LONG = "2 + 2 = 4, I think, " * 5
DRAFT_STEPS = len(WRONG) + 1
STRATEGIES = ("best_of", "direct", "majority", "panel", "refine", "vote")
THINKING_ON = ("best_of", "majority", "panel", "refine", "vote")
"""Those that go on after the draft."""

OnStep = Callable[[ScriptedEngine, Run], None]


def script(*texts: str | Line, **options: object) -> ScriptedEngine:
    lines = [one if isinstance(one, Line) else Line(tuple(one)) for one in texts]
    return ScriptedEngine(lines, **options)  # type: ignore[arg-type]


class Done:
    """A run of one strategy, looked at when it was over but not yet closed."""

    def __init__(
        self,
        strategy: str,
        engine: ScriptedEngine,
        budget: Budget = Budget(),  # noqa: B008 (frozen)
        on_step: OnStep | None = None,
    ) -> None:
        with running(engine, budget) as run:  # which sees to it that no branch is left
            if on_step:
                engine.on_step = lambda engine: on_step(engine, run)
            generator = find_strategy(strategy)(run, Route(strategy, WIDTH, "", 0.5))
            result: tuple[list[Event], Outcome] = drain(generator)
            self.events, self.outcome = result
            self.cut: Finish | None = run.cut
            self.held: list[Completion] = run.finished
            self.spent = run.ledger.spent()
        self.winner = self.outcome.winner
        sampled = [event for event in self.events if isinstance(event, Sampled)]
        self.draft = sampled[0].completion
        self.finishes = [event.completion.finish for event in sampled]
        assert sampled[0].index == 0
        assert self.held[0] is self.draft, "the draft is kept whatever happens"
        assert streamed(self.events).strip() == self.draft.text, "only the draft is streamed"


def stop_at(step: int) -> OnStep:
    def on_step(engine: ScriptedEngine, run: Run) -> None:
        if len(engine.step_widths) == step:
            run.ledger.stop()
            engine.interrupt()

    return on_step


def test_none_is_forgotten() -> None:
    assert tuple(STRATEGIES) == strategy_names()


@pytest.mark.parametrize(
    ("strategy", "winner", "finishes"),
    [
        ("best_of", RIGHT, 4),
        ("direct", WRONG, 1),
        ("majority", RIGHT, 4),
        ("panel", RIGHT, 3),
        ("refine", RIGHT, 2),
        ("vote", RIGHT, 3),
    ],
)
def test_undisturbed(strategy: str, winner: str, finishes: int) -> None:
    done = Done(strategy, script(WRONG, RIGHT, RIGHT, RIGHT))
    assert (done.draft.text, done.winner.text, done.winner.finish) == (WRONG, winner, "stop")
    assert done.cut is None
    assert done.finishes == ["stop"] * finishes


@pytest.mark.parametrize(
    ("strategy", "samples", "drawn"),
    [
        ("best_of", 4, 4),
        ("direct", 1, 1),
        ("majority", 4, 4),
        ("panel", 2, 4),  # its members run side by side
        ("refine", 1, 1),
        ("vote", 2, 2),
    ],
)
def test_early_stop(strategy: str, samples: int, drawn: int) -> None:
    """All say the same: who may stop early does; `majority` and `best_of` never may."""
    done = Done(strategy, script(RIGHT))
    assert (done.winner.text, done.winner.finish, done.cut) == (RIGHT, "stop", None)
    assert done.outcome.samples == samples
    assert done.finishes == ["stop"] * samples
    assert done.spent.tokens == drawn * DRAFT_STEPS


def test_a_panel_that_agrees_does_not_wait_for_its_slowest_member() -> None:
    done = Done("panel", script(RIGHT, LONG, RIGHT, LONG))
    assert (done.winner.text, done.cut, done.outcome.samples) == (RIGHT, None, 2)
    assert done.spent.tokens == 4 * DRAFT_STEPS


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_budget_hit_in_the_draft(strategy: str) -> None:
    """What is left when six tokens are gone is kept for the answer, which is all there is."""
    done = Done(strategy, script(WRONG, RIGHT), Budget(tokens=10))
    assert done.winner is done.draft
    assert (done.winner.finish, done.cut) == ("budget", "budget")
    assert done.winner.text.startswith(WRONG[:6])
    assert done.finishes == ["budget"]
    assert done.spent.tokens <= 10


@pytest.mark.parametrize("strategy", THINKING_ON)
def test_budget_hit_after_the_draft(strategy: str) -> None:
    """A sample as long as the draft would fit, but the one that is drawn is longer."""
    budget = Budget(tokens=DRAFT_STEPS + 25)
    done = Done(strategy, script(WRONG, LONG), budget)
    assert done.winner is done.draft
    assert (done.winner.text, done.winner.finish, done.cut) == (WRONG, "stop", "budget")
    assert done.finishes == ["stop"]
    assert done.spent.tokens == budget.tokens


@pytest.mark.parametrize("strategy", ("best_of", "majority", "panel", "vote"))
def test_budget_hit_after_some_samples(strategy: str) -> None:
    budget = Budget(tokens=DRAFT_STEPS * 3 + 30)
    done = Done(strategy, script(WRONG, RIGHT, LONG, LONG), budget)
    assert (done.winner.text, done.winner.finish, done.cut) == (RIGHT, "stop", "budget")
    assert done.finishes[:2] == ["stop", "stop"]
    assert budget.tokens is not None and done.spent.tokens <= budget.tokens


@pytest.mark.parametrize("step", range(1, DRAFT_STEPS))
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_interrupted_in_the_draft(strategy: str, step: int) -> None:
    done = Done(strategy, script(WRONG, RIGHT), on_step=stop_at(step))
    assert done.winner is done.draft
    assert (done.winner.finish, done.cut) == ("interrupted", "interrupted")
    assert done.winner.text == WRONG[:step].strip()
    assert done.spent.tokens == step


@pytest.mark.parametrize("step", range(DRAFT_STEPS, 2 * DRAFT_STEPS))
@pytest.mark.parametrize("strategy", THINKING_ON)
def test_interrupted_after_the_draft(strategy: str, step: int) -> None:
    done = Done(strategy, script(WRONG, RIGHT), on_step=stop_at(step))
    assert done.winner is done.draft
    assert (done.winner.text, done.winner.finish, done.cut) == (WRONG, "stop", "interrupted")
    assert done.finishes == ["stop"]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_context_full_in_the_draft(strategy: str) -> None:
    room = 8
    done = Done(strategy, script(WRONG, RIGHT, context=len(PROMPT) + room))
    assert done.draft.text == WRONG[:room].strip()
    assert set(done.finishes) == {"length"}
    assert (done.winner.finish, done.cut) == ("length", None)


def test_context_full_before_a_revision() -> None:
    """The draft fits, the objection and another answer after it do not."""
    done = Done("refine", script(WRONG, RIGHT, context=len(PROMPT) + DRAFT_STEPS + 40))
    assert done.winner is done.draft
    assert (done.finishes, done.cut) == (["stop"], None)


@pytest.mark.parametrize(
    ("strategy", "finishes"),
    [
        ("best_of", ["stop", "stop"]),
        # Each answer's best sample keeps its place: what comes after them finds less room.
        ("majority", ["stop", "stop", "length", "length"]),
        ("panel", ["stop", "stop", "length"]),
        ("vote", ["stop", "stop", "length"]),
    ],
)
def test_a_cache_with_room_for_one_more(strategy: str, finishes: list[str]) -> None:
    cells = len(PROMPT) + 2 * (len(PROMPT) + DRAFT_STEPS) + 3
    if strategy == "panel":
        cells += len(f" {roles.SPECIALISTS[0]}")
    done = Done(strategy, script(WRONG, RIGHT, RIGHT, RIGHT, cells=cells))
    assert (done.draft.text, done.cut) == (WRONG, None)
    assert (done.winner.text, done.winner.finish) == (RIGHT, "stop")
    assert done.finishes == finishes


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_an_engine_that_breaks_in_the_draft(strategy: str) -> None:
    engine = script(Line(tuple(WRONG), fails=5), RIGHT)
    with pytest.raises(ModelError, match="this branch fails"):
        Done(strategy, engine)
    assert engine.branches == []


@pytest.mark.parametrize("step", range(0, 2 * DRAFT_STEPS, 5))
@pytest.mark.parametrize("strategy", THINKING_ON)
def test_an_engine_that_breaks_as_a_whole(strategy: str, step: int) -> None:
    def fail(engine: ScriptedEngine, run: Run) -> None:
        if len(engine.step_widths) == step:
            raise ModelError("broken")

    engine = script(WRONG, RIGHT)
    with pytest.raises(ModelError, match="broken"):
        Done(strategy, engine, on_step=fail)
    assert engine.branches == []


@pytest.mark.parametrize("fails", range(0, DRAFT_STEPS, 4))
@pytest.mark.parametrize(
    ("strategy", "failing", "samples"),
    [
        *(("best_of", failing, 4) for failing in (1, 2, 3)),
        *(("majority", failing, 4) for failing in (1, 2, 3)),
        *(("panel", failing, 3) for failing in (1, 2)),
        *(("vote", failing, 3) for failing in (1, 2)),
    ],
)
def test_an_error_in_one_branch_costs_that_one(
    strategy: str, failing: int, samples: int, fails: int
) -> None:
    lines: list[str | Line] = [WRONG, RIGHT, RIGHT, RIGHT]
    lines[failing] = Line(tuple(RIGHT), fails=fails)
    done = Done(strategy, script(*lines))
    assert (done.winner.text, done.winner.finish, done.cut) == (RIGHT, "stop", None)
    assert sorted(done.finishes) == ["dropped", *["stop"] * (samples - 1)]
    assert done.outcome.samples == samples


@pytest.mark.parametrize("fails", range(0, DRAFT_STEPS, 4))
def test_an_error_in_a_revision_costs_that_one(fails: int) -> None:
    done = Done("refine", script(WRONG, Line(tuple(RIGHT), fails=fails), RIGHT))
    revisions = [event for event in done.events if isinstance(event, Revised)]
    assert [revision.kept for revision in revisions] == [False, True]
    assert (done.winner.text, done.winner.finish, done.cut) == (RIGHT, "stop", None)
    assert done.finishes == ["stop", "dropped", "stop"]


@pytest.mark.parametrize("strategy", THINKING_ON)
def test_where_all_others_fail_the_draft_is_the_answer(strategy: str) -> None:
    failing = Line(tuple(RIGHT), fails=3)
    done = Done(strategy, script(WRONG, *[failing] * 7))
    assert done.winner is done.draft
    assert (done.winner.text, done.winner.finish, done.cut) == (WRONG, "stop", None)
    assert set(done.finishes[1:]) == {"dropped"}


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_closed_at_any_event(strategy: str) -> None:
    total = len(Done(strategy, script(WRONG, RIGHT)).events)
    for stop in range(total):
        engine = script(WRONG, RIGHT)
        with running(engine) as run:
            generator = find_strategy(strategy)(run, Route(strategy, WIDTH, "", 0.5))
            for _ in range(stop):
                next(generator)
            generator.close()


# How long a strategy is

MOST_LINES = 60
FOLDER = Path(edgemind.strategies.__path__[0])
ELSEWHERE = {"majority": ("poll",), "panel": ("poll", "rules_for"), "vote": ("poll", "rules_for")}
"""Parts of a strategy's loop that stand in `tally`."""


def lines_of(name: str) -> int:
    return len(inspect.getsource(getattr(tally, name)).splitlines())


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_strategy_is_short(strategy: str) -> None:
    """All lines count: docstrings, imports and blank ones, and what it left to a supporter."""
    own = (FOLDER / f"{strategy}.py").read_text(encoding="utf-8").splitlines()
    assert len(own) + sum(map(lines_of, ELSEWHERE.get(strategy, ()))) <= MOST_LINES


@pytest.mark.parametrize("module", (base, choice, prior, roles, stopping, tally, urns))
def test_no_loop_hides_in_the_supporters(module: ModuleType) -> None:
    """Whoever takes a run is counted with the strategies above, or starts them."""
    tree = ast.parse(inspect.getsource(module))
    takers = {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and "run" in {arg.arg for arg in node.args.args}
    }
    counted = {part for parts in ELSEWHERE.values() for part in parts}
    assert takers <= counted | {"follow", "begin"}
    assert {"base", "choice", "prior", "roles", "stopping", "tally", "urns"} == SUPPORT
