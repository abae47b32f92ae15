"""Quantiles of small sets of numbers: weighted, cut short, and set right by experience."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

PSEUDO_RANKS = 10
"""Earlier predictions that are made up, spread evenly: their weight against real ones."""


def quantile(values: Sequence[float], share: float) -> float:
    """The `share` quantile of sorted `values`, between neighbours in proportion. Not empty."""
    place = min(max(share, 0.0), 1.0) * (len(values) - 1)
    index = min(int(place), len(values) - 2)
    if index < 0:
        return values[0]
    return values[index] + (place - index) * (values[index + 1] - values[index])


def median(values: Sequence[float]) -> float:
    """The middle of unsorted `values`. Not empty."""
    return quantile(sorted(values), 0.5)


def survival_weights(
    values: Sequence[float], cut: Sequence[bool], weights: Sequence[float]
) -> list[float]:
    """Weights that add up to 1 for `values`, of which some were `cut`: "at least so much".

    `values` are sorted. The weight of a cut one goes to those above it, in proportion; nothing is
    known beyond the largest, which keeps its own (Kaplan and Meier 1958).
    """
    at_risk, alive = sum(weights), 1.0
    found = []
    for index, (is_cut, weight) in enumerate(zip(cut, weights, strict=True)):
        last = index == len(values) - 1
        share = alive if last else 0.0 if is_cut or at_risk <= 0 else alive * weight / at_risk
        found.append(share)
        alive -= share
        at_risk -= weight
    return found


def rank(draws: Sequence[float], value: float, tie: float) -> float:
    """Where `value` lies among sorted `draws`: 0 to 1 within them.

    Above the largest it is value / largest, below the smallest 1 - smallest / value: how far out,
    so that `calibrated` can go out as far. Among equals, `tie` (0 to 1) says where.
    """
    low, high = draws[0], draws[-1]
    if value > high > 0:
        return value / high
    if value < low:
        return 1 - low / max(value, 1e-12)
    below, upto = bisect_left(draws, value), bisect_right(draws, value)
    return (below + tie * (upto - below)) / len(draws)


def experienced(ranks: Sequence[float]) -> list[float]:
    """The `ranks` of earlier outcomes and those that are made up, sorted, for `calibrated`."""
    made_up = [(number + 0.5) / PSEUDO_RANKS for number in range(PSEUDO_RANKS)]
    return sorted((*ranks, *made_up))


def calibrated(draws: Sequence[float], share: float, levels: Sequence[float]) -> float:
    """The `share` quantile of sorted `draws`, set right by experience (`experienced`).

    Where a tenth of earlier outcomes came out above what was called the 80 % quantile, that one is
    the 90 % quantile (Kuleshov et al. 2018, arXiv 1807.00263).
    """
    level = quantile(levels, share)
    if level > 1:
        return draws[-1] * level
    if level < 0:
        return draws[0] / (1 - level)
    return quantile(draws, level)
