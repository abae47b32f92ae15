"""What the tests of llama.cpp share: prompts of the tiny model, and what comes after them."""

from __future__ import annotations

from collections.abc import Sequence

from edgemind.engines.base import Branch
from edgemind.engines.llama import LlamaEngine
from edgemind.types import Sampling

GREEDY = Sampling(temperature=0.0)
DRAWN = Sampling(temperature=1.0, top_k=0, top_p=1.0, min_p=0.0, seed=11)
PROMPT = [*range(40, 60)]
OTHER = [*range(300, 337)]


def steps(engine: LlamaEngine, branch: Branch, count: int) -> list[int]:
    """The next tokens of one branch."""
    return [engine.step([branch])[0].id for _ in range(count)]


def say(
    engine: LlamaEngine, tokens: Sequence[int], count: int = 8, sampling: Sampling = GREEDY
) -> list[int]:
    """What comes after a prompt; nothing is left behind."""
    branch = engine.prefill(tokens, sampling)
    said = steps(engine, branch, count)
    engine.drop(branch)
    return said
