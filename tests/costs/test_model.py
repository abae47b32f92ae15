"""The cost model: its prior, what it learns, what no outlier teaches it, what it predicts."""

from __future__ import annotations

import random

import pytest

from edgemind.budget import Cost
from edgemind.costs.forecast import Asked, halton, within
from edgemind.costs.history import Lengths, Outcome, Outcomes, Work, prior_outcomes
from edgemind.costs.model import PRIOR_WATTS, CostModel
from edgemind.types import Budget, Phase, Route, Spent

DIRECT = Route("direct", 1, "", 0.5)
VOTE = Route("vote", 8, "", 0.5)


def learned(seconds: float = 0.01, answers: int = 20) -> CostModel:
    """A model that knows its machine: steps of `seconds`, prompts ten times as fast, 8 W."""
    costs = CostModel(350_000_000)
    for _ in range(answers):
        costs.begin()
        costs.observe_prefill(200, 200 * seconds / 10)
        for step in range(50):
            costs.observe_step(1, seconds, 200 + step)
        costs.observe_power((Phase("draft", 1.0, 8.0), Phase("prefill", 1.0, 10.0)))
    return costs


# Single steps


def test_the_prior_is_bytes_over_bandwidth() -> None:
    costs = CostModel(10_000_000_000)
    assert not costs.measured
    assert 1.0 <= costs.step(1).seconds <= 2.0
    assert costs.step(1).joules == pytest.approx(costs.step(1).seconds * PRIOR_WATTS, rel=0.5)
    assert costs.step(3).tokens == 3
    assert costs.step(1).seconds < costs.step(2).seconds < 2 * costs.step(1).seconds
    assert costs.prefill(100).tokens == 0
    assert costs.prefill(1).seconds < costs.step(1).seconds


def test_the_first_measurement_replaces_the_prior() -> None:
    costs = CostModel(10_000_000_000)
    costs.observe_step(1, 0.01)
    assert 0.01 <= costs.step(1).seconds < 0.02
    costs.observe_prefill(100, 0.1)
    assert 0.001 <= costs.prefill(100).seconds / 100 < 0.002
    assert costs.measured


def test_a_longer_context_takes_longer() -> None:
    costs = CostModel(1_000_000)
    for answer in range(20):
        costs.begin()
        for step in range(20):
            context = 200 * answer + step
            costs.observe_step(4, 0.02 + 1e-5 * context, context)
    costs.begin()
    assert costs.step(4, 3000).seconds / costs.step(4, 0).seconds == pytest.approx(2.5, rel=0.05)


def test_it_follows_a_sudden_change_within_the_answer() -> None:
    costs = learned()
    costs.begin()
    for _ in range(5):
        costs.observe_step(1, 0.01, 200)
    assert costs.step(1, 200).seconds < 0.013
    for _ in range(3):
        costs.observe_step(1, 0.05, 200)
    assert costs.step(1, 200).seconds >= 0.05


def test_one_step_that_was_stopped_for_a_minute_changes_little() -> None:
    costs = learned()
    costs.begin()
    for step in range(20):
        costs.observe_step(1, 60.0 if step == 15 else 0.01, 200)
    assert costs.step(1, 200).seconds < 0.013
    costs.begin()
    assert costs.step(1, 200).seconds < 0.013


def test_a_throttled_answer_is_planned_slower_and_teaches_nothing_lasting() -> None:
    costs = learned()
    costs.begin()
    before = costs.step(1, 200).seconds
    costs.slow_down(1.5)
    assert costs.step(1, 200).seconds == pytest.approx(1.5 * before)
    for _ in range(1000):
        costs.observe_step(1, 0.1, 200)
        costs.observe_prefill(100, 1000.0)
    assert costs.step(1, 200).seconds >= 0.1
    costs.begin()
    assert costs.step(1, 200).seconds == pytest.approx(before)
    assert costs.prefill(100).seconds < 1


def test_power_is_learned_by_kind_and_not_from_crumbs() -> None:
    costs = CostModel(1_000_000)
    for _ in range(10):
        costs.observe_power((Phase("draft", 0.001, 5.0), Phase("samples", 1.0, 20.0)))
    assert costs.step(4).joules == pytest.approx(20 * costs.step(4).seconds)
    for _ in range(300):
        costs.observe_power((Phase("draft", 0.01, 0.07),))
    assert costs.step(1).joules < 12 * costs.step(1).seconds


