"""Self-consistency: several samples, the most frequent answer wins (arXiv 2203.11171).

The draft is sample 0. Samples come in waves of the fewest that could end the vote; it ends when
its result is certain or all but certain, and whatever is still running then is dropped.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing

from edgemind.run import Run
from edgemind.strategies.base import Outcome
from edgemind.strategies.tally import Tally
from edgemind.types import Checked, Event, Route, Sampled


def vote(run: Run, route: Route) -> Generator[Event, None, Outcome]:
    """Draw up to `route.width` samples, the draft included, until the vote is decided."""
    draft = yield from run.draft()
    tally = Tally(route.width)
    tally.add(draft)
    while not run.cut and not tally.decided():
        with closing(run.samples(tally.wave())) as wave:
            for event in wave:
                yield event
                if isinstance(event, Sampled):
                    if not tally.add(event.completion):
                        run.release(event.completion)
                    yield Checked(tally.ranking(), tally.decided())
                    if tally.decided():
                        break
    return Outcome(tally.winner() or draft, tally.drawn, tally.agreement(), tally.confidence())
