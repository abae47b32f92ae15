"""Strategies on the scripted engine: what they draw, when they stop, who wins."""

from __future__ import annotations

import pytest

from edgemind.engines.scripted import Line, ScriptedEngine
from edgemind.errors import ConfigError
from edgemind.events import Checked, Event, Sampled
from edgemind.run import Run
from edgemind.strategies import strategy_names
from edgemind.strategies.base import Outcome, find_strategy
from edgemind.types import Ballot, Budget, Route
from tests.helpers import drain, indexes, running, still_watchdog, streamed

pytestmark = pytest.mark.usefixtures(still_watchdog.__name__)


CHATTER = "hm, well, nobody knows what that may be, so let us go on and see"
"""No answer can be found in it."""


def follow(run: Run, strategy: str, width: int = 8) -> tuple[list[Event], Outcome]:
    return drain(find_strategy(strategy)(run, Route(strategy, width, "", 0.5)))


def voted(
    *lines: str,
    width: int = 8,
    budget: Budget = Budget(),  # noqa: B008 (frozen)
    **options: object,
) -> tuple[ScriptedEngine, Run, list[Event], Outcome]:
    if "engine_width" in options:
        options["width"] = options.pop("engine_width")
    engine = ScriptedEngine([Line(tuple(line)) for line in lines], **options)  # type: ignore[arg-type]
    with running(engine, budget) as run:
        events, outcome = follow(run, "vote", width)
    return engine, run, events, outcome


# Names


def test_names_are_the_files() -> None:
    assert strategy_names() == ("best_of", "direct", "majority", "panel", "refine", "vote")


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        ("vot", "did you mean vote"),
        ("drect", "did you mean direct"),
        ("atuo", "did you mean auto"),
        ("beam", "there are auto, best_of, direct, majority, panel, refine, vote"),
        ("base", "no strategy"),
        ("tally", "no strategy"),
        ("", "no strategy"),
        ("../run", "no strategy"),
    ],
)
def test_wrong_names_are_refused_with_the_nearest(wrong: str, hint: str) -> None:
    with pytest.raises(ConfigError, match=hint):
        find_strategy(wrong)


# Direct


def test_direct_is_the_draft() -> None:
    engine = ScriptedEngine([["4"], ["5"]])
    with running(engine) as run:
        events, outcome = follow(run, "direct")
    assert (outcome.winner.text, outcome.samples, outcome.agreement) == ("4", 1, 1.0)
    assert indexes(events) == [0]


# Majority, the yardstick


def test_majority_draws_all_however_clear_it_is() -> None:
    engine = ScriptedEngine([["4"]])
    with running(engine) as run:
        events, outcome = follow(run, "majority", 7)
        assert len(engine.branches) == 2, "losers give their memory back"
    assert (outcome.samples, outcome.agreement, outcome.winner.text) == (7, 1.0, "4")
    assert indexes(events) == [*range(7)]


# Vote


def test_unanimity_stops_at_three() -> None:
    engine, _, events, outcome = voted("4")
    assert (outcome.samples, outcome.agreement) == (3, 1.0)
    assert outcome.ballot == Ballot(3, 1, 1.0, 1.0)
    assert indexes(events) == [0, 1, 2]
    assert engine.step_widths == [1, 1, 2, 2]
    checks = [event for event in events if isinstance(event, Checked)]
    assert [check.decided for check in checks] == [None, "not worth more"]
    assert checks[-1].votes == (("4", 3),)


def test_a_sample_under_the_floor_is_given_up() -> None:
    doubtful = Line(tuple("7" * 40), (-0.1,) * 10 + (-9.0,) * 30)
    engine = ScriptedEngine([["4"], doubtful, ["4"], doubtful, ["4"], doubtful])
    with running(engine) as run:
        events, outcome = drain(find_strategy("vote")(run, Route("vote", 6, "", 0.5, floor=-2.0)))
    finishes = [event.completion.finish for event in events if isinstance(event, Sampled)]
    assert "dropped" in finishes and outcome.winner.text == "4"
    assert outcome.agreement == 1.0
    assert len(engine.step_widths) < 40, "it was not read to its end"


def test_a_vote_ends_where_a_better_answer_is_not_worth_the_wait() -> None:
    for worth, samples in ((None, 8), (1e-9, 1), (1e9, 8)):
        engine = ScriptedEngine([[str(number)] for number in range(1, 9)])
        with running(engine) as run:
            route = Route("vote", 8, "", 0.5, worth=worth)
            _, outcome = drain(find_strategy("vote")(run, route))
        assert outcome.samples == samples


def test_only_the_draft_is_streamed() -> None:
    _, _, events, outcome = voted("5", "4", "4", "4", width=4)
    assert streamed(events) == "5"
    assert outcome.winner.text == "4"


