"""Fits and judges the router's logistic models; used by `edgemind calibrate`.

Logistic regression by iteratively re-weighted least squares with an L2 penalty, on standardised
signals; Platt scaling (Platt 1999) of out-of-fold logits, which undoes what the penalty and few
data make over- or underconfident; AUROC; expected calibration error (Naeini et al. 2015).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgemind.router.calibration import Logistic

Array = npt.NDArray[np.float64]
PENALTY = 1.0
FOLDS = 5
BINS = 10


@dataclass(frozen=True, slots=True)
class Fit:
    """A fitted model, and what it is worth on data that it was not fitted to.

    `probabilities` are out of fold, shape (rows,).
    """

    model: Logistic
    probabilities: Array
    auroc: float
    error: float


def fit(
    rows: Sequence[Mapping[str, float]],
    target: Sequence[bool],
    names: Sequence[str],
    unseen: Mapping[str, float] | None = None,
) -> Fit:
    """P(target | signals called `names`), judged by five-fold cross-validation.

    Where the target hardly varies, a model says little more than its mean. A signal that is 0 in
    every row keeps its weight in `unseen`: nothing was learnt of it, which is not that it is
    worth nothing.
    """
    values = np.array([[row[name] for name in names] for row in rows], dtype=np.float64)
    wanted = np.asarray(target, dtype=np.float64)
    logits = _out_of_fold(values, wanted)
    slope, shift = _platt(logits, wanted)
    weights = _regress(values, wanted)
    found = {name: round(float(slope * w), 4) for name, w in zip(names, weights[1:], strict=True)}
    absent = {name for name, column in zip(names, values.T, strict=True) if not column.any()}
    found |= {name: weight for name, weight in (unseen or {}).items() if name in absent}
    model = Logistic(round(float(slope * weights[0] + shift), 4), found)
    # Each fold's scaling comes from the other folds, so that the error is one on unseen data.
    probabilities = np.empty(len(wanted))
    for fold, others in _folds(len(wanted)):
        own_slope, own_shift = _platt(logits[others], wanted[others])
        probabilities[fold] = _sigmoid(own_slope * logits[fold] + own_shift)
    return Fit(model, probabilities, auroc(probabilities, wanted), error(probabilities, wanted))


def _sigmoid(logits: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -30, 30))))


def _folds(count: int) -> list[tuple[Array, Array]]:
    numbers = np.arange(count) % FOLDS
    return [(numbers == number, numbers != number) for number in range(FOLDS)]


def _solve(design: Array, target: Array, ridge: Array) -> Array:
    weights = np.zeros(design.shape[1])
    for _ in range(50):
        probability = _sigmoid(design @ weights)
        slope = np.maximum(probability * (1 - probability), 1e-6)
        hessian = design.T @ (design * slope[:, None]) + ridge
        step = np.linalg.solve(hessian, design.T @ (target - probability) - ridge @ weights)
        weights += np.clip(step, -5, 5)
        if np.abs(step).max() < 1e-8:
            break
    return weights


def _regress(values: Array, target: Array) -> Array:
    """Weights for the signals as they are, shape (signals + 1,), the bias first."""
    mean, spread = values.mean(0), values.std(0)
    spread = np.where(spread > 1e-9, spread, np.inf)  # a constant signal gets no weight
    design = np.hstack([np.ones((len(values), 1)), (values - mean) / spread])
    ridge = PENALTY * np.eye(design.shape[1])
    ridge[0, 0] = 1e-6
    weights = _solve(design, target, ridge)
    scaled = weights[1:] / spread
    return np.concatenate([[weights[0] - scaled @ mean], scaled])


def _out_of_fold(values: Array, target: Array) -> Array:
    logits = np.empty(len(target))
    for fold, others in _folds(len(target)):
        weights = _regress(values[others], target[others])
        logits[fold] = weights[0] + values[fold] @ weights[1:]
    return logits


def _platt(logits: Array, target: Array) -> tuple[float, float]:
    """Slope and shift of the logits; Platt's smoothed targets keep both finite."""
    positives, count = target.sum(), len(target)
    high, low = (positives + 1) / (positives + 2), 1 / (count - positives + 2)
    smooth = np.where(target > 0, high, low)
    design = np.column_stack([logits, np.ones(count)])
    # Drawn towards slope 1 and shift 0 by one observation's worth.
    ridge = np.eye(2)
    weights = np.array([1.0, 0.0])
    for _ in range(50):
        probability = _sigmoid(design @ weights)
        curve = np.maximum(probability * (1 - probability), 1e-6)
        hessian = design.T @ (design * curve[:, None]) + ridge
        pull = ridge @ (weights - np.array([1.0, 0.0]))
        step = np.linalg.solve(hessian, design.T @ (smooth - probability) - pull)
        weights = weights + np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-8:
            break
    return float(weights[0]), float(weights[1])


def auroc(scores: Array, target: Array) -> float:
    """Probability that a positive has a higher score than a negative; ties count half."""
    positives = float(target.sum())
    negatives = len(target) - positives
    if not positives or not negatives:
        return float("nan")
    order = np.argsort(scores, kind="stable")
    ranks = np.empty(len(scores))
    ranks[order] = np.arange(1, len(scores) + 1)
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    mean_ranks = np.bincount(inverse, weights=ranks) / counts
    total = mean_ranks[inverse][target == 1].sum()
    return float((total - positives * (positives + 1) / 2) / (positives * negatives))


def error(probabilities: Array, target: Array, bins: int = BINS) -> float:
    """Expected calibration error: mean distance of promise and share, over equal-width bins."""
    places = np.minimum((probabilities * bins).astype(int), bins - 1)
    gaps = [
        abs(probabilities[places == place].mean() - target[places == place].mean())
        * (places == place).sum()
        for place in range(bins)
        if (places == place).any()
    ]
    return float(sum(gaps) / len(target))
