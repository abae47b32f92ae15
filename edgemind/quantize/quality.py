"""What a quantised copy lost: in how it reads a text, and in what it answers.

Both models read the same tokens piece by piece, each from nothing. Perplexity is exp of the mean
negative log-probability of the token that came; divergence the Kullback-Leibler divergence of the
copy's next token from the source's, in nats. Then both answer problems, greedily, in one pass.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from edgemind.engines.base import Engine
from edgemind.engines.reading import predictions
from edgemind.errors import ConfigError, EdgemindError, ModelError
from edgemind.evaluate.datasets import Problem
from edgemind.runtime import Mind
from edgemind.types import Sampling

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Logits = npt.NDArray[np.float32]

TEXT: Final = Path(__file__).with_name("text.txt")
"""A page of our own, for who has no text at hand."""
WINDOW_TOKENS: Final = 256
MOST_TOKENS: Final = 4096
LEAST_TOKENS: Final = 16
ANSWER_TOKENS: Final = 128
FIRST_PROBLEMS: Final = 10
"""A source that has not answered one of so many is not asked any more."""
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Reading:
    """Of `tokens` that were expected: both perplexities, the divergence and its largest value,
    and how often both models thought the same token likeliest.
    """

    tokens: int
    before: float
    after: float
    divergence: float
    worst: float
    same: float


@dataclass(frozen=True, slots=True)
class Score:
    """Problems asked, and how many each model got right."""

    asked: int
    before: int
    after: int


def read(source: Engine, copy: Engine, text: str, tell: Progress) -> Reading:
    """Let both models read a text; at most `MOST_TOKENS` of it.

    Raises `ConfigError` for a text that is too short, `ModelError` where the models have different
    vocabularies.
    """
    import numpy as np

    windows = _windows(source, text)
    if windows != _windows(copy, text):
        raise ModelError("the two models have different tokens: their texts cannot be compared")
    total = sum(len(window) - 1 for window in windows)
    before, after, apart, same = [], [], [], []
    for window in windows:
        pieces = zip(predictions(source, window), predictions(copy, window), strict=True)
        at = 0
        for one, two in pieces:
            came = np.array(window[at + 1 : at + 1 + len(one)])
            at += len(one)
            p, q = _log_softmax(one[: len(came)]), _log_softmax(two[: len(came)])
            rows = np.arange(len(came))
            before.append(-p[rows, came])
            after.append(-q[rows, came])
            apart.append((np.exp(p) * (p - q)).sum(axis=1))
            same.append(p.argmax(axis=1) == q.argmax(axis=1))
            tell("reading", sum(map(len, before)), total)
    divergences = np.concatenate(apart)
    if not np.isfinite(divergences).all():
        raise ModelError("the copy computes numbers that are none: this type does not suit it")
    return Reading(
        tokens=total,
        before=math.exp(np.concatenate(before).mean()),
        after=math.exp(np.concatenate(after).mean()),
        divergence=max(0.0, float(divergences.mean())),
        worst=float(divergences.max()),
        same=float(np.concatenate(same).mean()),
    )


def _windows(engine: Engine, text: str) -> list[list[int]]:
    """A text's tokens in pieces that fit, each after the token that begins a text, if one does."""
    vocabulary = engine.vocabulary
    tokens = vocabulary.encode(text, False)[:MOST_TOKENS]
    if len(tokens) < LEAST_TOKENS:
        raise ConfigError(f"the text has {len(tokens)} tokens; {LEAST_TOKENS} are the least")
    start = [] if vocabulary.bos is None else [vocabulary.bos]
    step = min(WINDOW_TOKENS, engine.context_length) - len(start)
    pieces = [[*start, *tokens[at : at + step]] for at in range(0, len(tokens), step)]
    return [piece for piece in pieces if len(piece) > 1]


def _log_softmax(logits: Logits) -> npt.NDArray[np.float64]:
    import numpy as np

    values = logits.astype(np.float64)
    values -= values.max(axis=1, keepdims=True)
    values -= np.log(np.exp(values).sum(axis=1, keepdims=True))
    return values


def solve(source: Mind, copy: Mind, problems: Sequence[Problem], tell: Progress) -> Score | None:
    """Let both models answer; None where the source cannot: it gets none of the first ones right,
    or its chat template or context forbids to ask.
    """
    before = after = 0
    for number, problem in enumerate(problems):
        if number == FIRST_PROBLEMS and not before:
            return None
        try:
            before += _right(source, problem)
        except EdgemindError:
            return None
        after += _right(copy, problem)
        tell("answering", number + 1, len(problems))
    return Score(len(problems), before, after) if before else None


def spread(problems: Sequence[Problem], count: int) -> list[Problem]:
    """So many problems, taken evenly from the whole."""
    count = min(count, len(problems))
    return [problems[number * len(problems) // count] for number in range(count)]


def _right(mind: Mind, problem: Problem) -> bool:
    sampling = Sampling(temperature=0.0, max_tokens=ANSWER_TOKENS)
    return problem.right(mind.ask(problem.chat, strategy="direct", sampling=sampling))
