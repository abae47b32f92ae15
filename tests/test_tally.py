"""Counting votes and the rules that end a vote."""

from __future__ import annotations

import dataclasses
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgemind.sample import NO_SIGNALS
from edgemind.strategies.stopping import Beta, CostAware, Rule, Windowed, beta_confidence
from edgemind.strategies.tally import EARLY, Tally, own_rules, weight
from edgemind.types import Completion, Objection, Signals, Stopping


def said(answer: str | None) -> Completion:
    return Completion(answer or "", "", answer, NO_SIGNALS, "stop")


def tally_of(width: int, *answers: str | None) -> Tally:
    tally = Tally(width)
    for answer in answers:
        tally.add(said(answer))
    return tally


@pytest.mark.parametrize(
    ("threshold", "smallest"),
    [(0.80, (2, 3, 5, 6, 7)), (0.90, (3, 5, 6, 8, 9)), (0.95, (4, 6, 8, 9, 11))],
)
def test_the_published_table(threshold: float, smallest: tuple[int, ...]) -> None:
    for second, first in enumerate(smallest):
        assert beta_confidence(first, second) >= threshold
        assert beta_confidence(first - 1, second) < threshold


@given(st.integers(0, 60), st.integers(0, 60))
def test_beta_confidence_is_the_integral(first: int, second: int) -> None:
    steps = 2000
    scale = math.gamma(first + second + 2) / (math.gamma(first + 1) * math.gamma(second + 1))
    grid = ((i + 0.5) / (2 * steps) for i in range(steps))
    area = sum(x**second * (1 - x) ** first for x in grid) / (2 * steps) * scale
    assert beta_confidence(first, second) == pytest.approx(area, abs=1e-4)


@given(st.integers(0, 200), st.integers(0, 200))
def test_beta_confidence_is_a_probability_and_symmetric(first: int, second: int) -> None:
    confidence = beta_confidence(first, second)
    assert 0 <= confidence <= 1
    assert confidence + beta_confidence(second, first) == pytest.approx(1)
    assert beta_confidence(first + 1, second) >= confidence


def test_unanimity_is_enough_after_three() -> None:
    assert tally_of(8, "4", "4").decided() is None
    assert tally_of(8, "4", "4", "4").decided() == "not worth more"


def test_the_first_rule_that_fires_is_named() -> None:
    def voted(rules: tuple[Rule, ...], *answers: str | None) -> str | None:
        tally = Tally(16, rules)
        for answer in answers:
            tally.add(said(answer))
        return tally.decided()

    four, five = ("4",) * 4, ("4",) * 5
    assert voted((Beta(),), *four) == "beta"
    assert voted((Windowed(),), *four) is None
    assert voted((Windowed(),), *five) == "window"
    assert voted((Windowed(), Beta()), *five) == "window"
    assert voted((Windowed(),), *four, None, "4") is None, "no answer is no agreement"
    assert voted((CostAware(1.0, seconds=9.0),), "4", "5") == "not worth it"
    assert voted((CostAware(90.0, seconds=0.1),), "4", "5") is None
    assert voted((), *five) is None


def test_dropped_samples_count_but_vote_for_nothing() -> None:
    tally = tally_of(4, "4", "4")
    tally.add(dataclasses.replace(said("5"), finish="dropped"))
    assert (tally.drawn, tally.ranking()) == (3, (("4", 2),))


def test_certainty() -> None:
    # Two against one of five: neither rule is met. Three against one of five: nothing can change.
    assert tally_of(5, "4", "4", "5").decided() is None
    assert tally_of(5, "4", "4", "5", "4").decided() == "certain"
    assert tally_of(5, "4", "4", "4").decided() == "certain"


def test_the_last_sample_ends_it() -> None:
    assert tally_of(1, "4").decided() == "all samples drawn"
    assert tally_of(3, None, None, None).decided() == "all samples drawn"


def test_abstentions_count_but_vote_for_nothing() -> None:
    tally = tally_of(8, None, "4", None)
    assert tally.drawn == 3
    assert tally.ranking() == (("4", 1),)
    assert tally.agreement() == 1.0
    nothing = tally_of(8, None)
    assert nothing.winner() is None
    assert nothing.agreement() == 0.0


def test_the_same_answer_written_otherwise_is_one_answer() -> None:
    tally = Tally(8)
    first = said("1,000")
    again, with_currency = said("1000"), said("$1000.00")
    assert tally.add(first) is None
    assert tally.add(again) is again
    assert tally.add(with_currency) is with_currency
    assert [votes for _, votes in tally.ranking()] == [3]
    assert tally.winner() is first


