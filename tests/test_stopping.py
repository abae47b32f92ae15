"""The rules that end a vote, on votes alone."""

from __future__ import annotations

import itertools
import math
import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgemind.strategies.prior import RECORDED
from edgemind.strategies.stopping import (
    LONGEST,
    AllDrawn,
    Beta,
    Certain,
    CostAware,
    Counts,
    Rule,
    Settled,
    Windowed,
    Worth,
    beta_confidence,
    first_to_fire,
    flip_probability,
)
from edgemind.strategies.urns import Prior, Sizes, Urn, after, outlook

VOTES = st.lists(st.integers(1, 6), max_size=5).filter(lambda votes: sum(votes) <= 10)
ANSWERS = st.lists(st.sampled_from(["1", "2", "3", None]), min_size=1, max_size=16)
EVEN: Prior = (Urn(1.0, 0.5, 0.0, 1.0),)


def counts_of(answers: list[str | None], total: int) -> Counts:
    votes = Counter(answer for answer in answers if answer is not None)
    return Counts.of(votes.values(), total, answers.count(None))


@pytest.mark.parametrize(
    ("threshold", "smallest"),
    [(0.80, (2, 3, 5, 6, 7)), (0.90, (3, 5, 6, 8, 9)), (0.95, (4, 6, 8, 9, 11))],
)
def test_the_published_table(threshold: float, smallest: tuple[int, ...]) -> None:
    rule = Beta(threshold)
    for second, first in enumerate(smallest):
        assert rule(Counts.of([first, second], 64))
        assert not rule(Counts.of([first - 1, second], 64))


@given(st.integers(0, 200), st.integers(0, 200))
def test_beta_confidence_is_a_probability_and_symmetric(first: int, second: int) -> None:
    confidence = beta_confidence(first, second)
    assert 0 <= confidence <= 1
    assert confidence + beta_confidence(second, first) == pytest.approx(1)
    assert beta_confidence(first + 1, second) >= confidence


@given(ANSWERS, st.integers(0, 12), st.randoms(use_true_random=False))
def test_a_certain_vote_cannot_change(
    answers: list[str | None], more: int, chance: random.Random
) -> None:
    counts = counts_of(answers, len(answers) + more)
    if not Certain()(counts):
        return
    votes = Counter(answer for answer in answers if answer is not None)
    leader = votes.most_common(1)[0][0]
    votes.update(chance.choices(["1", "2", "3", "4"], k=more))
    assert votes.most_common(1)[0][0] == leader
    assert Settled(0.0)(counts) or counts.left > 8


@given(ANSWERS, st.integers(0, 12))
def test_a_vote_that_is_not_certain_can_change(answers: list[str | None], more: int) -> None:
    counts = counts_of(answers, len(answers) + more)
    rival_at_best = counts.second + counts.left
    assert Certain()(counts) == (counts.first > rival_at_best)


def test_windows_are_full_unanimous_and_parsed() -> None:
    rule = Windowed(3)
    assert rule(Counts.of([3], 8, streak=3))
    assert rule(Counts.of([4, 2], 8, streak=3))
    assert not rule(Counts.of([4], 8, streak=4))  # not at the end of a window
    assert not rule(Counts.of([5, 1], 8, streak=2))
    assert not rule(Counts.of([], 8, unparsed=3))
    assert not rule(Counts.of([], 8))


def test_the_first_rule_that_fires_is_named() -> None:
    rules: tuple[Rule, ...] = (AllDrawn(), Certain(), Beta(0.9))
    assert first_to_fire(rules, Counts.of([2], 8)) is None
    assert first_to_fire(rules, Counts.of([3], 8)) == "beta"
    assert first_to_fire(rules, Counts.of([5], 8)) == "certain"
    assert first_to_fire(rules, Counts.of([5, 3], 8)) == "all samples drawn"
    assert first_to_fire((), Counts.of([8], 8)) is None


@pytest.mark.parametrize("votes", [(1.0, 2.0), (2.0, 2.0, 3.0)])
def test_counts_are_sorted(votes: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="go down"):
        Counts(votes, 8, 8)


