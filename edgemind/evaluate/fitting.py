"""Fitting the prior of the stopping rules to recorded samples.

Reached from `scripts/fit_stopping.py`. The urns stand on a fixed grid; only their weights are
fitted, by expectation maximisation, which makes the likelihood concave: no starting point matters.
Urns that hardly any question needs are left out.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from edgemind.strategies.urns import Prior, Sizes, Urn

RIGHT = (0.0, 0.05, 0.2, 0.4, 0.6, 0.8, 0.95)
"""Chances of a right sample on the grid."""
WRONG = ((0.0, 0.5), (0.0, 5.0), (0.5, 1.0), (0.8, 5.0))
"""(discount, strength) on the grid: from one favourite error to errors that never repeat."""
LEAST_WEIGHT = 0.01
ROUNDS = 1000

Pattern = tuple[Sizes, int | None]
"""Votes of each answer, and of the right one (None where no sample gave it)."""


def pattern(answers: Iterable[str | None], gold: str) -> Pattern:
    """The pattern of one question's samples; those without an answer are left out."""
    votes = Counter(answer for answer in answers if answer is not None)
    return tuple(sorted(votes.values(), reverse=True)), votes.get(gold)


def grid() -> Prior:
    """All urns, of equal weight."""
    urns = [(right, *wrong) for right in RIGHT for wrong in WRONG]
    return tuple(Urn(1 / len(urns), *urn) for urn in urns)


def fit(patterns: Sequence[Pattern], *, least: float = LEAST_WEIGHT, rounds: int = ROUNDS) -> Prior:
    """The grid's urns weighted so as to make the patterns most likely; weights add up to 1.

    Urns whose weight is below `least` go, and the others are fitted again. Raises `ValueError`
    where there is no pattern.
    """
    if not patterns:
        raise ValueError("no samples to fit to")
    counted = Counter(patterns)
    urns = grid()
    while True:
        weights = _maximise(list(counted), np.array([*counted.values()], float), urns, rounds)
        kept = weights >= least
        if kept.all():
            break
        urns = tuple(urn for urn, keep in zip(urns, kept, strict=True) if keep)
    rounded = [round(float(weight), 4) for weight in weights]
    return tuple(replace(urn, weight=weight) for urn, weight in zip(urns, rounded, strict=True))


def _maximise(
    patterns: Sequence[Pattern], counts: npt.NDArray[np.float64], urns: Prior, rounds: int
) -> npt.NDArray[np.float64]:
    """Weights of the urns, shape (urns,), after so many rounds from equal ones."""
    logs = np.array([[urn.log_likelihood(*pattern) for urn in urns] for pattern in patterns])
    highest = logs.max(axis=1, keepdims=True)
    if not np.isfinite(highest).all():
        raise ValueError("a pattern that no urn can give")
    likelihoods = np.exp(logs - highest)
    weights = np.full(len(urns), 1 / len(urns))
    for _ in range(rounds):
        joint = likelihoods * weights
        weights = counts @ (joint / joint.sum(axis=1, keepdims=True))
        weights /= weights.sum()
    return weights


def log_likelihood(patterns: Iterable[Pattern], prior: Prior) -> float:
    """Log-probability of the patterns under a prior (orders told apart), natural."""
    return sum(
        math.log(sum(urn.weight * math.exp(urn.log_likelihood(*pattern)) for urn in prior))
        for pattern in patterns
    )
