"""Self-consistency: several samples, the most frequent answer wins (arXiv 2203.11171).

The draft is sample 0. Samples come in waves of the fewest that could end the vote; it ends when
its result is certain or all but certain.
"""

from __future__ import annotations

from collections.abc import Generator

from edgemind.events import Event
from edgemind.run import Run
from edgemind.strategies.base import Outcome
from edgemind.strategies.tally import Tally, poll, rules_for
from edgemind.types import Route


def vote(run: Run, route: Route) -> Generator[Event, None, Outcome]:
    """Draw up to `route.width` samples, the draft included, until the vote is decided."""
    return (yield from poll(run, route, Tally(route.width, rules_for(run, route))))
