"""Self-consistency without early stopping: always `width` samples. The yardstick for `vote`."""

from __future__ import annotations

from collections.abc import Generator

from edgemind.run import Run
from edgemind.strategies.base import Outcome
from edgemind.strategies.tally import Tally
from edgemind.types import Checked, Event, Route


def majority(run: Run, route: Route) -> Generator[Event, None, Outcome]:
    """Draw `route.width` samples, the draft included; the most frequent answer wins."""
    draft = yield from run.draft()
    tally = Tally(route.width)
    tally.add(draft)
    while not run.cut and tally.drawn < route.width:
        for completion in (yield from run.samples(route.width - tally.drawn)):
            if not tally.add(completion):
                run.release(completion)
    yield Checked(tally.ranking(), tally.decided())
    return Outcome(tally.winner() or draft, tally.drawn, tally.agreement(), tally.confidence())