def test_the_majority_beats_the_draft() -> None:
    _, _, _, outcome = voted("5", "4", "4", "4", "4", "4", "4", "4")
    assert outcome.winner.answer == "4"
    assert outcome.samples == 5
    assert outcome.agreement == pytest.approx(4 / 5)


def test_a_certain_result_stops_it() -> None:
    _, run, events, outcome = voted("4", "4", "5", "4", width=5)
    assert outcome.samples == 4
    assert [e.decided for e in events if isinstance(e, Checked)][-1] == "certain"
    assert run.cut is None


def test_disagreement_draws_all() -> None:
    _, run, _, outcome = voted("1", "2", "3", "4", "5", "6", width=6)
    assert outcome.samples == 6
    assert outcome.winner.answer == "1", "of equals the first wins"
    assert run.cut is None


def test_a_width_of_one_is_the_draft() -> None:
    engine, _, events, outcome = voted("4", "5", width=1)
    assert (outcome.samples, outcome.winner.text) == (1, "4")
    assert indexes(events) == [0]
    assert engine.step_widths == [1, 1]


def test_abstentions() -> None:
    _, _, _, outcome = voted(CHATTER, "4", "4", CHATTER, width=4)
    assert (outcome.winner.text, outcome.agreement, outcome.samples) == ("4", 1.0, 3)


def test_where_nobody_answers_the_draft_stands() -> None:
    _, _, _, outcome = voted(CHATTER, CHATTER[:-5], CHATTER[:-9], width=3)
    assert outcome.winner.text == CHATTER
    assert (outcome.agreement, outcome.samples, outcome.ballot) == (0.0, 3, Ballot(3, 0, 0.0, 0.0))


def test_losers_give_their_memory_back_at_once() -> None:
    engine = ScriptedEngine([["4"]])
    with running(engine) as run:
        follow(run, "vote")
        # The prompt and the draft, which is the first with the winning answer.
        assert len(engine.branches) == 2


def test_what_still_runs_when_it_is_decided_is_dropped() -> None:
    slow = "9" * 50
    # Two agree with the draft: with five at most, nothing can change any more. Wave: 2.
    engine, _, events, outcome = voted("4", "4", slow, "4", slow, width=5)
    assert outcome.winner.text == "4"
    assert outcome.samples < 5
    assert len(engine.step_widths) < 2 * 50
    assert all(index < 5 for index in indexes(events))


def test_closing_in_the_middle_of_a_wave_drops_the_others() -> None:
    engine = ScriptedEngine([["4"], ["4"], Line(tuple("5" * 30)), ["4"]])
    with running(engine) as run:
        generator = find_strategy("vote")(run, Route("vote", 8, "", 0.5))
        for event in generator:
            if isinstance(event, Checked):
                break
        running_still = len(engine.branches)
        generator.close()
        assert len(engine.branches) < running_still


@pytest.mark.parametrize("tokens", [20, 25, 30, 40, 60])
def test_a_budget_hit_in_the_middle_gives_the_best_so_far(tokens: int) -> None:
    _, run, _, outcome = voted("1111111", "2222222", budget=Budget(tokens=tokens), width=9)
    assert run.ledger.spent().tokens <= tokens
    assert run.cut == "budget"
    assert outcome.winner.answer in ("1111111", "2222222")
    assert 1 <= outcome.samples < 9


def test_a_forced_draft_is_not_voted_on() -> None:
    engine, run, _, outcome = voted("x" * 100, budget=Budget(tokens=30))
    assert (outcome.samples, run.cut) == (1, "budget")
    assert set(engine.step_widths) == {1}


@pytest.mark.parametrize("engine_width", [1, 2, 3, 16])
def test_a_narrow_engine_draws_as_many_in_smaller_waves(engine_width: int) -> None:
    engine, run, _, outcome = voted(
        "1", "2", "3", "4", "5", "6", width=6, engine_width=engine_width
    )
    assert outcome.samples == 6
    assert max(engine.step_widths) <= engine_width
    assert run.cut is None


@pytest.mark.parametrize("cells", range(26, 90, 4))
@pytest.mark.parametrize("engine_width", [1, 4])
def test_a_small_cache_ends_no_vote_and_no_process(cells: int, engine_width: int) -> None:
    lines = ("12345678", "1234", "77777777", "12345678901234567890")
    _, run, _, outcome = voted(*lines, width=6, cells=cells, engine_width=engine_width)
    assert outcome.samples >= 4
    assert run.cut is None, "there is no budget here"


def test_a_signal_of_the_votes_follows_every_sample() -> None:
    _, _, events, _ = voted("1", "2", "3", width=3)
    kinds = [type(event).__name__ for event in events if type(event).__name__ != "Text"]
    assert kinds == ["Sampled", "Sampled", "Checked", "Sampled", "Checked"]
