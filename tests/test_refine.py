"""`refine` and `best_of` on the scripted engine: what they draw, keep and never lose."""

from __future__ import annotations

import dataclasses

import pytest

from edgemind.engines.base import Branch
from edgemind.engines.scripted import Line, ScriptedEngine
from edgemind.events import Revised, Sampled
from edgemind.run import Run
from edgemind.strategies.base import Outcome, follow
from edgemind.types import Budget, Objection, Route, Token, Verdict
from tests.helpers import drain, engine_of, prompt, running, still_watchdog

pytestmark = pytest.mark.usefixtures(still_watchdog.__name__)

WRONG, RIGHT = "2 + 2 = 5\n#### 5", "2 + 2 = 4\n#### 4"
WORSE = "2 + 2 = 5\n3 + 3 = 7\n#### 7"
ROUTE = Route("refine", 8, "", 0.5)
BEST = Route("best_of", 4, "", 0.5)


def refined(run: Run, route: Route = ROUTE) -> tuple[list[Revised], Outcome]:
    events, outcome = drain(follow(run, route))
    return [event for event in events if isinstance(event, Revised)], outcome


def test_without_an_objection_nothing_is_revised() -> None:
    engine = engine_of(RIGHT, WRONG)
    with running(engine) as run:
        revisions, outcome = refined(run)
    assert (revisions, outcome.winner.text, outcome.samples) == ([], RIGHT, 1)


def test_an_objection_is_said_and_the_correction_kept() -> None:
    engine = engine_of(WRONG, RIGHT)
    with running(engine) as run:
        [revision], outcome = refined(run)
        evaluated = engine.evaluated_tokens
        assert run.ledger.spent().prompt_tokens < evaluated
    assert revision.objection == "Check line 1: 2 + 2 = 4, not 5. Correct the solution."
    assert revision.kept and revision.completion.text == outcome.winner.text == RIGHT
    assert outcome.samples == 2


def test_the_drafts_keys_are_used_again() -> None:
    engine = engine_of(WRONG, RIGHT)
    with running(engine) as run:
        drain(run.draft())
        before = engine.evaluated_tokens
        refined(run)
    objection = len("Check line 1: 2 + 2 = 4, not 5. Correct the solution.")
    # The objection, the correction, and the token that ended the draft: not the draft again.
    assert engine.evaluated_tokens - before <= objection + len(RIGHT) + 2


@pytest.mark.parametrize(
    "bad",
    [WORSE, WRONG, "I do not know.", "", "#### 4", "3 + 3 = 6\n#### 6", "It is four."],
)
def test_a_revision_that_is_no_better_is_not_kept(bad: str) -> None:
    engine = engine_of(WRONG, bad)
    with running(engine) as run:
        revisions, outcome = refined(run)
    assert outcome.winner.text == WRONG
    assert [revision.kept for revision in revisions] == [False] * 4


def test_a_failed_revision_is_drawn_again_and_a_partial_one_goes_on() -> None:
    half, whole = "2 + 2 = 4\n3 + 3 = 7\n#### 7", "2 + 2 = 4\n3 + 3 = 6\n#### 6"
    engine = engine_of(WORSE, WORSE, half, whole)
    with running(engine) as run:
        revisions, outcome = refined(run)
    assert [revision.kept for revision in revisions] == [False, True, True]
    assert outcome.winner.text == whole


def test_the_same_revision_is_not_made_twice() -> None:
    engine = engine_of(WRONG, RIGHT)
    with running(engine) as run:
        refined(run)
        steps = len(engine.step_widths)
        told, outcome = refined(run)
    assert outcome.winner.text == RIGHT and len(engine.step_widths) == steps
    assert told == []


def test_the_winner_of_a_vote_is_refined() -> None:
    engine = engine_of(WRONG, WRONG, WRONG, WRONG, RIGHT)
    route = dataclasses.replace(ROUTE, inner=Route("vote", 4, "", 0.5))
    with running(engine) as run:
        [revision], outcome = refined(run, route)
    assert revision.kept and outcome.winner.text == RIGHT
    assert outcome.samples == 5 and outcome.ballot is not None


def test_draft_and_revision_both_count_in_a_vote() -> None:
    engine = engine_of(WRONG, RIGHT, RIGHT)
    route = Route("vote", 4, "", 0.5, inner=ROUTE)
    with running(engine) as run:
        _, outcome = drain(follow(run, route))
    assert outcome.winner.answer == "4"
    assert outcome.ballot is not None and outcome.ballot.distinct == 2


