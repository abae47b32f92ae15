"""What earlier answers were like: how long, how many samples, how much slower than steps alone.

Answers that a budget cut tell only "at least so much", and are counted so.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from edgemind.costs.spread import survival_weights
from edgemind.types import Route

KEPT = 64
PRIOR_LENGTHS = (12, 32, 64, 128, 256, 512)
"""Tokens of a first answer, before any was seen. Together they weigh as much as one that was."""
PRIOR_SPEEDS = (0.8, 1.0, 1.4)
GUESSED_SPEEDS = (0.25, 1.0, 3.0)
"""The same where the steps themselves are only guessed: memory differs so much between machines."""
POWER_SECONDS = 0.25
"""Meters are too coarse for less."""


@dataclass(slots=True)
class Power:
    """Watts of one kind of work: the latest readings, each over at least `POWER_SECONDS`."""

    watts: deque[float] = field(default_factory=lambda: deque(maxlen=32))
    seconds: float = 0.0
    joules: float = 0.0

    def observe(self, seconds: float, joules: float) -> None:
        """So much more work, added up until it is enough to tell."""
        self.seconds += seconds
        self.joules += joules
        if self.seconds >= POWER_SECONDS and self.joules > 0:
            self.watts.append(self.joules / self.seconds)
            self.seconds = self.joules = 0.0


@dataclass(frozen=True, slots=True)
class Work:
    """What an answer consisted of, for learning from it.

    `draft_tokens` of the first sample (`draft_cut` if it would have been longer), `extra_tokens`
    drawn after it in `extra_steps`; `step_seconds` is what the model expected of the very steps
    that were made.
    """

    draft_tokens: int
    draft_cut: bool
    extra_tokens: int
    extra_steps: int
    step_seconds: float


@dataclass(slots=True)
class Lengths:
    """Tokens of first answers; a cut one would have been longer."""

    seen: deque[tuple[int, bool]] = field(default_factory=lambda: deque(maxlen=KEPT))

    def observe(self, tokens: int, cut: bool) -> None:
        """One more answer."""
        if tokens > 0:
            self.seen.append((tokens, cut))

    def weighed(self) -> list[tuple[float, float]]:
        """(tokens, probability), sorted."""
        made_up = 1 / len(PRIOR_LENGTHS)
        rows = sorted(
            [(float(tokens), cut, 1.0) for tokens, cut in self.seen]
            + [(float(tokens), False, made_up) for tokens in PRIOR_LENGTHS]
        )
        values = [value for value, _, _ in rows]
        weights = survival_weights(values, [cut for _, cut, _ in rows], [w for *_, w in rows])
        return list(zip(values, weights, strict=True))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an answer took beyond its first sample, in that sample's tokens.

    `tokens` of further samples and revisions, `steps` that they were drawn in (a batched step
    gives several tokens), when at most `width` samples were asked for. `speed` is the seconds that
    the answer took over those of its steps alone, but for the seconds that verifiers took
    (`checking`). `cut` if a budget or a person ended it.
    """

    tokens: float
    steps: float
    width: int
    speed: float
    cut: bool
    checking: float = 0.0

    def at(self, width: int) -> tuple[float, float]:
        """(tokens, steps) had `width` been asked for: fewer where that is less than were drawn,
        more where all that were asked for were drawn."""
        if self.width <= 1 or width == self.width or not self.tokens:
            return self.tokens, self.steps
        used_up = self.tokens >= 0.8 * (self.width - 1)
        share = (width - 1) / (self.width - 1)
        if width > self.width and not used_up:
            return self.tokens, self.steps
        if width < self.width:
            share = min(1.0, (width - 1) / self.tokens)
        # Samples of one wave share their steps: half as many samples take more than half.
        return self.tokens * share, self.steps * share**0.5


@dataclass(slots=True)
class Outcomes:
    """The latest outcomes of one kind of answer."""

    seen: deque[Outcome] = field(default_factory=lambda: deque(maxlen=KEPT))

    def weighed(self, prior: Sequence[Outcome]) -> list[tuple[Outcome, float]]:
        """(outcome, probability); the `prior` ones together weigh as much as one that was seen."""
        rows = [(outcome, 1.0) for outcome in self.seen]
        rows += [(outcome, 1 / len(prior)) for outcome in prior]
        rows.sort(key=lambda row: row[0].tokens)
        weights = survival_weights(
            [outcome.tokens for outcome, _ in rows],
            [outcome.cut for outcome, _ in rows],
            [weight for _, weight in rows],
        )
        return [(outcome, weight) for (outcome, _), weight in zip(rows, weights, strict=True)]


def prior_outcomes(route: Route, escalates: bool, engine_width: int) -> list[Outcome]:
    """What to expect of a route before any was followed: all that it asks for, and half of it."""

    def drawn(samples: float) -> Outcome:
        waves = -(-samples // max(1, engine_width))
        return Outcome(samples, 1.25 * waves if samples else 0.0, route.width, 1.0, False)

    inner = 0.0
    if route.inner is not None:
        inner = max(one.tokens for one in prior_outcomes(route.inner, False, engine_width))
    if route.strategy == "direct":
        if not escalates or route.width == 1:
            return [drawn(inner)]
        return [drawn(inner), drawn(inner), drawn(route.width - 1)]
    if route.strategy == "refine":
        return [drawn(inner), Outcome(inner + 1.5, 1.5, route.width, 1.0, False)]
    return [drawn((route.width - 1) / 2 + inner), drawn(route.width - 1 + inner)]


def kind_of(route: Route, escalates: bool, verified: bool) -> str:
    """The key under which outcomes of such answers are kept."""
    name, inner = route.strategy, route.inner
    while inner is not None:
        name += f"/{inner.strategy}"
        inner = inner.inner
    parts = [name, "auto" * escalates, "verified" * verified, "free" * (not route.votable)]
    return "+".join(part for part in parts if part)
