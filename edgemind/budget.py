"""Limits, the ledger that keeps them, and the model of what a step costs.

The ledger is asked *before* a step whether one more step fits with the reserve kept, never after
it whether anything is left. It alone reads the clock and the meter.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from edgemind.errors import BudgetError
from edgemind.types import Budget, Spent


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
        self.stopped = False

    def charge(self, tokens: int, prompt_tokens: int = 0) -> None:
        """Note tokens generated, and prompt tokens evaluated."""
        # A meter of power has to be looked at all along, also where no joules are limited.
        if self.budget.joules is None and (now := self._clock()) >= self._look_at_meter:
            self._look_at_meter = now + LOOK_SECONDS
            self._meter.joules()
        self._tokens += tokens
        self._prompt_tokens += prompt_tokens

    def elapsed(self) -> float:
        """Seconds since the ledger was opened."""
        return self._clock() - self._started

    def spent(self) -> Spent:
        """All that was spent up to this moment."""
        return Spent(
            seconds=self.elapsed(),
            joules=self._meter.joules() - self._joules_before,
            tokens=self._tokens,
            prompt_tokens=self._prompt_tokens,
            energy_source=self._meter.source,
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
                if seconds <= 0 or left.joules <= self._reserve.joules:
                    self._interrupt()
                    self._changed.wait(self.POLL_SECONDS)
                    continue
                if self._ledger.budget.joules is not None:
                    seconds = min(seconds, self.POLL_SECONDS)
                self._changed.wait(min(seconds, threading.TIMEOUT_MAX))

    def close(self) -> None:
        """End the thread and leave the engine ready."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()
        self._resume()


@dataclass(slots=True)
class Average:
    """Exponentially weighted mean and mean deviation of a positive quantity."""

    mean: float
    deviation: float
    count: int = 0

    WEIGHT = 0.1

    def observe(self, value: float) -> None:
        """Take in one more value. The first ones count fully: a prior is only a guess."""
        weight = max(self.WEIGHT, 1 / (self.count + 1))
        if self.count == 0:
            self.mean, self.deviation = value, value * 0.25
        else:
            self.deviation += weight * (abs(value - self.mean) - self.deviation)
            self.mean += weight * (value - self.mean)
        self.count += 1

    def high(self) -> float:
        """About the 90 % quantile (1.6 mean deviations above the mean of a normal variable)."""
        return self.mean + 1.6 * self.deviation


class CostModel:
    """Seconds and joules of a prefill token and of a decode step at each width.

    Starts from a prior, the bytes that a step must read over the memory's bandwidth, and learns
    from every step. One for each loaded model.
    """

    PRIOR_BANDWIDTH = 10e9  # bytes per second; a Raspberry Pi 5, and modest for a laptop
    PRIOR_WATTS = 10.0
    PRIOR_WIDTH_SHARE = 0.33  # each further branch, as a share of the first (docs/log.md)
    PRIOR_PREFILL_SHARE = 0.25  # a prefill token, as a share of a step at width 1

    def __init__(self, model_bytes: int) -> None:
        first = model_bytes / self.PRIOR_BANDWIDTH
        self._steps: dict[int, Average] = {1: Average(first, first * 0.5)}
        self._prefill = Average(first * self.PRIOR_PREFILL_SHARE, first * 0.2)
        self._watts = Average(self.PRIOR_WATTS, self.PRIOR_WATTS * 0.3)

    def observe_step(self, width: int, seconds: float) -> None:
        """One decode step of `width` branches took this long."""
        if width not in self._steps:
            self._steps[width] = Average(seconds, seconds * 0.25)
        self._steps[width].observe(seconds)

    def observe_prefill(self, tokens: int, seconds: float) -> None:
        """A prompt of so many evaluated tokens took this long. Short ones say little."""
        if tokens >= 16:
            self._prefill.observe(seconds / tokens)

    def observe_power(self, seconds: float, joules: float) -> None:
        """An answer drew so much. Very short ones are all rounding."""
        if seconds > 0.01 and joules > 0:
            self._watts.observe(joules / seconds)

    def step(self, width: int) -> Cost:
        """Predicted cost of one decode step, at about the 90 % quantile."""
        return self._cost(self._step_seconds(width), width)

    def prefill(self, tokens: int) -> Cost:
        """Predicted cost of evaluating a prompt, at about the 90 % quantile."""
        return self._cost(tokens * self._prefill.high(), 0)

    def _step_seconds(self, width: int) -> float:
        """Seconds at `width`, from the nearest measured width and the prior's slope."""
        measured = [known for known, average in self._steps.items() if average.count]
        nearest = min(measured or [1], key=lambda known: abs(known - width))
        shape = 1 + self.PRIOR_WIDTH_SHARE * (width - 1)
        return self._steps[nearest].high() * shape / (1 + self.PRIOR_WIDTH_SHARE * (nearest - 1))

    def _cost(self, seconds: float, tokens: int) -> Cost:
        return Cost(seconds, seconds * self._watts.high(), tokens)