@pytest.mark.parametrize("tokens", range(1, 60, 3))
def test_a_budget_hit_in_the_middle_keeps_the_draft(tokens: int) -> None:
    for route in (ROUTE, BEST):
        engine = engine_of(WRONG, RIGHT, WRONG, RIGHT)
        with running(engine, Budget(tokens=tokens)) as run:
            _, outcome = drain(follow(run, route))
            assert run.ledger.spent().tokens <= tokens
            assert outcome.winner.text


@pytest.mark.parametrize("moment", range(0, 34, 3))
@pytest.mark.parametrize("route", [ROUTE, BEST], ids=["refine", "best_of"])
def test_an_interrupt_keeps_what_there_is(route: Route, moment: int) -> None:
    engine = engine_of(WRONG, RIGHT, WRONG, RIGHT)
    with running(engine) as run:

        def stop(_: ScriptedEngine) -> None:
            if len(engine.step_widths) == moment:
                run.ledger.stop()
                engine.interrupt()

        engine.on_step = stop
        _, outcome = drain(follow(run, route))
        assert run.cut == "interrupted"
        assert WRONG.startswith(outcome.winner.text) or outcome.winner.text == RIGHT


@pytest.mark.parametrize("context", range(30, 120, 6))
def test_a_context_that_is_full_loses_nothing(context: int) -> None:
    engine = engine_of(WRONG, RIGHT, context=context)
    with running(engine) as run:
        _, outcome = refined(run)
    assert outcome.winner.text in (WRONG, RIGHT) or WRONG.startswith(outcome.winner.text)


class Failing(ScriptedEngine):
    """Fails in the middle of the second sample."""

    def step(self, branches: list[Branch]) -> list[Token]:  # type: ignore[override]
        if len(self.step_widths) == 25:
            raise RuntimeError("the engine broke")
        return super().step(branches)


@pytest.mark.parametrize("route", [ROUTE, BEST], ids=["refine", "best_of"])
def test_an_engine_error_comes_through_and_frees_every_branch(route: Route) -> None:
    engine = Failing([Line(tuple(WRONG)), Line(tuple(RIGHT))])
    with pytest.raises(RuntimeError, match="the engine broke"), running(engine) as run:
        drain(follow(run, route))
    assert engine.branches == []


# Best of N


def test_best_of_prefers_what_the_verifiers_like() -> None:
    engine = ScriptedEngine([Line(tuple(WRONG), (-0.001,)), Line(tuple(RIGHT), (-1.0,))])
    with running(engine) as run:
        _, outcome = drain(follow(run, BEST))
    assert (outcome.winner.text, outcome.samples) == (RIGHT, 4)


def test_best_of_takes_the_surest_of_equals() -> None:
    other = "1 + 3 = 4\n#### 4"
    engine = ScriptedEngine([Line(tuple(RIGHT), (-1.0,)), Line(tuple(other), (-0.1,))])
    with running(engine) as run:
        _, outcome = drain(follow(run, BEST))
    assert outcome.winner.text == other


def test_of_free_texts_the_most_typical_is_taken() -> None:
    engine = engine_of(
        "Bananas are yellow.", "The sea is blue and wide.", "The sea is blue and deep.",
        "The sea is blue.",
    )  # fmt: skip
    with running(engine) as run:
        events, outcome = drain(follow(run, dataclasses.replace(BEST, votable=False)))
    assert outcome.winner.text.startswith("The sea is blue")
    assert 0.3 < outcome.agreement < 1
    assert sum(isinstance(event, Sampled) for event in events) == 4


def test_a_persons_verifier_decides() -> None:
    def short(text: str, seconds: float) -> Verdict:
        return Verdict() if len(text) < 5 else Verdict(0.2, (Objection(0, "it is too long"),))

    engine = engine_of("much too long", "tiny", "long again")
    asked = dataclasses.replace(prompt(engine), verifiers=(short,))
    with running(engine, asked=asked) as run:
        _, outcome = drain(follow(run, BEST))
    assert outcome.winner.text == "tiny" and outcome.winner.score == 1.0
    asked = dataclasses.replace(prompt(engine_of("x")), verifiers=(short,))
    engine = engine_of("much too long", "tiny")
    with running(engine, asked=asked) as run:
        [revision], outcome = refined(run)
    assert revision.objection == "It is too long. Correct the solution."
    assert outcome.winner.text == "tiny"
