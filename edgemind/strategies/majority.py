"""Self-consistency without early stopping: always `width` samples. The yardstick for `vote`."""

from __future__ import annotations

from collections.abc import Generator

from edgemind.events import Event
from edgemind.run import Run
from edgemind.strategies.base import Outcome
from edgemind.strategies.tally import Tally, poll
from edgemind.types import Route


def majority(run: Run, route: Route) -> Generator[Event, None, Outcome]:
    """Draw `route.width` samples, the draft included; the most frequent answer wins.

    Each is evaluated by itself, even while they say the same, as wherever samples are drawn one by
    one: it says what the usual way costs.
    """
    return (yield from poll(run, route, Tally(route.width, rules=(), apart=True)))