@pytest.mark.parametrize(("drawn", "total"), [(9, 8), (1, 8)])
def test_counts_add_up(drawn: int, total: int) -> None:
    with pytest.raises(ValueError, match="cannot be"):
        Counts((1.0, 1.0), drawn, total)


@pytest.mark.parametrize(
    ("votes", "whole"),
    [((2.9, 1.1), (2, 2)), ((3.9, 0.2), (3, 1)), ((0.4,), (1,)), ((), ()), ((1.6, 1.5), (2, 2))],
)
def test_votes_that_weigh_less_are_rounded_against_the_leader(
    votes: tuple[float, ...], whole: Sizes
) -> None:
    assert Counts(votes, 5, 8).whole == whole


@given(VOTES)
def test_what_comes_next_is_something(votes: list[int]) -> None:
    seen = outlook(RECORDED, tuple(sorted(votes, reverse=True)))
    assert sum(chance for _, chance in seen.joins) == pytest.approx(1)
    assert all(0 <= chance <= 1 + 1e-9 for _, chance in seen.joins)
    assert 0 <= seen.leader_right <= 1


def all_partitions(samples: int) -> Counter[tuple[Sizes, int | None]]:
    """Every way in which so many labelled samples can agree, and which group of them is right."""
    found: Counter[tuple[Sizes, int | None]] = Counter()
    for labels in itertools.product(range(samples + 1), repeat=samples):
        # Label 0 is right; the others are numbered in the order of their first sample.
        wrong = [label for label in labels if label]
        if list(dict.fromkeys(wrong)) == list(range(1, len(set(wrong)) + 1)):
            votes = Counter(labels)
            found[tuple(sorted(votes.values(), reverse=True)), votes.get(0)] += 1
    return found


@pytest.mark.parametrize(
    "urn", [Urn(1, 0.3, 0.0, 0.5), Urn(1, 0.0, 0.8, 5.0), Urn(1, 0.95, 0.5, 1.0)]
)
def test_the_likelihood_is_a_distribution(urn: Urn) -> None:
    total = sum(
        many * math.exp(urn.log_likelihood(sizes, right))
        for (sizes, right), many in all_partitions(5).items()
    )
    assert total == pytest.approx(1)


def test_one_sample_is_right_as_often_as_the_urn_says() -> None:
    assert outlook(EVEN, (1,)).leader_right == pytest.approx(0.5)
    # 1-0: right with 1/2, then the next joins with 1/2; wrong with 1/2, then with 1/2 x 1/(1 + 1).
    assert dict(outlook(EVEN, (1,)).joins) == pytest.approx({1: 0.375, 0: 0.625})


@pytest.mark.parametrize("votes", [(4, 1), (5, 2), (4, 1, 1), (6, 3, 1)])
def test_more_samples_are_news_and_no_trend(votes: Sizes) -> None:
    """P(right) of a leader who stays ahead is, on average, after a sample what it was before."""
    now = outlook(RECORDED, votes)
    later = sum(
        chance * outlook(RECORDED, after(votes, size)).leader_right for size, chance in now.joins
    )
    assert later == pytest.approx(now.leader_right)


def test_flips_are_counted_out() -> None:
    assert flip_probability(EVEN, (3, 1), 1) == 0
    assert flip_probability(EVEN, (1, 2), 0) == 1
    assert flip_probability(EVEN, (2, 2, 2), 0) == pytest.approx(2 / 3)
    # After 1-0, another answer has to come twice for more than a tie.
    new = dict(outlook(EVEN, (1,)).joins)[0]
    either = dict(outlook(EVEN, (1, 1)).joins)[1]
    fresh = dict(outlook(EVEN, (1, 1)).joins)[0]
    expected = new * (either / 2 + fresh * 2 / 3)
    assert flip_probability(EVEN, (1,), 2) == pytest.approx(expected)


@given(VOTES.filter(bool), st.integers(0, 6))
def test_a_flip_has_a_probability(votes: list[int], more: int) -> None:
    ordered = tuple(sorted(votes, reverse=True))
    assert 0 <= flip_probability(RECORDED, ordered, more) <= 1


