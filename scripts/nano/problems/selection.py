"""Which skills take part in training and evaluation, and with what weight.

Reached from the command lines of train.py, evaluate.py and make_data.py through `choose`.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from .base import SKILLS

# What a checkpoint or a model file was trained on that does not say so.
FIRST_SKILLS = (
    "add", "subtract", "multiply", "divide", "chat", "clock", "compare", "expression",
    "follow_up", "groups", "money", "story", "units",
)  # fmt: skip


def choose(wanted: Sequence[str]) -> tuple[str, ...]:
    """Skill names from `all`, `first` or names, in the order of registration.

    Raises ValueError for an unknown name, with the nearest known one.
    """
    if not wanted or "all" in wanted:
        return tuple(SKILLS)
    names = {name for entry in wanted for name in (FIRST_SKILLS if entry == "first" else (entry,))}
    for name in sorted(names - set(SKILLS)):
        near = difflib.get_close_matches(name, [*SKILLS, "all", "first"], 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"unknown skill {name!r}{hint} There are {', '.join(sorted(SKILLS))}.")
    return tuple(name for name in SKILLS if name in names)


def weigh(skills: Sequence[str], changes: Sequence[str] = ()) -> dict[str, float]:
    """Weights of `skills`: their own, or what an entry such as `code=2.5` says."""
    weights = {name: SKILLS[name].weight for name in skills}
    for change in changes:
        name, _, number = change.partition("=")
        if name not in weights:
            raise ValueError(f"{change!r} weighs a skill that takes no part")
        try:
            weight = float(number)
        except ValueError:
            raise ValueError(f"{change!r} is not SKILL=NUMBER") from None
        if not 0 <= weight < float("inf"):
            raise ValueError(f"the weight in {change!r} must be 0 or more")
        weights[name] = weight
    if not any(weights.values()):
        raise ValueError("at least one skill needs a weight above 0")
    return weights
