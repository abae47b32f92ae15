"""Revisions: a draft with one false line, the verifier's objection, and the corrected solution."""

from __future__ import annotations

from random import Random

from ..base import Draft, Split, skill
from ..composite import SHORT, owned
from ..dress import dress
from ..faults import check, plant

_KINDS = (*SHORT, "chain", "change", "fraction", "calendar", "sequence", "imperial", "clock")


@skill("revise", weight=2.5)
def make_revise(rng: Random, level: int, split: Split) -> Draft:
    """A problem of any arithmetic skill at this level, answered wrongly once."""
    while True:
        draft = owned(rng, rng.choice(_KINDS), level, split)
        lines = list(draft.steps)
        planted = plant(rng, lines, draft.answer)
        if planted is None or len(lines) > 24:
            continue
        drafted, answer = planted
        if (objection := check(drafted)) is None:
            continue
        prompt = dress(rng, draft.prompt, split, draft.keep) if draft.dress else draft.prompt
        first = "\n".join([*drafted, f"#### {answer}"])
        return Draft(objection, draft.steps, draft.answer, None, ((prompt, first),), dress=False)
