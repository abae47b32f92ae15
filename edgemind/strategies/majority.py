"""Self-consistency without early stopping: always `width` samples. The yardstick for `vote`."""

from __future__ import annotations

from collections.abc import Generator

from edgemind.events import Event
from edgemind.run import Run
from edgemind.strategies.base import Outcome
from edgemind.strategies.tally import Tally, poll
from edgemind.types import Route


def majority(run: Run, route: Route) -> Generator[Event, None, Outcome]:
    """Draw `route.width` samples, the draft included; the most frequent answer wins."""
    return (yield from poll(run, route, Tally(route.width, rules=())))
