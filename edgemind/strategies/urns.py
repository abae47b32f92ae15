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
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
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


class _Kind:
    """Urns alike in how wrong answers repeat: they differ in `right` and in weight only.

    A plan looks at hundreds of states; what many of them ask for is worked out once.
    """

    def __init__(self, urns: Sequence[Urn]) -> None:
        # `right`, and the logs of the weight, of a right and of a wrong sample.
        self._known = [
            (
                urn.right,
                math.log(urn.weight),
                math.log(urn.right) if urn.right else 0.0,
                math.log(1 - urn.right),
            )
            for urn in urns
        ]
        self.discount, self.strength = urns[0].discount, urns[0].strength
        self.joined = cache(self._joined)
        self.begun = cache(urns[0]._new)
        self.shares = cache(self._shares)

    def _joined(self, size: int) -> float:
        """Log of the factors by which a wrong answer went on to `size` votes."""
        return lgamma(size - self.discount) - lgamma(1 - self.discount)

    def _shares(self, right: int, wrong: int) -> tuple[float, float]:
        """(log-probability that of so many samples these are right, P(the next is right)).

        Without what the wrong ones are, but for the factor by which their number spreads them.
        """
        known = [urn for urn in self._known if urn[0] > 0 or not right]
        if not known:
            return -math.inf, 0.0
        logs = [weight + right * hit + wrong * miss for _, weight, hit, miss in known]
        highest = max(logs)
        masses = [math.exp(log - highest) for log in logs]
        total = sum(masses)
        mean = sum(mass * urn[0] for mass, urn in zip(masses, known, strict=True)) / total
        spread = lgamma(self.strength + 1) - lgamma(self.strength + wrong) if wrong else 0.0
        return highest + math.log(total) + spread, mean


class _Mixture:
    """A prior made ready: its urns by kind, and the outlooks that were asked for."""

    def __init__(self, prior: Prior) -> None:
        kinds: dict[tuple[float, float], list[Urn]] = {}
        for urn in prior:
            kinds.setdefault((urn.discount, urn.strength), []).append(urn)
        self._kinds = [_Kind(urns) for urns in kinds.values()]
        self.outlook = lru_cache(maxsize=1 << 14)(self._outlook)

    def _outlook(self, sizes: Sizes) -> Outlook:
        groups = Counter(sizes)
        drawn, answers = sum(sizes), len(sizes)
        cases: list[tuple[_Kind, int, float, float]] = []
        for kind in self._kinds:
            joined = sum(many * kind.joined(size) for size, many in groups.items())
            for right in (0, *groups):  # the votes of the right answer; 0 if all are wrong
                mass, next_right = kind.shares(right, drawn - right)
                if drawn > right:
                    mass += joined + kind.begun(answers - bool(right))
                    mass -= kind.joined(right) if right else 0.0
                if mass > -math.inf:
                    mass += math.log(groups[right]) if right else 0.0
                    cases.append((kind, right, mass, next_right))
        highest = max(mass for _, _, mass, _ in cases)
        masses = [math.exp(mass - highest) for _, _, mass, _ in cases]
        total = sum(masses)
        joins = dict.fromkeys((0, *groups), 0.0)
        leader_right = 0.0
        for (kind, right, _, next_right), mass in zip(cases, masses, strict=True):
            share = mass / total
            joins[right] += share * next_right
            # The rest falls on wrong answers, of which the right one is none.
            other = share * (1 - next_right) / (kind.strength + drawn - right)
            joins[0] += other * (kind.strength + kind.discount * (answers - bool(right)))
            for size, many in groups.items():
                joins[size] += other * (many - (size == right)) * (size - kind.discount)
            if right and right == sizes[0]:
                leader_right += share / groups[right]
        return Outlook(leader_right, tuple(joins.items()))


@lru_cache(maxsize=16)
def outlooks(prior: Prior) -> Callable[[Sizes], Outlook]:
    """`outlook` for one prior: for many states in a row, since a prior is long to look up."""
    return _Mixture(prior).outlook


def outlook(prior: Prior, sizes: Sizes) -> Outlook:
    """The outlook after `sizes`, averaged over urns and over which answer is the right one."""
    return outlooks(prior)(sizes)


def after(sizes: Sizes, size: int) -> Sizes:
    """The votes when an answer with `size` votes gets one more."""
    grown = list(sizes)
    if size:
        grown.remove(size)
    return tuple(sorted((*grown, size + 1), reverse=True))
