"""The rules that end a vote early: pure functions of the votes, without I/O or a clock.

Reached from the vote's tally and, over recorded samples, from `edgemind.evaluate.replay`. A rule
looks at `Counts` and says whether the vote may end; `first_to_fire` names the first of several.

    first_to_fire((Certain(), Worth()), Counts.of([3, 1], total=8))

Rules of thumb on the votes alone: `Certain` (arithmetic), `Beta` (Aggarwal et al. 2023,
Adaptive-Consistency, EMNLP), `Windowed` (Li et al. 2024, ESC, arXiv 2401.10480). Rules that know
how answers spread, from a prior fitted to recorded samples (`edgemind.strategies.urns`): `Settled`
(the chance that the majority of all samples will be another), `CostAware` (that chance against
seconds and joules) and `Worth`, which stops where going on brings less than it costs, by backward
induction over all that can still happen.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from edgemind.strategies.prior import RECORDED
from edgemind.strategies.urns import Prior, Sizes, after, outlook, outlooks

BETA_THRESHOLD = 0.95
PRICE = 0.0005
"""What a sample has to bring, as probability of a right answer, to be drawn by `Worth`."""
LOOK_AHEAD = 8
"""Most samples into the future that the rules with a prior reckon with."""
LONGEST = 12
"""Votes from which on `Worth` leaves the decision to `Beta`: its prior was seen up to 8."""


@dataclass(frozen=True, slots=True)
class Counts:
    """The state of a vote.

    `votes` are those of each answer, the most first (a sample's vote may weigh less than 1, never
    more); `drawn` of at most `total` samples are in, `unparsed` of which gave no answer; the latest
    `streak` of them gave one and the same.
    """

    votes: tuple[float, ...]
    drawn: int
    total: int
    unparsed: int = 0
    streak: int = 0

    def __post_init__(self) -> None:
        if any(a < b for a, b in zip(self.votes, self.votes[1:], strict=False)):
            raise ValueError(f"votes go down, the leader's first: {self.votes}")
        if not self.unparsed + len(self.votes) <= self.drawn <= self.total:
            raise ValueError(f"{self.drawn} drawn of {self.total} cannot be, with {self.votes}")

    @classmethod
    def of(cls, votes: Iterable[float], total: int, unparsed: int = 0, streak: int = 0) -> Counts:
        """Counts of whole votes in any order; those drawn are the votes and the unparsed."""
        given = tuple(sorted((vote for vote in votes if vote), reverse=True))
        return cls(given, math.ceil(sum(given)) + unparsed, total, unparsed, streak)

    @property
    def left(self) -> int:
        """Samples still to come."""
        return self.total - self.drawn

    @property
    def first(self) -> float:
        """The leader's votes; 0 before any answer."""
        return self.votes[0] if self.votes else 0.0

    @property
    def second(self) -> float:
        """The next one's votes; 0 if there is none."""
        return self.votes[1] if len(self.votes) > 1 else 0.0

    @property
    def whole(self) -> Sizes:
        """Whole votes, rounded against the leader (but it stays one)."""
        others = [math.ceil(vote) for vote in self.votes[1:] if vote > 0]
        if not self.first:
            return ()
        return (max(math.floor(self.first), *others, 1), *others)


class Rule(Protocol):
    """May the vote end now? `name` is what a receipt calls the rule."""

    @property
    def name(self) -> str:
        """One or two words."""

    def __call__(self, counts: Counts) -> bool: ...


def first_to_fire(rules: Sequence[Rule], counts: Counts) -> str | None:
    """The name of the first rule that would end the vote, None while none would."""
    return next((rule.name for rule in rules if rule(counts)), None)


@dataclass(frozen=True, slots=True)
class AllDrawn:
    """No sample is left to draw."""

    name: str = "all samples drawn"

    def __call__(self, counts: Counts) -> bool:
        return counts.left <= 0


@dataclass(frozen=True, slots=True)
class Certain:
    """No outcome of the samples still to come changes the leader: arithmetic."""

    name: str = "certain"

    def __call__(self, counts: Counts) -> bool:
        return counts.first - counts.second > counts.left


def beta_confidence(first: int, second: int) -> float:
    """P(the leader of two answers with these votes is the more likely one), uniform prior.

    The integral of the Beta(second + 1, first + 1) density up to one half, which equals
    P(Bin(first + second + 1, 1/2) <= first).
    """
    trials = first + second + 1
    return float(sum(math.comb(trials, k) for k in range(first + 1)) / 2**trials)


@dataclass(frozen=True, slots=True)
class Beta:
    """`beta_confidence` of the two leading answers reaches `threshold` (Adaptive-Consistency)."""

    threshold: float = BETA_THRESHOLD
    name: str = "beta"

    def __call__(self, counts: Counts) -> bool:
        votes = (*counts.whole, 0, 0)
        return beta_confidence(votes[0], votes[1]) >= self.threshold


