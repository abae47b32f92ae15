"""Means, shares and paired differences with their 95 % intervals.

Reached from `harness` and `replay`. Questions are the units: what several policies did with the
same question is paired. All figures are fractions, not per cent.

Sources: Wilson 1927 (JASA 22) for one share, Agresti and Min 2005 (Statistics in Medicine 24) for
the difference of paired shares; both keep their coverage for few questions and shares near 0 or 1,
where the textbook interval has no width.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

Z = 1.959964
"""The 97.5 % quantile of the normal distribution."""


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate, and the ends of its 95 % interval."""

    value: float
    low: float
    high: float


def share(hits: Sequence[bool]) -> Interval:
    """The share of hits (Wilson's interval). Of none: 0, and anything is possible."""
    count = len(hits)
    if not count:
        return Interval(0.0, 0.0, 1.0)
    found = sum(hits) / count
    shrink = 1 + Z * Z / count
    centre = (found + Z * Z / (2 * count)) / shrink
    half = Z * math.sqrt(found * (1 - found) / count + Z * Z / (4 * count * count)) / shrink
    return Interval(found, min(found, centre - half), max(found, centre + half))


def mean(values: Sequence[float]) -> Interval:
    """The mean (normal approximation). Of fewer than two values the interval has no width."""
    count = len(values)
    if not count:
        return Interval(0.0, 0.0, 0.0)
    middle = math.fsum(values) / count
    spread = math.fsum((value - middle) ** 2 for value in values) / max(1, count - 1)
    half = Z * math.sqrt(spread / count)
    return Interval(middle, middle - half, middle + half)


def paired_shares(left: Sequence[bool], right: Sequence[bool]) -> Interval:
    """share(left) - share(right) over the same questions (Agresti and Min)."""
    pairs = list(zip(left, right, strict=True))
    gained = sum(a and not b for a, b in pairs)
    lost = sum(b and not a for a, b in pairs)
    count = len(pairs)
    difference = (gained - lost) / count if count else 0.0
    centre = (gained - lost) / (count + 2)
    variance = gained + lost + 1 - (gained - lost) ** 2 / (count + 2)
    half = Z * math.sqrt(variance) / (count + 2)
    return Interval(
        difference,
        max(-1.0, min(difference, centre - half)),
        min(1.0, max(difference, centre + half)),
    )


def paired_means(left: Sequence[float], right: Sequence[float]) -> Interval:
    """mean(left) - mean(right) over the same questions."""
    return mean([a - b for a, b in zip(left, right, strict=True)])
