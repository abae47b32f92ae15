"""Before the first token: what is refused, what is narrowed, what is predicted, what is told."""

from __future__ import annotations

import dataclasses
import json

import pytest

from edgemind.costs.model import CostModel
from edgemind.engines.base import Branch
from edgemind.engines.scripted import Line, ScriptedEngine
from edgemind.errors import BudgetTooSmall
from edgemind.events import Routed
from edgemind.runtime import Mind
from edgemind.types import Budget, Objection, Sampling, Token, Verdict
from tests.helpers import PROMPT, Calm, Clock, FakeMeter, finished, still_watchdog

pytestmark = pytest.mark.usefixtures(still_watchdog.__name__)
STEP, PROMPT_TOKEN = 0.1, 0.01


class Metered(ScriptedEngine):
    """A step takes 0.1 s, whatever its width, a token of a prompt 0.01 s."""

    def __init__(self, lines: list[Line], clock: Clock) -> None:
        super().__init__(lines)
        self.clock = clock

    def prefill(self, tokens, sampling):  # type: ignore[no-untyped-def]
        before = self.evaluated_tokens
        branch = super().prefill(tokens, sampling)
        self.clock.now += PROMPT_TOKEN * (self.evaluated_tokens - before)
        return branch

    def step(self, branches) -> list[Token]:  # type: ignore[no-untyped-def]
        self.clock.now += STEP
        return super().step(branches)


def mind_that(
    *texts: str, warm: int = 12, conditions: Calm | None = None, logprob: float = -2.0
) -> Mind:
    """A mind that knows its costs from `warm` answers."""
    clock = Clock()
    engine = Metered([Line(tuple(text), (logprob,)) for text in texts], clock)
    mind = Mind(engine, clock=clock, meter=FakeMeter(clock), conditions=conditions or Calm())
    for number in range(warm):
        mind.ask(f"{number} {PROMPT}", strategy="vote" if number % 2 else "direct", width=4)
    return mind


def test_a_budget_too_small_for_any_answer_is_refused_at_once() -> None:
    mind = mind_that("#### 4")
    engine = mind._engine
    assert isinstance(engine, Metered)
    evaluated, now = engine.evaluated_tokens, engine.clock.now
    with pytest.raises(BudgetTooSmall, match="too small for any answer") as caught:
        mind.ask("x" * 300, budget=Budget(seconds=1.0))
    assert (engine.evaluated_tokens, engine.clock.now) == (evaluated, now)
    least = caught.value.seconds
    assert least is not None
    assert 300 * PROMPT_TOKEN + 12 * STEP < least < 2 * (400 * PROMPT_TOKEN + 12 * STEP)
    # What it says would do, does.
    answer = mind.ask("x" * 300, budget=Budget(seconds=1.02 * least))
    assert answer.text
    with pytest.raises(BudgetTooSmall) as caught:
        mind.ask("y" * 300, budget=Budget(joules=1.0))
    assert caught.value.joules == pytest.approx(2 * least, rel=0.3)


def test_the_figures_in_the_message_would_be_let_in() -> None:
    mind = mind_that("#### 4")
    with pytest.raises(BudgetTooSmall) as caught:
        mind.ask("x" * 300, budget=Budget(seconds=1.0))
    words = str(caught.value).split()
    assert float(words[words.index("s") - 1]) >= (caught.value.seconds or 0)


def test_with_best_effort_whatever_fits_is_the_answer() -> None:
    mind = mind_that("#### 4")
    answer = mind.ask("x" * 300, budget=Budget(seconds=1.0), best_effort=True)
    assert answer.finish == "budget"
    # The prompt takes 1.4 s, a forced answer would take as long again.
    short = mind.ask(PROMPT, budget=Budget(seconds=1.8), best_effort=True)
    assert (short.text, short.finish) != ("", "stop")
    assert short.spent.seconds <= 1.8


def test_nothing_is_refused_while_nothing_is_measured() -> None:
    mind = mind_that("#### 4", warm=0)
    assert mind.ask(PROMPT, strategy="vote", budget=Budget(seconds=1e3)).route.width == 8
    assert not CostModel(1).measured


def test_the_widest_route_that_fits() -> None:
    widths = []
    for seconds in (4.0, 7.0, 100.0):
        mind = mind_that("#### 4", *(f"#### {number}" for number in range(5, 12)))
        events = [*mind.stream(PROMPT, strategy="vote", width=8, budget=Budget(seconds=seconds))]
        routed = events[0]
        assert isinstance(routed, Routed)
        widths.append(routed.route.width)
        assert finished(events).spent.seconds <= seconds + 1e-9
        assert ("fit the budget" in routed.route.reason) is (routed.route.width < 8)
    assert widths == sorted(widths)
    assert widths[0] < widths[-1] == 8


def test_a_limit_in_tokens_narrows_no_route_beforehand() -> None:
    """What was learned must not change what a seed gives."""
    mind = mind_that("#### 4")
    events = [*mind.stream(PROMPT, strategy="vote", width=8, budget=Budget(tokens=20))]
    assert isinstance(events[0], Routed)
    assert events[0].route.width == 8