@dataclass(frozen=True, slots=True)
class Windowed:
    """The latest full window of `width` samples is unanimous (ESC); no answer is no agreement."""

    width: int = 5
    name: str = "window"

    def __call__(self, counts: Counts) -> bool:
        full = counts.drawn > 0 and counts.drawn % self.width == 0
        return full and counts.streak >= self.width


@lru_cache(maxsize=1 << 15)
def flip_probability(prior: Prior, votes: Sizes, more: int) -> float:
    """P(another answer than the present leader, `votes[0]`, leads after `more` samples).

    Of answers that are level at the end each is as likely to lead. Every sample is taken to give
    an answer.
    """
    leader, others = votes[0], votes[1:]
    highest = max(others, default=0)
    if leader - highest > more:
        return 0.0
    if more == 0:
        level = others.count(leader)
        return 1.0 if highest > leader else level / (level + 1)
    ordered = tuple(sorted(votes, reverse=True))
    same = ordered.count(leader)
    flip = 0.0
    for size, chance in outlook(prior, ordered).joins:
        to_leader = chance / same if size == leader else 0.0
        if to_leader:
            flip += to_leader * flip_probability(prior, (leader + 1, *others), more - 1)
        if chance > to_leader:
            rest = (leader, *after(others, size))
            flip += (chance - to_leader) * flip_probability(prior, rest, more - 1)
    return flip


@dataclass(frozen=True, slots=True)
class Settled:
    """The majority of all samples is the present leader, but for a chance of `risk` at most.

    More than `LOOK_AHEAD` samples ahead the rule never fires.
    """

    risk: float = 0.02
    prior: Prior = RECORDED
    name: str = "settled"

    def __call__(self, counts: Counts) -> bool:
        votes = counts.whole
        if not votes or not counts.left <= LOOK_AHEAD:
            return False
        return flip_probability(self.prior, votes, counts.left) <= self.risk


@dataclass(frozen=True, slots=True)
class CostAware:
    """Another leader is not worth the samples that it would take.

    `value` is what a change of the leader is worth, `per_second` and `per_joule` what those cost,
    in one unit; `seconds` and `joules` what one more sample is expected to take. The rule fires
    unless for some number of samples k (up to `LOOK_AHEAD`)
    P(flip within k) x value > k x (per_second x seconds + per_joule x joules).
    With k = 1 alone every vote would end at its first sample, which no second one outvotes.
    """

    value: float
    seconds: float
    joules: float = 0.0
    per_second: float = 1.0
    per_joule: float = 0.0
    prior: Prior = RECORDED
    name: str = "not worth it"

    def __call__(self, counts: Counts) -> bool:
        votes = counts.whole
        if not votes:
            return False
        cost = self.per_second * self.seconds + self.per_joule * self.joules
        return all(
            flip_probability(self.prior, votes, ahead) * self.value <= ahead * cost
            for ahead in range(1, min(counts.left, LOOK_AHEAD) + 1)
        )


class _Plan:
    """The best plan for every state under one prior and price, worked out as it is asked for."""

    def __init__(self, prior: Prior, price: float) -> None:
        self._outlook, self._price = outlooks(prior), price
        self.best = lru_cache(maxsize=1 << 15)(self._best)

    def _best(self, votes: Sizes, left: int) -> tuple[float, bool]:
        """P(right) less the price of further samples, and whether the plan stops now."""
        now = self._outlook(votes)
        second = votes[1] if len(votes) > 1 else 0
        if left == 0 or (votes and votes[0] - second > left):
            return now.leader_right, True
        later = sum(
            chance * self.best(after(votes, size), left - 1)[0]
            for size, chance in now.joins
            if chance
        )
        stop = bool(votes) and now.leader_right >= later - self._price
        return (now.leader_right if stop else later - self._price), stop


_plan = lru_cache(maxsize=16)(_Plan)


@dataclass(frozen=True, slots=True)
class Worth:
    """No plan of further samples raises P(right) by `price` for each sample it draws.

    The optimal stopping rule for a right answer worth 1 / `price` samples, by backward induction
    over everything that the samples still to come can do to the votes, under `prior`. Within the
    `LOOK_AHEAD` exact; a longer vote is judged by its next so many samples, and from `LONGEST`
    votes on by `Beta`.
    """

    price: float = PRICE
    prior: Prior = RECORDED
    name: str = "not worth more"

    def __call__(self, counts: Counts) -> bool:
        votes = counts.whole
        if not votes:
            return False
        if sum(votes) >= LONGEST:
            return Beta()(counts)
        return _plan(self.prior, self.price).best(votes, min(counts.left, LOOK_AHEAD))[1]
