"""llama.cpp's chain of samplers, and what one row of logits says about a token drawn from it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from edgemind.engines.sampling import CONFIDENCE_TOKENS, penalised
from edgemind.types import Sampling

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


def measure(logits: Logits, token: int, confidence: bool) -> tuple[float, float, float | None]:
    """Log-probability of `token`, distance of the two best logits, and DeepConf's confidence.

    `logits` is one row, shape (vocabulary,), float32, written to and restored. Sums of
    exponentials in float32 are exact to about 1e-6 here, since the largest is 1.
    """
    best = int(logits.argmax())
    peak = float(logits[best])
    total = peak + float(np.log(np.exp(logits - logits[best]).sum(dtype=np.float32)))
    logits[best] = -np.inf
    second = float(logits.max())
    logits[best] = peak
    sure = None
    if confidence:
        top = np.partition(logits, -CONFIDENCE_TOKENS)[-CONFIDENCE_TOKENS:]
        sure = float(total - top.mean())
    return float(logits[token]) - total, peak - second, sure