def test_a_doubtful_draft_goes_no_further_than_what_is_left() -> None:
    mind = mind_that("#### 4")
    rich = mind.ask(PROMPT, budget=Budget(seconds=100.0))
    poor = mind.ask(PROMPT, budget=Budget(seconds=1.6), best_effort=True)
    assert (rich.route.strategy, poor.route.strategy) == ("vote", "direct")


def test_answers_come_out_as_predicted() -> None:
    mind = mind_that("#### 4", "so #### 4", "it is #### 4", logprob=-0.0001)
    inside = 0
    for number in range(40):
        answer = mind.ask(f"{number} {PROMPT}", strategy="direct")
        assert answer.predicted is not None
        told = answer.predicted.seconds
        assert told.p5 <= told.p50 <= told.p90 <= told.p95
        inside += told.p5 <= answer.spent.seconds <= told.p95
    assert inside >= 32


def test_phases_add_up() -> None:
    mind = mind_that("2 + 2 = 5 #### 5", "2 + 2 = 4 #### 4", logprob=-0.0001, warm=0)

    def slow(_text: str, _seconds: float) -> Verdict:
        engine = mind._engine
        assert isinstance(engine, Metered)
        engine.clock.now += 0.25
        return Verdict()

    answer = mind.ask(PROMPT, strategy="refine", verify=[slow])
    phases = {phase.name: phase for phase in answer.spent.phases}
    assert set(phases) == {"prefill", "draft", "samples", "verification"}
    assert phases["verification"].seconds == pytest.approx(0.5)
    assert phases["draft"].tokens + phases["samples"].tokens == answer.spent.tokens
    for quantity in ("seconds", "joules", "tokens"):
        whole = sum(getattr(phase, quantity) for phase in answer.spent.phases)
        assert whole == pytest.approx(getattr(answer.spent, quantity))
    read = json.loads(answer.to_json())
    assert {phase["name"] for phase in read["spent"]["phases"]} == set(phases)
    assert read["predicted"]["seconds"]["p95"] > 0


def test_a_forced_answer_is_paid_from_the_reserve() -> None:
    mind = mind_that("x" * 100, warm=0)
    answer = mind.ask(PROMPT, budget=Budget(tokens=40), sampling=Sampling(seed=1))
    phases = {phase.name: phase for phase in answer.spent.phases}
    assert phases["reserve"].tokens == 12


def test_each_verifier_gets_what_is_then_left() -> None:
    told = []
    mind = mind_that("#### 4", warm=0)

    def slow(_text: str, seconds: float) -> Verdict:
        told.append(seconds)
        engine = mind._engine
        assert isinstance(engine, Metered)
        engine.clock.now += 2.0
        return Verdict()

    mind.ask(PROMPT, strategy="direct", budget=Budget(seconds=10.0), verify=[slow, slow])
    assert told[0] - told[1] == pytest.approx(2.0)


# The machine's state


def test_a_hot_processor_slows_the_plan_and_is_told() -> None:
    calm = Calm()
    mind = mind_that("#### 4", conditions=calm)
    calm.hot = True
    answer = mind.ask(PROMPT, strategy="direct")
    assert any("too hot" in note for note in answer.notes)
    calm.hot = False
    assert mind.ask(PROMPT, strategy="direct").notes == ()


def test_short_memory_narrows_the_waves_and_is_told() -> None:
    calm = Calm()
    mind = mind_that("#### 4", *(f"#### {number}" for number in range(5, 12)), conditions=calm)
    engine = mind._engine
    assert isinstance(engine, Metered)
    calm.shortage = 2.0
    engine.step_widths.clear()
    answer = mind.ask(PROMPT, strategy="majority", width=8)
    assert answer.samples == 8
    assert max(engine.step_widths) <= 3
    assert any("memory" in note for note in answer.notes)


def test_a_process_that_was_stopped_in_the_middle_gives_its_answer_at_once() -> None:
    """SIGSTOP, or a lid that was closed: an hour passes within one step."""
    clock = Clock()

    class Stopped(Metered):
        def step(self, branches: list[Branch]) -> list[Token]:
            if len(self.step_widths) == 3:
                clock.now += 3600
            return super().step(branches)

    mind = Mind(Stopped([Line(tuple("x" * 50))], clock), clock=clock, meter=FakeMeter(clock),
                conditions=Calm())  # fmt: skip
    answer = mind.ask(PROMPT, strategy="direct", budget=Budget(seconds=5.0))
    assert (answer.text, answer.finish) == ("xxxx", "budget")
    later = mind.ask(PROMPT, strategy="direct", budget=Budget(seconds=5.0))
    assert len(later.text) > 20, "one such step teaches nothing"


def test_objections_are_still_evidence() -> None:
    mind = mind_that("#### 4", logprob=-0.0001, warm=2)
    verdict = Verdict(0.0, (Objection(0, "no"),))
    answer = mind.ask(PROMPT, strategy="refine", verify=[lambda _text, _seconds: verdict])
    assert dataclasses.asdict(answer)["spent"]["tokens"] > len("#### 4") + 1
