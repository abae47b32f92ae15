"""An answer played forward: scenarios of lengths, samples and speeds, and the quantiles of them.

The scenarios are spread evenly by a Halton sequence, so the same knowledge gives the same figures.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Generic, TypeVar

from edgemind.costs.spread import calibrated, experienced, rank
from edgemind.types import Budget, Prediction, Quantiles, Spent

T = TypeVar("T")
SCENARIOS = 96
QUANTITIES = ("seconds", "joules", "tokens")


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be answered, as far as it changes the cost.

    `new_tokens` of the prompt are not in the cache; `most_tokens` bounds one sample; at most
    `engine_width` are stepped at once. `escalates` says that the router may think harder,
    `verified` that there are verifiers that take time.
    """

    new_tokens: int
    most_tokens: int = 1 << 30
    engine_width: int = 16
    escalates: bool = False
    verified: bool = False


@dataclass(frozen=True, slots=True)
class Forecast:
    """Sorted draws of what an answer will cost, by quantity, and the ranks of earlier outcomes."""

    draws: Mapping[str, tuple[float, ...]]
    ranks: Mapping[str, Sequence[float]]

    def at(self, quantity: str, share: float) -> float:
        """The `share` quantile of seconds, joules or tokens."""
        levels = experienced(self.ranks.get(quantity, ()))
        return max(0.0, calibrated(self.draws[quantity], share, levels))

    def prediction(self) -> Prediction:
        """The quantiles that are promised."""
        return Prediction(*(self._quantiles(quantity) for quantity in QUANTITIES))

    def _quantiles(self, quantity: str) -> Quantiles:
        levels = experienced(self.ranks.get(quantity, ()))
        draws = self.draws[quantity]
        return Quantiles(
            *(max(0.0, calibrated(draws, share, levels)) for share in (0.05, 0.5, 0.9, 0.95))
        )

    def fits(self, left: Budget, share: float = 0.9) -> bool:
        """Whether the `share` quantiles are within what is left of each limit."""
        limits = ((quantity, getattr(left, quantity)) for quantity in QUANTITIES)
        return all(most is None or self.at(quantity, share) <= most for quantity, most in limits)

    def ranks_of(self, spent: Spent, tie: float) -> dict[str, float]:
        """Where the actual cost lies among the draws; see `spread.rank`."""
        return {
            quantity: rank(self.draws[quantity], getattr(spent, quantity), tie)
            for quantity in QUANTITIES
        }


def within(draw: tuple[float, float, float], budget: Budget, unused: float) -> tuple[float, ...]:
    """What becomes of (seconds, joules, tokens) under a budget that cuts them.

    `unused` is the share of the budget that a cut answer leaves.
    """
    limits = (budget.seconds, budget.joules, budget.tokens)
    shares = [
        most / value
        for most, value in zip(limits, draw, strict=True)
        if most is not None and value > most
    ]
    if not shares:
        return draw
    share = min(shares) * (1 - unused)
    return tuple(value * share for value in draw)


def halton(number: int, base: int) -> float:
    """The `number`th element (from 1) of van der Corput's sequence in `base`, within (0, 1)."""
    found, part = 0.0, 1.0
    while number:
        part /= base
        found += part * (number % base)
        number //= base
    return found


SCENES = tuple(
    tuple(halton(number, base) for base in (2, 3, 5, 7)) for number in range(1, SCENARIOS + 1)
)
"""The scenarios: of each, where its length, its samples, its speed and its power fall."""


class Spread(Generic[T]):
    """Elements laid end to end by their weights, which add up to 1."""

    def __init__(self, weighed: Sequence[tuple[T, float]]) -> None:
        self._elements = [element for element, _ in weighed]
        self._ends = list(accumulate(weight for _, weight in weighed))

    def at(self, place: float) -> T:
        """The element in which `place` (0 to 1) falls."""
        return self._elements[min(bisect_left(self._ends, place), len(self._elements) - 1)]
