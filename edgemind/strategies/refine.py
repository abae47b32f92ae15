"""Correction on evidence: only what a verifier outside the model objects to is revised.

Asking a model whether it is sure makes it worse (Huang et al. 2023, arXiv 2310.01798); telling it
which line is false, and what is true, does not. The answer's keys and values are used again: what
a round costs is the objection and the new answer.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Generator

from edgemind.events import Event, Revised
from edgemind.run import Run
from edgemind.strategies.base import Outcome, begin
from edgemind.types import Completion, Route
from edgemind.verify.correction import corrects
from edgemind.verify.objection import feedback

ROUNDS = 4
"""Most revisions: what a model cannot mend in these it does not mend (docs/log.md)."""


def better(new: Completion, old: Completion) -> bool:
    """Whether the verifiers like `new` better, and it is `old` corrected and not something else."""
    if new.finish != "stop" or not new.text or (new.answer is None and old.answer is not None):
        return False
    if (new.score, -len(new.objections)) <= (old.score, -len(old.objections)):
        return False
    return corrects(old.text, new.text, old.objections)


def refine(run: Run, route: Route) -> Generator[Event, None, Outcome]:
    """Revise the inner route's answer until no verifier objects, or nothing more fits.

    A revision that is no better is made once more, drawn at random then.
    """
    outcome = yield from begin(run, route)
    best, attempt = outcome.winner, 0
    for _ in range(ROUNDS):
        if not best.objections or run.cut:
            break
        objection, before = feedback(best.objections), run.drawn
        revised = yield from run.revise(best, objection, attempt)
        if revised is None:
            break
        kept = better(revised, best)
        if run.drawn > before:  # not one that was made and told of before
            yield Revised(objection, revised, kept)
        best, attempt = (revised, 0) if kept else (best, attempt + 1)
    return dataclasses.replace(outcome, winner=best, samples=max(outcome.samples, run.drawn))