def test_settled_knows_its_limits() -> None:
    assert not Settled()(Counts.of([4], 64))
    assert not Settled()(Counts.of([], 8, unparsed=8))
    assert Settled(0.02)(Counts.of([3], 8))
    assert not Settled(0.02)(Counts.of([2, 1], 8))


def test_cost_decides() -> None:
    counts = Counts.of([2, 1], 8)
    assert not CostAware(value=1, seconds=0)(counts)
    assert not CostAware(value=100, seconds=1)(counts)
    assert CostAware(value=0.01, seconds=1)(counts)
    assert CostAware(value=100, seconds=1, joules=1e6, per_joule=1)(counts)
    assert not CostAware(value=1, seconds=9)(Counts.of([], 8))
    # One sample more outvotes nobody here, but two may.
    assert not CostAware(value=100, seconds=1)(Counts.of([1], 8))
    assert CostAware(value=100, seconds=0)(Counts.of([5], 8))


def expected(rule: Rule, price: float, votes: Sizes, left: int) -> float:
    """P(right) less the price of samples, when `rule` ends the vote; under the recorded prior."""
    now = outlook(RECORDED, votes)
    if left == 0 or (votes and rule(Counts.of(votes, sum(votes) + left))):
        return now.leader_right
    return -price + sum(
        chance * expected(rule, price, after(votes, size), left - 1) for size, chance in now.joins
    )


@pytest.mark.parametrize("price", [0.0005, 0.004, 0.03])
def test_no_other_rule_is_worth_more(price: float) -> None:
    best = expected(Worth(price), price, (), 6)
    others: list[Rule] = [AllDrawn(), Certain(), Settled(0.02), Settled(0.2)]
    others += [Beta(threshold) for threshold in (0.5, 0.7, 0.8, 0.9, 0.95)]
    assert all(expected(rule, price, (), 6) <= best + 1e-12 for rule in others)


@given(VOTES.filter(bool), st.integers(0, 4), st.integers(0, 7))
def test_what_stops_at_a_low_price_stops_at_a_higher_one(
    votes: list[int], more: int, step: int
) -> None:
    counts = Counts.of(votes, sum(votes) + more)
    low, high = 1e-4 * 2**step, 1e-4 * 2 ** (step + 1)
    assert Worth(high)(counts) or not Worth(low)(counts)


@pytest.mark.parametrize(
    ("votes", "over"),
    [([3], True), ([2], False), ([2, 1], False), ([3, 1], False), ([4, 1], True),
     ([1] * 6, False), ([3, 1, 1, 1], True), ([2, 2], False)],
)  # fmt: skip
def test_where_the_recorded_prior_stops(votes: list[int], over: bool) -> None:
    assert Worth()(Counts.of(votes, 8)) is over


def test_worth_in_long_votes() -> None:
    assert not Worth()(Counts.of([], 8, unparsed=3))
    assert not Worth()(Counts.of([7, 5], 64))
    assert Worth()(Counts.of([LONGEST], 256))
    assert Worth()(Counts.of([4, 2], 6))


@given(VOTES)
def test_an_outlook_is_the_mean_over_urns_and_over_which_answer_is_right(votes: list[int]) -> None:
    """Urns of one kind are reckoned together; here each stands alone, as the formula says."""
    sizes = tuple(sorted(votes, reverse=True))
    counts = Counter(sizes)
    masses = {
        (urn, right): urn.weight * counts.get(right or 0, 1) * math.exp(likelihood)
        for urn in RECORDED
        for right in (None, *counts)
        if (likelihood := urn.log_likelihood(sizes, right)) > -math.inf
    }
    leading = sum(
        mass / counts[right]
        for (_, right), mass in masses.items()
        if right is not None and right == sizes[0]
    )
    again = sum(mass * urn.right for (urn, right), mass in masses.items() if right is None)
    total = sum(masses.values())
    seen = outlook(RECORDED, sizes)
    assert seen.leader_right == pytest.approx(leading / total)
    new = again + sum(
        mass
        * (1 - urn.right)
        * (urn.strength + urn.discount * (len(sizes) - (right is not None)))
        / (urn.strength + sum(sizes) - (right or 0))
        for (urn, right), mass in masses.items()
    )
    assert dict(seen.joins)[0] == pytest.approx(new / total)
