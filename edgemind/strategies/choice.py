"""Picking one of several samples without a vote; used by `best_of`.

Sources: self-certainty, Kang et al. 2025 (arXiv 2502.18581), here as the mean log-probability of
a sample's tokens; minimum-Bayes-risk choice, Eikema and Aziz 2020 (arXiv 2005.10283).
"""

from __future__ import annotations

from collections.abc import Sequence

from edgemind.types import Completion

LONGEST = 4000
"""Characters of a text that are compared: similarity takes time in their square."""


def surest(pool: Sequence[Completion]) -> Completion:
    """The sample whose tokens were the most probable; the first of equals."""
    return max(pool, key=lambda completion: completion.signals.mean_logprob)


def most_typical(pool: Sequence[Completion]) -> tuple[Completion, float]:
    """The sample that is most like all others, and how much, from 0 to 1.

    The expected similarity to what else the model might have said is highest there, which is the
    choice of least Bayes risk when similarity is what an answer is worth.
    """
    from rapidfuzz import fuzz

    texts = [completion.text[:LONGEST] for completion in pool]
    if len(texts) == 1:
        return pool[0], 1.0

    def likeness(place: int) -> float:
        others = (text for at, text in enumerate(texts) if at != place)
        scores = (fuzz.token_sort_ratio(texts[place], other) for other in others)
        return sum(scores) / (100 * (len(texts) - 1))

    best = max(range(len(texts)), key=likeness)
    return pool[best], likeness(best)
