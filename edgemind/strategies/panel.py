"""A panel: specialists side by side, each told to work in another way, decoded in one batch.

The draft is told nothing, the others after the question, which is evaluated once: prompts that
differ make errors that differ (DiVeRSe, arXiv 2206.02336). Of free texts the most alike is taken.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Generator

from edgemind.events import Event
from edgemind.run import Run
from edgemind.strategies.base import Outcome, begin
from edgemind.strategies.best_of import best_of
from edgemind.strategies.roles import READERS, SPECIALISTS
from edgemind.strategies.tally import Tally, poll, rules_for
from edgemind.types import Route


def panel(run: Run, route: Route) -> Generator[Event, None, Outcome]:
    """Up to `route.width` members, the draft included, in waves of one for each role."""
    if route.votable:
        return (yield from poll(run, route, Tally(route.width, rules_for(run, route)), SPECIALISTS))
    yield from begin(run, route)
    while not run.cut and run.drawn < route.width:
        if not (yield from run.samples(route.width - run.drawn, None, READERS)):
            break
    return (yield from best_of(run, dataclasses.replace(route, inner=None)))