def test_of_equals_the_first_wins() -> None:
    tally = tally_of(8, "5", "4", "4", "5")
    winner = tally.winner()
    assert winner is not None
    assert winner.answer == "5"
    assert tally.agreement() == 0.5


def test_the_first_wave_is_the_fewest_that_can_end_it_and_later_ones_are_no_trickle() -> None:
    assert tally_of(8, "4").wave() == 2
    assert tally_of(8, "4", "4").wave() == 6
    assert tally_of(8, "4", "5").wave() == 6
    assert tally_of(8, None).wave() == 3
    assert tally_of(2, "4").wave() == 1
    assert tally_of(100, "4", "5").wave() == 8


def test_alike_samples_are_drawn_many_at_once_from_the_first_wave_on() -> None:
    tally = tally_of(16, "4")
    tally.alike = True
    assert tally.wave() == 8
    narrow = tally_of(4, "4")
    narrow.alike = True
    assert narrow.wave() == 3


ANSWERS = st.lists(st.sampled_from(["1", "2", "3", None]), min_size=1, max_size=20)


@given(ANSWERS, st.integers(1, 24))
def test_a_certain_vote_cannot_change(answers: list[str | None], width: int) -> None:
    tally = tally_of(width, *answers[:width])
    if tally.decided() != "certain":
        return
    winner = tally.winner()
    while tally.drawn < width:
        tally.add(said("another"))
        assert tally.winner() is winner


@given(ANSWERS, st.integers(1, 24))
def test_a_wave_for_the_leader_ends_the_vote(answers: list[str | None], width: int) -> None:
    tally = tally_of(width, *answers[: width - 1])
    if tally.decided():
        return
    first, wave = tally.drawn == 1, tally.wave()
    assert 1 <= wave <= width - tally.drawn
    leader = tally.ranking()[0][0] if tally.candidates else "1"
    for _ in range(wave):
        assert not (first and tally.decided())
        tally.add(said(leader))
    assert tally.decided()


def weighted(answer: str, mean_logprob: float = 0.0, sound: bool = True) -> Completion:
    signals = Signals(mean_logprob, 0.0, 0.0, 0.0, 10)
    objections = () if sound else (Objection(1, "1 + 1 = 2, not 3"),)
    return Completion(f"#### {answer}", "", answer, signals, "stop", objections)


def test_false_arithmetic_is_outvoted_by_sound_arithmetic() -> None:
    tally = Tally(8)
    for sample in (weighted("5", sound=False), weighted("5", sound=False), weighted("4")):
        tally.add(sample)
    assert tally.ranking() == (("4", 1), ("5", 2))
    assert tally.decided() is None


def test_false_arithmetic_never_ends_a_vote_early() -> None:
    tally = Tally(8)
    for _ in range(4):
        tally.add(weighted("5", sound=False))
    assert tally.decided() is None


@given(st.floats(-20, 0), st.floats(-20, 0), st.booleans())
def test_weights(left: float, right: float, sound: bool) -> None:
    low, high = sorted((left, right))
    assert 0 <= weight(weighted("4", low, sound)) <= weight(weighted("4", high, sound)) <= 1
    assert weight(weighted("4", low, False)) <= weight(weighted("4", low, True))


def test_a_sound_sample_takes_the_place_of_a_doubtful_one() -> None:
    tally = Tally(8)
    doubtful, sound, later = weighted("4", sound=False), weighted("4"), weighted("4")
    assert tally.add(doubtful) is None
    assert tally.winner() is doubtful
    assert tally.add(sound) is doubtful
    assert tally.add(later) is later
    assert tally.winner() is sound


def test_a_model_s_own_votes_end_as_its_urns_and_price_say() -> None:
    # One that is always right or never, so that two answers that agree settle it.
    urns = ((0.5, 0.0, 0.8, 5.0), (0.5, 0.95, 0.0, 5.0))
    assert own_rules(Stopping(0.01, urns))[1:] == EARLY[1:]

    def drawn(price: float, answers: list[str]) -> int:
        tally = Tally(16, own_rules(Stopping(price, urns)))
        for answer in answers:
            if tally.decided():
                break
            tally.add(said(answer))
        return tally.drawn

    alike, scattered = ["4"] * 16, [str(number) for number in range(16)]
    assert drawn(0.001, alike) == 2
    assert drawn(0.5, scattered) == 1
    assert 2 < drawn(0.001, scattered) < 16  # hopeless: given up
