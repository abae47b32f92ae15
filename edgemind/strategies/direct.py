"""One pass: the draft is the answer."""

from __future__ import annotations

from collections.abc import Generator

from edgemind.events import Event
from edgemind.run import Run
from edgemind.strategies.base import Outcome, begin
from edgemind.types import Route


def direct(run: Run, route: Route) -> Generator[Event, None, Outcome]:
    """The draft as it is."""
    return (yield from begin(run, route))