def test_power_that_was_asked_for_is_still_learned() -> None:
    costs = CostModel(1_000_000)
    for watts in (5.0, 50.0):
        costs.observe_power((Phase("draft", 1.0, watts),) * 40)
        assert costs.watts == pytest.approx(watts)
        assert costs.step(1).joules == pytest.approx(watts * costs.step(1).seconds)


def test_short_prompts_say_little() -> None:
    costs = CostModel(1_000_000)
    before = costs.prefill(100)
    costs.observe_prefill(15, 100.0)
    costs.observe_prefill(0, 100.0)
    assert costs.prefill(100) == before


# Whole answers


def finish(costs: CostModel, route: Route, work: Work, seconds: float, cut: bool = False) -> None:
    costs.observe_answer(route, Asked(100), work, Spent(seconds=seconds), cut)


def test_a_vote_is_predicted_to_cost_more_than_one_pass_and_less_than_eight() -> None:
    costs = learned()
    direct, vote = costs.predict(DIRECT, 100), costs.predict(VOTE, 100)
    for quantity in ("seconds", "joules", "tokens"):
        assert direct.at(quantity, 0.5) < vote.at(quantity, 0.5) < 9 * direct.at(quantity, 0.5)
    wider = [costs.predict(Route("vote", width, "", 0.5), 100) for width in (2, 4, 8, 16)]
    seconds = [forecast.at("seconds", 0.9) for forecast in wider]
    assert seconds == sorted(seconds)


def test_the_prompt_that_is_in_the_cache_costs_nothing() -> None:
    costs = learned()
    new, known = (costs.predict(DIRECT, 2000, Asked(tokens)) for tokens in (2000, 10))
    assert new.at("seconds", 0.5) - known.at("seconds", 0.5) > 1.0


def test_lengths_are_learned_and_capped() -> None:
    costs = learned()
    for _ in range(40):
        finish(costs, DIRECT, Work(40, False, 0, 0, 0.5), 0.5)
    told = costs.predict(DIRECT, 100).prediction().tokens
    assert 30 <= told.p5 <= told.p50 == pytest.approx(40, rel=0.1)
    assert told.p95 <= 60
    assert costs.predict(DIRECT, 100, Asked(100, most_tokens=8)).prediction().tokens.p95 == 8


def test_cut_answers_say_at_least() -> None:
    costs = learned()
    for number in range(40):
        finish(costs, DIRECT, Work(10 if number % 2 else 100, number % 2 == 1, 0, 0, 0.5), 0.5)
    assert costs.predict(DIRECT, 100).at("tokens", 0.5) == pytest.approx(100, rel=0.1)


def test_a_budget_cuts_the_prediction() -> None:
    costs = learned()
    forecast = costs.predict(VOTE, 100, Asked(100), Budget(seconds=0.5, tokens=20))
    told = forecast.prediction()
    assert told.seconds.p95 <= 0.5
    assert told.tokens.p95 <= 20
    assert within((10.0, 5.0, 100.0), Budget(seconds=1.0), 0.0) == pytest.approx((1.0, 0.5, 10.0))


def test_slow_answers_make_the_next_prediction_slow() -> None:
    costs = learned()
    before = costs.predict(DIRECT, 100).at("seconds", 0.5)
    for _ in range(20):
        finish(costs, DIRECT, Work(100, False, 0, 0, 1.0), 3.0)
    assert costs.predict(DIRECT, 100).at("seconds", 0.5) > 2 * before
    assert costs.least(100, 100, 12).seconds > 2 * costs.prefill(100).seconds


