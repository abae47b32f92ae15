"""How a model's answers spread: a prior over samples, fitted to recorded ones.

Reached from `edgemind.strategies.stopping`. What one question's samples say is modelled as draws
from an urn: with probability `right` a sample gives the right answer, otherwise one of unboundedly
many wrong ones, which repeat as in a Pitman-Yor process. Questions differ, so the prior is a
mixture of such urns. All that follows is exact for the mixture: the chance that the next sample
joins an answer already given, and the chance that the leader is the right answer.

Only the numbers of votes matter: for samples drawn alike, their order says nothing more.

Sources: Pitman and Yor 1997 (Annals of Probability 25) for the predictive rule and its partition
probability, Dempster, Laird and Rubin 1977 for the fit (`scripts/fit_stopping.py`).
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from math import lgamma

Sizes = tuple[int, ...]
"""Votes of each answer, the most first."""


@dataclass(frozen=True, slots=True)
class Urn:
    """One kind of question, and the share of questions that are of it (`weight`).

    `right` is the chance that a sample is right (0 <= right < 1). A `strength` (> 0) that is high
    spreads the wrong samples over many answers, and so does a high `discount` (from 0 up to 1).
    """

    weight: float
    right: float
    discount: float
    strength: float

    def log_likelihood(self, sizes: Sizes, right: int | None) -> float:
        """Log-probability of one order of samples with these votes, `-inf` if impossible.

        `right` is the number of votes of the answer that is right, None if all are wrong.
        """
        drawn = sum(sizes)
        wrong, kinds, joined = drawn, len(sizes), 0.0
        for size in sizes:
            joined += lgamma(size - self.discount) - lgamma(1 - self.discount)
        known = 0.0
        if right is not None:
            if self.right <= 0:
                return -math.inf
            wrong, kinds = wrong - right, kinds - 1
            joined -= lgamma(right - self.discount) - lgamma(1 - self.discount)
            known = right * math.log(self.right)
        if not wrong:
            return known
        spread = lgamma(self.strength + 1) - lgamma(self.strength + wrong)
        return known + wrong * math.log(1 - self.right) + self._new(kinds) + joined + spread

    def _new(self, kinds: int) -> float:
        """Log of the factors by which `kinds` wrong answers came up for the first time."""
        if not self.discount:
            return (kinds - 1) * math.log(self.strength)
        ratio = self.strength / self.discount
        return (kinds - 1) * math.log(self.discount) + lgamma(ratio + kinds) - lgamma(ratio + 1)


Prior = tuple[Urn, ...]


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is to be expected after some votes.

    `leader_right` is the probability that the leader (of equals, any one of them) is right;
    `joins` the probability that the next sample goes to any one of the answers with so many votes,
    by that number; 0 is an answer not given so far. The probabilities add up to 1.
    """

    leader_right: float
    joins: tuple[tuple[int, float], ...]


@lru_cache(maxsize=1 << 14)
def outlook(prior: Prior, sizes: Sizes) -> Outlook:
    """The outlook after `sizes`, averaged over urns and over which answer is the right one."""
    groups = Counter(sizes)
    drawn, kinds = sum(sizes), len(sizes)
    cases = [
        (urn, right, math.log(urn.weight * groups.get(right or 0, 1)) + likelihood)
        for urn in prior
        for right in (None, *groups)
        if (likelihood := urn.log_likelihood(sizes, right)) > -math.inf
    ]
    highest = max(log for _, _, log in cases)
    masses = [math.exp(log - highest) for _, _, log in cases]
    total = sum(masses)
    joins = dict.fromkeys((0, *groups), 0.0)
    leader_right = 0.0
    for (urn, right, _), mass in zip(cases, masses, strict=True):
        share = mass / total
        joins[right or 0] += share * urn.right
        # The rest falls on wrong answers, of which the right one is none.
        other = share * (1 - urn.right) / (urn.strength + drawn - (right or 0))
        wrong_kinds = kinds - (right is not None)
        joins[0] += other * (urn.strength + urn.discount * wrong_kinds)
        for size, many in groups.items():
            joins[size] += other * (many - (size == right)) * (size - urn.discount)
        if sizes and right == sizes[0]:
            leader_right += share / groups[right]
    return Outlook(leader_right, tuple(joins.items()))


def after(sizes: Sizes, size: int) -> Sizes:
    """The votes when an answer with `size` votes gets one more."""
    grown = list(sizes)
    if size:
        grown.remove(size)
    return tuple(sorted((*grown, size + 1), reverse=True))
