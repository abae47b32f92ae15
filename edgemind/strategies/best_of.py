"""Best of N: several samples, the one that the verifiers like best.

Where they like several equally, the surest one; where the answers are free text, the one most like
the others. No vote is counted, so it works where answers cannot be compared.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Generator

from edgemind.events import Event
from edgemind.run import Run
from edgemind.strategies.base import Outcome, begin
from edgemind.strategies.choice import most_typical, surest
from edgemind.types import Route


def best_of(run: Run, route: Route) -> Generator[Event, None, Outcome]:
    """Draw up to `route.width` samples, the draft included, and choose one."""
    outcome = yield from begin(run, route)
    while not run.cut and run.drawn < route.width:
        if not (yield from run.samples(route.width - run.drawn)):
            break
    whole = [one for one in run.finished if one.text and one.finish in ("stop", "length")]
    pool = whole or [outcome.winner]
    most = max(completion.score for completion in pool)
    liked = [completion for completion in pool if completion.score == most]
    if route.votable:
        best, agreement = surest(liked), outcome.agreement
    else:
        best, agreement = most_typical(liked)
    return dataclasses.replace(
        outcome, winner=best, samples=run.drawn, agreement=agreement, ballot=None
    )
