"""What every engine means by a `Sampling` that leaves something open."""

from __future__ import annotations

from edgemind.engines.base import ModelInfo
from edgemind.types import Sampling

CONFIDENCE_TOKENS = 20
NO_NUMBERS = "the model computed numbers that are none"
USUAL_SAMPLING = Sampling(
    temperature=0.8,
    top_k=40,
    top_p=0.95,
    min_p=0.05,
    repeat_penalty=1.0,
    repeat_last_n=64,
    seed=0,
)
"""llama.cpp's own defaults, where neither the person nor the file says anything."""


def complete(sampling: Sampling, info: ModelInfo) -> Sampling:
    """`sampling` with what it leaves open: the model's own values, else the usual ones."""
    return sampling.over(info.sampling).over(USUAL_SAMPLING)


def penalised(sampling: Sampling) -> bool:
    """Whether a repetition penalty is to be applied."""
    return (sampling.repeat_penalty or 1.0) != 1.0 and bool(sampling.repeat_last_n)
