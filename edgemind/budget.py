"""Limits, and the ledger that keeps them. What a step costs is known in `edgemind.costs`.

The ledger is asked *before* a step whether one more step fits with the reserve kept, never after
it whether anything is left. It alone reads the clock and the meter.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from edgemind.errors import BudgetError
from edgemind.types import Budget, Phase, PhaseName, Spent


class Meter(Protocol):
    """A counter of energy. `source` is `measured:<meter>`, or `estimated` and why in brackets."""

    @property
    def source(self) -> str:
        """Where the figure comes from."""

    def joules(self) -> float:
        """Joules since some fixed moment; never falls."""


@dataclass(frozen=True, slots=True)
class Cost:
    """A prediction, or a part of the budget held back."""

    seconds: float = 0.0
    joules: float = 0.0
    tokens: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.seconds + other.seconds, self.joules + other.joules, self.tokens + other.tokens
        )

    def times(self, count: float) -> Cost:
        """This cost `count` times; tokens rounded up."""
        return Cost(self.seconds * count, self.joules * count, math.ceil(self.tokens * count))


def check_budget(budget: Budget) -> Budget:
    """`budget` itself, or `BudgetError` where a limit is not a positive number."""
    for name in ("seconds", "joules", "tokens"):
        value = getattr(budget, name)
        if value is not None and not (value > 0 and math.isfinite(value)):
            raise BudgetError(f"a budget of {value} {name} is not a positive number")
    return budget


class Ledger:
    """What one answer may cost and has cost so far.

    `stop` may be called from any thread: from then on nothing fits any more.
    """

    def __init__(self, budget: Budget, clock: Callable[[], float], meter: Meter) -> None:
        self.budget = check_budget(budget)
        self._clock = clock
        self._meter = meter
        self._started = clock()
        self._look_at_meter = self._started + LOOK_SECONDS
        self._joules_before = meter.joules()
        self._tokens = 0
        self._prompt_tokens = 0
        self._phase: PhaseName = "planning"
        self._since = Cost()
        self._phases: dict[PhaseName, Cost] = {}
        self.stopped = False

    def charge(self, tokens: int, prompt_tokens: int = 0) -> None:
        """Note tokens generated, and prompt tokens evaluated."""
        # A meter of power has to be looked at all along, also where no joules are limited.
        if self.budget.joules is None and (now := self._clock()) >= self._look_at_meter:
            self._look_at_meter = now + LOOK_SECONDS
            self._meter.joules()
        self._tokens += tokens
        self._prompt_tokens += prompt_tokens

    @property
    def limited(self) -> bool:
        """Whether anything is limited at all."""
        budget = self.budget
        return any(limit is not None for limit in (budget.seconds, budget.joules, budget.tokens))

    def elapsed(self) -> float:
        """Seconds since the ledger was opened."""
        return self._clock() - self._started

    @property
    def tokens(self) -> int:
        """Tokens generated so far."""
        return self._tokens

    @contextmanager
    def phase(self, name: PhaseName) -> Iterator[None]:
        """While this lasts, what is spent counts as `name`; the phase before goes on afterwards."""
        before = self._phase
        self._enter(name)
        try:
            yield
        finally:
            self._enter(before)

    def _enter(self, name: PhaseName) -> None:
        now = self._now()
        self._phases[self._phase] = self._of_phase(now)
        self._phase, self._since = name, now

    def _now(self) -> Cost:
        return Cost(self.elapsed(), self._meter.joules() - self._joules_before, self._tokens)

    def _of_phase(self, now: Cost) -> Cost:
        """What the running phase has cost so far, earlier times included."""
        since = self._since
        return self._phases.get(self._phase, Cost()) + Cost(
            now.seconds - since.seconds, now.joules - since.joules, now.tokens - since.tokens
        )

    def spent(self) -> Spent:
        """All that was spent up to this moment."""
        now = self._now()
        phases = {**self._phases, self._phase: self._of_phase(now)}
        return Spent(
            seconds=now.seconds,
            joules=now.joules,
            tokens=now.tokens,
            prompt_tokens=self._prompt_tokens,
            energy_source=self._meter.source,
            phases=tuple(
                Phase(name, cost.seconds, cost.joules, cost.tokens)
                for name, cost in phases.items()
                if cost != Cost()
            ),
        )

    def left(self) -> Cost:
        """What is left of each limit; infinite (tokens: a very large number) where there is none.

        Joules are read only where they are limited: a meter may be slow.
        """
        budget = self.budget
        if self.stopped:
            return Cost()
        return Cost(
            math.inf if budget.seconds is None else budget.seconds - self.elapsed(),
            math.inf
            if budget.joules is None
            else budget.joules - (self._meter.joules() - self._joules_before),
            NO_TOKEN_LIMIT if budget.tokens is None else budget.tokens - self._tokens,
        )

    def fits(self, step: Cost, reserve: Cost) -> bool:
        """Whether a step of this cost fits, with the reserve kept."""
        # As `left` has it, limit by limit: this is asked before every step, and steps may be short.
        budget = self.budget
        if self.stopped:
            return False
        if (
            budget.tokens is not None
            and step.tokens + reserve.tokens > budget.tokens - self._tokens
        ):
            return False
        if budget.seconds is not None:
            seconds = budget.seconds - self.elapsed()
            if step.seconds + reserve.seconds > seconds:
                return False
        if budget.joules is None:
            return True
        joules = budget.joules - (self._meter.joules() - self._joules_before)
        return step.joules + reserve.joules <= joules

    def tighten(self, budget: Budget) -> None:
        """Keep other limits from now on: others spend from the same day."""
        self.budget = budget

    def stop(self) -> None:
        """Make the budget zero from this moment on."""
        self.stopped = True


NO_TOKEN_LIMIT = 1 << 62
LOOK_SECONDS = 0.1


class Watchdog:
    """A thread that cuts the engine when the ledger's limit, less a reserve, is reached.

    Needed because a single decode may take seconds. `arm` sets the reserve to keep and lets the
    engine run again; after the limit the engine stays interrupted until the next `arm`.
    """

    POLL_SECONDS = 0.02  # how often joules are read; seconds need no polling
    LEAST_POLL_SECONDS = 0.002  # near the limit in joules
    LONGEST_WAIT_SECONDS = 0.25  # a timed wait stands still while the machine sleeps

    def __init__(
        self, ledger: Ledger, interrupt: Callable[[], None], resume: Callable[[], None]
    ) -> None:
        self._ledger = ledger
        self._interrupt = interrupt
        self._resume = resume
        self._reserve = Cost()
        self._changed = threading.Condition()
        self._closed = False
        self._thread: threading.Thread | None = None

    def arm(self, reserve: Cost) -> None:
        """Watch for `left - reserve` from now on. Starts the thread where a limit needs one."""
        limited = self._ledger.budget.seconds is not None or self._ledger.budget.joules is not None
        with self._changed:
            self._reserve = reserve
            if not self._ledger.stopped:
                self._resume()
                # `stop` notes first and interrupts then: had it come in between, this repairs it.
                if self._ledger.stopped:
                    self._interrupt()
            self._changed.notify()
            if limited and self._thread is None and not self._closed:
                self._thread = threading.Thread(
                    target=self._watch, name="edgemind-watchdog", daemon=True
                )
                self._thread.start()

    def _watch(self) -> None:
        with self._changed:
            while not self._closed:
                left = self._ledger.left()
                seconds = left.seconds - self._reserve.seconds
                joules = left.joules - self._reserve.joules
                if seconds <= 0 or joules <= 0:
                    self._interrupt()
                    self._changed.wait(self.POLL_SECONDS)
                    continue
                if self._ledger.budget.joules is not None:
                    seconds = min(seconds, self._until_next_reading(joules))
                self._changed.wait(min(seconds, self.LONGEST_WAIT_SECONDS))

    def _until_next_reading(self, joules: float) -> float:
        """Seconds to the next look at the meter, with so many joules to go: ever sooner.

        Half of the time that they last at the answer's mean power so far.
        """
        assert self._ledger.budget.joules is not None
        spent = self._ledger.budget.joules - self._ledger.left().joules
        watts = spent / max(self._ledger.elapsed(), 1e-3)
        lasts = joules / watts if watts > 0 else self.POLL_SECONDS
        return min(self.POLL_SECONDS, max(self.LEAST_POLL_SECONDS, lasts / 2))

    def close(self) -> None:
        """End the thread and leave the engine ready."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()
        self._resume()
