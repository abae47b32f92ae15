"""The strategy seam: a short generator over events, without I/O, clock or model calls of its own.

A strategy is one module of this package with a function of the module's name:
`def vote(run: Run, route: Route) -> Generator[Event, None, Outcome]`. The file's name is its key.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Generator
from dataclasses import dataclass
from difflib import get_close_matches

from edgemind.errors import ConfigError
from edgemind.events import Event
from edgemind.run import Run
from edgemind.strategies import strategy_names
from edgemind.types import Ballot, Completion, Route


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a strategy settled on; `ballot` if there was a vote."""

    winner: Completion
    samples: int
    agreement: float

    ballot: Ballot | None = None


Strategy = Callable[[Run, Route], Generator[Event, None, Outcome]]


def find_strategy(name: str) -> Strategy:
    """The strategy with this key, or `ConfigError` with the nearest one."""
    names = strategy_names()
    if name not in names:
        near = get_close_matches(name, [*names, "auto"], n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(['auto', *names])}"
        raise ConfigError(f"no strategy is called {name!r}: {hint}")
    strategy: Strategy = getattr(importlib.import_module(f"edgemind.strategies.{name}"), name)
    return strategy


def follow(run: Run, route: Route) -> Generator[Event, None, Outcome]:
    """Answer along `route`. What the run has done already, it does not do again."""
    return (yield from find_strategy(route.strategy)(run, route))


def begin(run: Run, route: Route) -> Generator[Event, None, Outcome]:
    """The answer that `route` goes on from: its inner route's, or the draft."""
    if route.inner is not None:
        return (yield from follow(run, route.inner))
    return Outcome((yield from run.draft()), samples=1, agreement=1.0)
