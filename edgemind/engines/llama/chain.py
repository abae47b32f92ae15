"""llama.cpp's chain of samplers, and what one row of logits says about a token drawn from it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edgemind.engines.sampling import CONFIDENCE_TOKENS, NO_NUMBERS, penalised
from edgemind.errors import ModelError
from edgemind.types import Sampling

SEEN_TOKENS = 64
"""Tokens of a row that are remembered: more than usual samplings draw from (top-k 40)."""
NEVER = 14.0
"""Distance to the best logit from which on a token is as good as never drawn up to temperature 1:
once in e^14 draws at most."""
RANDOM_SEED = 0xFFFFFFFF  # llama.cpp takes this one seed for "draw any"

Logits = npt.NDArray[np.float32]


def new_chain(api: Any, vocabulary_size: int, sampling: Sampling, history: Sequence[int]) -> Any:
    """A sampler chain in C: penalties, top-k, top-p, min-p, temperature, seeded draw.

    `sampling` is complete (defaults merged in). The last tokens of `history` are accepted into
    the penalties, as llama.cpp's own tools do with the prompt. Order as in llama.cpp.
    """
    chain = api.llama_sampler_chain_init(api.llama_sampler_chain_default_params())
    penalty, window = sampling.repeat_penalty or 1.0, sampling.repeat_last_n or 0
    if penalised(sampling):
        window = len(history) + 1 if window < 0 else window
        api.llama_sampler_chain_add(
            chain, api.llama_sampler_init_penalties(vocabulary_size, window, penalty, 0.0, 0.0)
        )
    temperature = sampling.temperature or 0.0
    if temperature <= 0:
        api.llama_sampler_chain_add(chain, api.llama_sampler_init_greedy())
    else:
        for stage in (
            api.llama_sampler_init_top_k(sampling.top_k or 0),
            api.llama_sampler_init_top_p(1.0 if sampling.top_p is None else sampling.top_p, 1),
            api.llama_sampler_init_min_p(sampling.min_p or 0.0, 1),
            api.llama_sampler_init_temp(temperature),
            api.llama_sampler_init_dist((sampling.seed or 0) % RANDOM_SEED),
        ):
            api.llama_sampler_chain_add(chain, stage)
    if penalised(sampling):
        for token in history[-window:]:
            api.llama_sampler_accept(chain, token)
    return chain


@dataclass(frozen=True, slots=True)
class Seen:
    """What one row of logits says: its likeliest tokens, and figures of all.

    `ids` and their `logits` are at most `SEEN_TOKENS`, ascending by id; tokens that are `NEVER`
    drawn beside the likeliest are left out. `total` is the logarithm of the sum of all
    exponentials, `margin` the distance of the two best logits, `confidence` DeepConf's: the mean
    negative log-probability of the `CONFIDENCE_TOKENS` likeliest.
    """

    ids: npt.NDArray[np.int32]
    logits: Logits
    total: float
    margin: float
    confidence: float | None

    @classmethod
    def of(cls, logits: Logits, confidence: bool) -> Seen:
        """Of a row, shape (vocabulary,), float32; `confidence` only where it is asked for.

        Raises `ModelError` where the row holds numbers that are none.
        Sums of exponentials in float32 are exact to about 1e-6 here, since the largest is 1.
        """
        peak = logits.max()
        if not math.isfinite(peak):
            raise ModelError(NO_NUMBERS)
        below = logits - peak
        total = float(peak) + math.log(np.exp(below).sum())
        likely = (below > -NEVER).nonzero()[0]
        if len(likely) > SEEN_TOKENS:
            likely = np.sort(likely[np.argpartition(logits[likely], -SEEN_TOKENS)[-SEEN_TOKENS:]])
        kept = logits[likely]
        below[likely[kept.argmax()]] = -np.inf
        margin = -float(below[likely].max() if len(likely) > 1 else below.max())
        sure = None
        if confidence:
            top = np.partition(logits, -CONFIDENCE_TOKENS)[-CONFIDENCE_TOKENS:]
            sure = float(total - top.mean())
        return cls(likely.astype(np.int32), kept, total, margin, sure)

    def logprob(self, token: int) -> float | None:
        """Log-probability of a token; None for one that was left out."""
        place = int(self.ids.searchsorted(token))
        if place == len(self.ids) or self.ids[place] != token:
            return None
        return float(self.logits[place]) - self.total
