"""Drawing tokens from a batch of logits in numpy, by llama.cpp's definitions and in its order.

Penalties, top-k, top-p, min-p, temperature, draw; each row with its own numbers and its own stream
of chance. What is measured (log-probability, margin, confidence) is the model's, before all that.
"""

from __future__ import annotations

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
    columns whose maxima bound the result from below, so only a few values are sorted. Row by row:
    what is compared of one stays in the processor's cache.
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
    found: Ids = np.empty((rows, count), np.int64)
    for row, values in enumerate(logits):
        heads = values[: folds * groups].reshape(folds, groups).max(axis=0)
        bound = np.partition(heads, groups - count)[groups - count]
        columns = np.flatnonzero(values >= bound)  # at least `count`; the first of them are wanted
        found[row] = columns[np.argsort(-values[columns], kind="stable")[:count]]
    return found


def log_sums(logits: Logits) -> npt.NDArray[np.float64]:
    """log(sum(exp)) of each row; in float32 exact to about 1e-6, since the largest term is 1."""
    peaks = logits.max(axis=1)
    sums = np.exp(logits - peaks[:, None]).sum(axis=1, dtype=np.float32)
    found: npt.NDArray[np.float64] = peaks + np.log(sums.astype(np.float64))
    return found


def measure(logits: Logits, tokens: Ids, best: Ids) -> Measures:
    """What the model makes of `tokens`, one a row; `best` from `largest`, at least two."""
    rows = np.arange(len(tokens))
    sums = log_sums(logits)
    top = logits[rows[:, None], best[:, :CONFIDENCE_TOKENS]].astype(np.float64)
    return Measures(
        logprob=logits[rows, tokens] - sums,
        margin=top[:, 0] - top[:, 1] if best.shape[1] > 1 else np.zeros(len(tokens)),
        confidence=sums - top.mean(axis=1),
    )


def penalise(logits: Logits, sampling: Sampling, history: Sequence[int]) -> None:
    """Apply the repetition penalty of `sampling` to one row, in place."""
    if not penalised(sampling):
        return
    window, penalty = sampling.repeat_last_n or 0, sampling.repeat_penalty or 1.0
    recent = np.unique(np.array(history if window < 0 else history[-window:], np.int64))
    values = logits[recent]
    logits[recent] = np.where(values <= 0, values * penalty, values / penalty)


def candidates(logits: Logits, samplings: Sequence[Sampling], best: Ids) -> Candidates:
    """What each row may draw and how likely, after top-k, top-p, min-p and temperature.

    `logits` are penalised already; `best` are each row's largest, at least as many as the largest
    top-k. `samplings` are complete (`edgemind.engines.sampling.complete`).
    """
    size = logits.shape[1]

    def column(values: Sequence[float]) -> npt.NDArray[Any]:
        return np.array(values, np.float64)[:, None]

    top_k = column([_top_k(sampling, size) for sampling in samplings])
    top_p = column([1.0 if s.top_p is None else s.top_p for s in samplings])
    min_p = column([s.min_p or 0.0 for s in samplings])
    temperature = column([s.temperature or 0.0 for s in samplings])
    limited = top_k <= best.shape[1]
    order = best
    values = np.take_along_axis(logits, order, axis=1).astype(np.float64)
    if not limited.all() and not _carry(logits, values, top_p, min_p, limited):
        order = largest(logits, size)
        values = np.take_along_axis(logits, order, axis=1).astype(np.float64)
    peaks = values[:, :1]
    values = np.where(np.arange(values.shape[1]) < top_k, values, -np.inf)
    shares = np.exp(values - peaks)
    total = shares.sum(axis=1, keepdims=True)
    if not limited.all():
        # Without a top-k the whole vocabulary shares the probability, sorted or not.
        total = np.where(limited, total, np.exp(log_sums(logits)[:, None] - peaks))
    before = (np.cumsum(shares, axis=1) - shares) / total
    kept = (top_p >= 1) | (before < top_p)
    kept[:, 0] = True
    with np.errstate(divide="ignore"):
        kept &= values >= peaks + np.log(min_p)
    greedy = temperature <= 0
    kept &= ~greedy | (np.arange(values.shape[1]) == 0)
    heated = (values - peaks) / np.where(greedy, 1.0, temperature)
    weights = np.where(kept, np.exp(heated), 0.0)
    return Candidates(order, weights / weights.sum(axis=1, keepdims=True))


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
    """Whether the sorted values are all that top-p or min-p leaves of every unlimited row."""
    shares = np.exp(values - log_sums(logits)[:, None]).sum(axis=1, keepdims=True)
    with np.errstate(divide="ignore"):
        ends = values[:, -1:] < values[:, :1] + np.log(min_p)
    return bool((limited | ends | ((shares >= top_p) & (top_p < 1))).all())