def test_predictions_of_a_simulated_machine_hold() -> None:
    """Lengths, samples and speeds vary: after ten answers, 90 % come out within the interval."""
    rng = random.Random(5)
    costs = CostModel(350_000_000)
    inside = 0
    for number in range(310):
        costs.begin()
        asked, route = Asked(100), VOTE if rng.random() < 0.5 else DIRECT
        forecast = costs.predict(route, 100, asked)
        tokens = int(min(400, rng.lognormvariate(4, 0.5)))
        extra = rng.choice([0, 2, 3, 7]) * tokens if route is VOTE else 0
        steps = extra // 3
        speed = rng.lognormvariate(0.1, 0.2)
        costs.observe_prefill(100, 0.1 * speed)
        for step in range(0, tokens, 4):
            costs.observe_step(1, 0.01 * speed, 100 + step)
        for _ in range(0, steps, 4):
            costs.observe_step(3, 0.02 * speed, 100)
        seconds = speed * (0.1 + tokens * 0.01 + steps * 0.02)
        spent = Spent(seconds=seconds, joules=8 * seconds, tokens=tokens + extra)
        told = forecast.prediction().seconds
        inside += number >= 10 and told.p5 <= seconds <= told.p95
        step_seconds = 0.1 + tokens * 0.01 + steps * 0.02
        costs.observe_power((Phase("draft", seconds, 8 * seconds),))
        costs.observe_answer(route, asked, Work(tokens, False, extra, steps, step_seconds), spent,
                             cut=False)  # fmt: skip
        costs.observe_forecast(forecast, spent)
    assert 0.85 <= inside / 300 <= 0.95


def test_an_answer_that_stood_still_for_an_hour_raises_no_least_budget() -> None:
    costs = learned()
    for number in range(3):
        finish(costs, DIRECT, Work(100, False, 0, 0, 1.0), 3600.0 if number == 1 else 1.1)
    assert costs.least(100, 100, 12).seconds < 3 * (100 * 0.001 + 12 * 0.01)


def test_the_seconds_of_verifiers_are_predicted_but_slow_no_step_down() -> None:
    costs = learned()
    phases = (Phase("verification", 5.0),)
    for _ in range(20):
        spent = Spent(seconds=6.0, phases=phases)
        costs.observe_answer(DIRECT, Asked(100), Work(100, False, 0, 0, 1.0), spent, cut=False)
    assert 5 < costs.predict(DIRECT, 100).at("seconds", 0.5) < 8
    assert costs.least(100, 100, 12).seconds < 1


# Outcomes


def test_outcomes_at_other_widths() -> None:
    stopped = Outcome(2.0, 1.0, 8, 1.0, False)
    assert stopped.at(8) == (2.0, 1.0)
    assert stopped.at(16) == (2.0, 1.0)
    assert stopped.at(2) == (1.0, pytest.approx(0.5**0.5))
    full = Outcome(7.0, 2.0, 8, 1.0, False)
    assert full.at(15) == (14.0, pytest.approx(2 * 2**0.5))


def test_priors_of_routes() -> None:
    refined = Route("refine", 8, "", 0.5, inner=VOTE)
    assert max(o.tokens for o in prior_outcomes(VOTE, False, 16)) == 7
    assert max(o.tokens for o in prior_outcomes(refined, False, 16)) == 8.5
    assert [o.tokens for o in prior_outcomes(DIRECT, True, 16)] == [0.0]
    assert max(o.tokens for o in prior_outcomes(Route("direct", 8, "", 0.5), True, 16)) == 7


def test_the_prior_fades() -> None:
    outcomes, lengths = Outcomes(), Lengths()
    for _ in range(64):
        outcomes.seen.append(Outcome(1.0, 1.0, 8, 1.0, False))
        lengths.observe(50, False)
    assert (
        sum(w for o, w in outcomes.weighed(prior_outcomes(VOTE, False, 16)) if o.tokens == 1) > 0.95
    )
    assert sum(weight for tokens, weight in lengths.weighed() if tokens == 50) > 0.95


def test_halton_fills_evenly() -> None:
    found = sorted(halton(number, 2) for number in range(1, 16))
    assert found == pytest.approx([number / 16 for number in range(1, 16)])


def test_least_covers_prompt_and_answer() -> None:
    costs = learned()
    least = costs.least(100, 100, 12)
    assert isinstance(least, Cost)
    assert least.seconds > 100 * 0.001 + 12 * 0.01
    assert costs.least(100, 0, 12).seconds < least.seconds
