"""Revisions: a draft with one false line, the verifier's objection, and the corrected solution."""

from __future__ import annotations

from random import Random

from ..base import Draft, Split, skill
from ..composite import SHORT, owned, size
from ..dress import dress
from ..echo import in_its_case
from ..faults import check, plant

_KINDS = (*SHORT, "chain", "change", "fraction", "calendar", "sequence", "imperial", "clock")


@skill("revise", weight=2.5)
def make_revise(rng: Random, level: int, split: Split) -> Draft:
    """A problem of any arithmetic skill at this level, answered wrongly once."""
    while True:
        draft = owned(rng, rng.choice(_KINDS), level, split)
        lines = list(draft.steps)
        planted = plant(rng, lines, draft.answer)
        if planted is None or size(draft.prompt, [*lines, *lines]) > 265:
            continue
        drafted, answer = planted
        if (objection := check(drafted)) is None:
            continue
        if answer == draft.answer and rng.random() < 0.85:
            # A slip that changes nothing in the end teaches little.
            continue
        prompt = dress(rng, draft.prompt, split, draft.keep) if draft.dress else draft.prompt
        first = in_its_case(prompt, "\n".join([*drafted, f"#### {answer}"]))
        steps = tuple(in_its_case(prompt, line) for line in draft.steps)
        right = in_its_case(prompt, draft.answer)
        return Draft(objection, steps, right, None, ((prompt, first),), dress=False)
