"""Problems that are made of other skills' problems: whole drafts of one split, by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from .base import SKILLS, Draft, Split, bucket
from .echo import bulleted

# Skills whose problems are short and end in a step of arithmetic.
SHORT = (
    "add", "subtract", "multiply", "divide", "expression", "decimal", "percent", "story", "money",
    "groups", "compare", "units", "rate", "age", "average", "equation",
)  # fmt: skip


def owned(rng: Random, skill: str, level: int, split: Split) -> Draft:
    """A draft of a skill whose numbers belong to the split."""
    while True:
        draft = SKILLS[skill].make(rng, level, split)
        if draft.key is None or bucket(draft.key) is split:
            return replace(draft, steps=tuple(bulleted(draft.prompt, draft.steps)))


def reply(draft: Draft) -> str:
    """The worked solution with its last line."""
    return "\n".join([*draft.steps, f"#### {draft.answer}"])


def size(prompt: str, steps: Sequence[str]) -> int:
    """About how many tokens these take: words are merged, digits stand alone."""
    return len(prompt) // 3 + sum(len(step) + 1 for step in steps) * 5 // 7
