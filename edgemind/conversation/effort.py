"""How hard to think, in a word or in limits: what a person chooses beside a prompt."""

from __future__ import annotations

from dataclasses import dataclass

from edgemind.config import Config
from edgemind.conversation.limits import parse_budget
from edgemind.defaults import WIDTH
from edgemind.errors import EdgemindError
from edgemind.types import Budget


@dataclass(frozen=True, slots=True)
class Effort:
    """The limits of an answer and its most samples. `name` is the word, or the limits' text."""

    name: str
    budget: Budget
    width: int
    says: str = ""


EFFORTS = {
    one.name: one
    for one in (
        Effort("quick", Budget(seconds=3), 4, "at most 3 seconds, 4 samples"),
        Effort("balanced", Budget(seconds=20), WIDTH, f"at most 20 seconds, {WIDTH} samples"),
        Effort("thorough", Budget(seconds=120), 32, "at most 2 minutes, 32 samples"),
    )
}


def effort_of(text: str) -> Effort:
    """What a word or limits stand for. Raises `ConfigError` for what is neither."""
    known = EFFORTS.get(text.strip().lower())
    return known or Effort(text.strip() or "none", parse_budget(text.strip() or "none"), WIDTH)


def effort_in(config: Config) -> Effort:
    """The one to begin with: the configuration's, else its limits for an answer, else balanced."""
    if config.desktop.effort is not None:
        try:
            return effort_of(config.desktop.effort)
        except EdgemindError:
            return EFFORTS["balanced"]
    limits = Budget(config.budget.seconds, config.budget.joules, config.budget.tokens)
    if limits == Budget():
        return EFFORTS["balanced"]
    return Effort(written(limits), limits, config.width or WIDTH)


def written(limits: Budget) -> str:
    """Limits as `parse_budget` reads them."""
    parts = [
        f"{value:g}{unit}"
        for value, unit in ((limits.seconds, "s"), (limits.joules, "J"), (limits.tokens, "t"))
        if value is not None
    ]
    return " ".join(parts) or "none"
