"""Drawing tokens from a batch of logits in numpy, by llama.cpp's definitions and in its order.

Penalties, top-k, top-p, min-p, temperature, draw; each row with its own numbers and its own stream
of chance. What is measured (log-probability, margin, confidence) is the model's, before all that.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edgemind.engines.sampling import CONFIDENCE_TOKENS, penalised
from edgemind.types import Sampling

Logits = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int64]
LARGE_VOCABULARY = 8192
LIKELY_TOKENS = 256
"""So many are sorted where there is no top-k; all of them only if these do not carry the top-p."""


@dataclass(frozen=True, slots=True)
class Measures:
    """What rows of logits say about one token each: arrays of (rows,).

    `confidence` is minus the mean log-probability of the 20 likeliest tokens.
    """

    logprob: npt.NDArray[np.float64]
    margin: npt.NDArray[np.float64]
    confidence: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Candidates:
    """What may be drawn: `ids` and `probabilities` of (rows, most), likeliest first, 0 for none."""

    ids: Ids
    probabilities: npt.NDArray[np.float64]

    def draw(self, chances: Sequence[float]) -> Ids:
        """One token for each row; `chances` are uniform in [0, 1)."""
        sums = np.cumsum(self.probabilities, axis=1)
        aims = np.array(chances)[:, None] * sums[:, -1:]
        places = np.minimum((sums <= aims).sum(axis=1), (self.probabilities > 0).sum(axis=1) - 1)
        drawn: Ids = self.ids[np.arange(len(places)), places]
        return drawn


def largest(logits: Logits, count: int) -> Ids:
    """Indices of the `count` largest values of each row, largest first, (rows, count).

    Of equal values the first comes first. `logits` are as before afterwards. A row is folded into
    columns whose maxima bound the result from below, so only a few values are sorted.
    """
    rows, size = logits.shape
    if count <= 2:  # as a greedy step wants it
        first: Ids = logits.argmax(axis=1)
        if count == 1:
            return first[:, None]
        every = np.arange(rows)
        peaks = logits[every, first]
        logits[every, first] = -np.inf
        second = logits.argmax(axis=1)
        logits[every, first] = peaks
        return np.stack([first, second], axis=1)
    groups = 1024 if size >= LARGE_VOCABULARY else 128
    folds = size // groups
    if 2 * count > groups or folds < 2:
        order: Ids = np.argsort(-logits, axis=1, kind="stable")[:, :count]
        return order
    if size >= LARGE_VOCABULARY:
        # Row by row: what is compared of one stays in the processor's cache.
        return np.concatenate([_largest(row[None], count, groups, folds) for row in logits])
    return _largest(logits, count, groups, folds)


def _largest(logits: Logits, count: int, groups: int, folds: int) -> Ids:
    """`largest` of rows that are folded into `folds` times `groups` columns."""
    rows, size = logits.shape
    heads = np.maximum.reduce(logits[:, : folds * groups].reshape(rows, folds, groups), axis=1)
    heads.partition(groups - count, axis=1)
    bounds = heads[:, groups - count, None]
    # At least `count` of each row; the first of them are wanted.
    places = (logits >= bounds).ravel().nonzero()[0]
    owners = places // size
    values = logits.ravel()[places]
    order = np.lexsort((-values, owners))  # stable: of equal values the first comes first
    starts = owners.searchsorted(np.arange(rows))
    chosen: Ids = order[starts[:, None] + np.arange(count)]
    found: Ids = places[chosen] - size * np.arange(rows)[:, None]
    return found


def log_sums(logits: Logits, peaks: Logits | None = None) -> npt.NDArray[np.float64]:
    """log(sum(exp)) of each row; in float32 exact to about 1e-6, since the largest term is 1.

    `peaks` are the rows' largest values, for whoever knows them.
    """
    peaks = logits.max(axis=1) if peaks is None else peaks
    shares = np.subtract(logits, peaks[:, None])
    np.exp(shares, out=shares)
    found: npt.NDArray[np.float64] = peaks + np.log(shares.sum(axis=1).astype(np.float64))
    return found


def measure(
    logits: Logits, tokens: Ids, best: Ids, peaks: Logits | None = None, confidence: bool = True
) -> Measures:
    """What the model makes of `tokens`, one a row; `best` from `largest`, at least two.

    `peaks` as in `log_sums`. Without `confidence` that is left zero.
    """
    rows = np.arange(len(tokens))
    sums = log_sums(logits, peaks)
    count = CONFIDENCE_TOKENS if confidence else 2
    top = logits[rows[:, None], best[:, :count]].astype(np.float64)
    return Measures(
        logprob=logits[rows, tokens] - sums,
        margin=top[:, 0] - top[:, 1] if best.shape[1] > 1 else np.zeros(len(tokens)),
        confidence=sums - top.mean(axis=1) if confidence else np.zeros(len(tokens)),
    )


def first_and_measures(logits: Logits) -> tuple[int, float, float]:
    """The likeliest token of one row, its log-probability and margin: all that a greedy step wants.

    The token's value is not finite where the row has a number that is none. `logits` are as before
    afterwards.
    """
    first = int(logits.argmax())
    peak = logits[first]
    logits[first] = -np.inf
    second = float(np.maximum.reduce(logits))
    logits[first] = peak
    shares = np.subtract(logits, peak)
    np.exp(shares, out=shares)
    logprob = float(peak) - (float(peak) + math.log(float(np.add.reduce(shares))))
    return first, logprob, float(peak) - second


def penalise(logits: Logits, sampling: Sampling, history: Sequence[int]) -> None:
    """Apply the repetition penalty of `sampling` to one row, in place."""
    if not penalised(sampling):
        return
    window, penalty = sampling.repeat_last_n or 0, sampling.repeat_penalty or 1.0
    recent = np.unique(np.array(history if window < 0 else history[-window:], np.int64))
    values = logits[recent]
    logits[recent] = np.where(values <= 0, values * penalty, values / penalty)


class Limits:
    """What each row of a batch may draw: top-k, top-p, min-p and temperature as columns of numbers.

    Made once for all steps of the same branches. `samplings` are complete
    (`edgemind.engines.sampling.complete`), `size` is the vocabulary's. `count` is how many of the
    largest logits are wanted; `greedy` if no row is left to chance, `plain` if nothing else either
    is asked for.
    """

    def __init__(self, samplings: Sequence[Sampling], size: int) -> None:
        def column(values: Sequence[float]) -> npt.NDArray[Any]:
            return np.array(values, np.float64)[:, None]

        self.samplings = [*samplings]
        self.count = wanted(samplings, size)
        self.greedy = all((sampling.temperature or 0.0) <= 0 for sampling in samplings)
        self.penalised = any(penalised(sampling) for sampling in samplings)
        self.confidence = any(sampling.confidence for sampling in samplings)
        self.plain = self.greedy and not self.penalised and not self.confidence
        self._top_k = column([_top_k(sampling, size) for sampling in samplings])
        self._top_p = column([1.0 if s.top_p is None else s.top_p for s in samplings])
        temperature = column([s.temperature or 0.0 for s in samplings])
        with np.errstate(divide="ignore"):
            self._min_p = np.log(column([s.min_p or 0.0 for s in samplings]))
        self._cold = temperature <= 0
        self._divisor = np.where(self._cold, 1.0, temperature)
        self._rows = np.arange(len(samplings))[:, None]
        # What no row asks for is not computed.
        self._least_k, self._most_k = self._top_k.min(), self._top_k.max()
        self._cuts_p, self._cuts_min = (self._top_p < 1).any(), (self._min_p > -np.inf).any()

    def candidates(self, logits: Logits, best: Ids) -> Candidates:
        """What each row may draw and how likely.

        `logits` are penalised already; `best` are each row's largest, `count` or more.
        """
        order, top_k = best, self._top_k
        values = logits[self._rows, order].astype(np.float64)
        if unlimited := bool(self._most_k > best.shape[1]):
            limited = top_k <= best.shape[1]
            if not _carry(logits, values, self._top_p, self._min_p, limited):
                order = largest(logits, logits.shape[1])
                values = logits[self._rows, order].astype(np.float64)
        peaks, places = values[:, :1], np.arange(values.shape[1])
        if self._least_k < len(places):
            values = np.where(places < top_k, values, -np.inf)
        weights = np.exp((values - peaks) / self._divisor)
        if self._cuts_p:
            shares = np.exp(values - peaks)
            total = shares.sum(axis=1, keepdims=True)
            if unlimited:
                # Without a top-k the whole vocabulary shares the probability, sorted or not.
                total = np.where(limited, total, np.exp(log_sums(logits)[:, None] - peaks))
            before = (np.cumsum(shares, axis=1) - shares) / total
            kept = (self._top_p >= 1) | (before < self._top_p)
            kept[:, 0] = True
            weights = np.where(kept, weights, 0.0)
        if self._cuts_min:
            weights = np.where(values >= peaks + self._min_p, weights, 0.0)
        # A row that is not left to chance has a top-k of one.
        return Candidates(order, weights / weights.sum(axis=1, keepdims=True))


def candidates(logits: Logits, samplings: Sequence[Sampling], best: Ids) -> Candidates:
    """What each row may draw, for one step alone; see `Limits`."""
    return Limits(samplings, logits.shape[1]).candidates(logits, best)


def wanted(samplings: Sequence[Sampling], size: int) -> int:
    """How many of the largest logits `candidates` and `measure` want to see."""
    most = 2
    for sampling in samplings:
        if sampling.confidence:
            most = max(most, CONFIDENCE_TOKENS)
        if (sampling.temperature or 0.0) > 0:
            top_k = _top_k(sampling, size)
            most = max(most, top_k if top_k < size else LIKELY_TOKENS)
    return min(most, size)


def _top_k(sampling: Sampling, size: int) -> int:
    if (sampling.temperature or 0.0) <= 0:
        return 1
    return min(sampling.top_k, size) if sampling.top_k and sampling.top_k > 0 else size


def _carry(
    logits: Logits,
    values: npt.NDArray[np.float64],
    top_p: npt.NDArray[np.float64],
    min_p: npt.NDArray[np.float64],
    limited: npt.NDArray[np.bool_],
) -> bool:
    """Whether the sorted values are all that top-p or min-p leaves of every unlimited row.

    `min_p` is its logarithm.
    """
    shares = np.exp(values - log_sums(logits)[:, None]).sum(axis=1, keepdims=True)
    ends = values[:, -1:] < values[:, :1] + min_p
    return bool((limited | ends | ((shares >= top_p) & (top_p < 1))).all())
