"""The cost model: seconds and joules of a prompt, of steps, and of whole answers.

It starts from a prior, the bytes that a step must read over the memory's bandwidth, and learns
from every step and every answer. Two memories work together: lines over many answers (`lines.py`),
and the last steps, which show at once that the machine is slower now. One model for each (model,
device, power source); `store.py` keeps it.
"""

from __future__ import annotations

from collections import deque

from edgemind.budget import Cost
from edgemind.costs.forecast import (
    QUANTITIES,
    SCENES,
    Asked,
    Forecast,
    Spread,
    halton,
    within,
)
from edgemind.costs.history import (
    GUESSED_SPEEDS,
    PRIOR_SPEEDS,
    Lengths,
    Outcome,
    Outcomes,
    Power,
    Work,
    kind_of,
    prior_outcomes,
)
from edgemind.costs.lines import Table
from edgemind.costs.spread import median, quantile
from edgemind.types import Budget, Phase, Route, Spent

PRIOR_BANDWIDTH = 10e9
"""Bytes per second; a Raspberry Pi 5, and modest for a laptop."""
PRIOR_WATTS = 10.0
PRIOR_WIDTH_SHARE = 0.33
"""Each further branch, as a share of the first (docs/log.md)."""
PRIOR_PREFILL_SHARE = 0.25
"""A prefill token of a long prompt, as a share of a step at width 1."""
RECENT = 16
NOW = 5
"""So many of the recent steps tell how fast the machine is now; half of them may be outliers."""
LEAST_PROMPT = 16
"""Shorter ones are all rounding."""
RANKS = 100


class CostModel:
    """What things cost on one machine, for one model."""

    def __init__(self, model_bytes: int) -> None:
        first = model_bytes / PRIOR_BANDWIDTH
        self.steps = Table(lambda width: first * (1 + PRIOR_WIDTH_SHARE * (width - 1)))
        self.prefills = Table(lambda size: first * PRIOR_PREFILL_SHARE * (1 + 16 / size))
        self.power: dict[str, Power] = {}
        self.lengths: dict[str, Lengths] = {}
        self.outcomes: dict[str, Outcomes] = {}
        self.ranks: dict[str, deque[float]] = {name: deque(maxlen=RANKS) for name in QUANTITIES}
        self._recent: deque[float] = deque(maxlen=RECENT)  # seconds over those expected
        self._pace: tuple[float, float] | None = None
        self._slowed = 1.0
        self._watts_known: dict[tuple[str, float], float] = {}
        self._drawn: dict[str, list[float]] = {}

    @property
    def measured(self) -> bool:
        """Whether steps and prompts were measured here; before, all is a guess."""
        return self.steps.known and self.prefills.known

    # Learning

    def begin(self) -> None:
        """A new answer: what the last one's steps said of the machine's speed is forgotten."""
        self.steps.begin()
        self.prefills.begin()
        self._recent.clear()
        self._pace = None
        self._slowed = 1.0

    def slow_down(self, factor: float) -> None:
        """The processor is throttled: plan with steps so much longer, and learn nothing lasting.

        Until the next `begin`.
        """
        self._slowed = max(self._slowed, factor)
        self._pace = None

    def observe_step(self, width: int, seconds: float, context: float = 0.0) -> None:
        """One decode step of `width` branches of `context` tokens (their mean) took this long."""
        known = self.steps.known
        expected = self.steps.at(width, context) if known else seconds
        if self._slowed == 1:
            self.steps.observe(width, context, seconds)
        self._recent.append(seconds / max(expected, 1e-12))
        self._pace = None

    def observe_prefill(self, tokens: int, seconds: float, before: int = 0) -> None:
        """A prompt of so many evaluated tokens, after `before` others, took this long."""
        if tokens >= LEAST_PROMPT and self._slowed == 1:
            self.prefills.observe(_size(tokens), before + tokens / 2, seconds / tokens)

    def observe_power(self, phases: tuple[Phase, ...]) -> None:
        """What an answer drew while it evaluated, and while it drew one token or many a step."""
        self._watts_known.clear()
        self._drawn.clear()
        kinds = {"prefill": "prefill", "draft": "one", "reserve": "one", "samples": "many"}
        for phase in phases:
            if (kind := kinds.get(phase.name)) and phase.seconds > 0 and phase.joules >= 0:
                self.power.setdefault(kind, Power()).observe(phase.seconds, phase.joules)

    def observe_answer(
        self, route: Route, asked: Asked, work: Work, spent: Spent, cut: bool
    ) -> None:
        """An answer is over. `route` is the one that was planned."""
        lengths = self.lengths.setdefault(_length_kind(route), Lengths())
        lengths.observe(work.draft_tokens, work.draft_cut)
        if not work.draft_tokens or work.step_seconds <= 0:
            return
        checking = sum(phase.seconds for phase in spent.phases if phase.name == "verification")
        speed = (spent.seconds - checking) / work.step_seconds
        kind = kind_of(route, asked.escalates, asked.verified)
        self.outcomes.setdefault(kind, Outcomes()).seen.append(
            Outcome(
                work.extra_tokens / work.draft_tokens,
                work.extra_steps / work.draft_tokens,
                route.width,
                speed,
                cut,
                checking,
            )
        )

    def observe_forecast(self, forecast: Forecast, spent: Spent) -> None:
        """How an answer came out against what was predicted for it."""
        for quantity, found in forecast.ranks_of(spent, self._tie()).items():
            self.ranks[quantity].append(found)

    def _tie(self) -> float:
        return halton(1 + sum(map(len, self.ranks.values())) // len(QUANTITIES), 2)

    # Single steps, as they are about to be made

    def step(self, width: int, context: float = 0.0) -> Cost:
        """Predicted cost of one decode step, at about the 90 % quantile."""
        usual, high = self._now()
        seconds = self.steps.at(width, context) * usual * high
        return self._cost(seconds, width, "one" if width == 1 else "many")

    def prefill(self, tokens: int, before: int = 0) -> Cost:
        """Predicted cost of evaluating a prompt after `before` tokens, at about the 90 % quantile.

        Linear in `tokens` where nothing is measured.
        """
        usual, high = self._now()
        return self._cost(self._prefill_seconds(tokens, before) * usual * high, 0, "prefill")

    def least(self, prompt_tokens: int, new_tokens: int, answer_tokens: int) -> Cost:
        """What a prompt of which `new_tokens` are new and a short answer take, if it goes badly."""
        before = prompt_tokens - new_tokens
        steps = answer_tokens * self.steps.at(1, prompt_tokens)
        seconds = self._prefill_seconds(new_tokens, before)
        # By medians: an answer in which the process was stopped for an hour is one of many.
        speeds = self._speeds()
        usual = median(speeds)
        spread = 1.4826 * median([abs(speed - usual) for speed in speeds])
        high = max(1.1, usual + 2 * spread)
        return self._cost(seconds * high, 0, "prefill") + self._cost(
            steps * high, answer_tokens, "one"
        )

    @property
    def watts(self) -> float:
        """Power while one token after another is drawn, at about the 90 % quantile."""
        return self._watts("one", 0.9)

    def expected(self, width: int, context: float) -> float:
        """Seconds of a step as the lines have it, whatever the machine is doing now."""
        return self.steps.at(width, context)

    def expected_prefill(self, tokens: int, before: int) -> float:
        """Seconds of a prompt as the lines have it."""
        return self._prefill_seconds(tokens, before)

    def _prefill_seconds(self, tokens: int, before: int) -> float:
        if tokens <= 0:
            return 0.0
        return tokens * self.prefills.at(_size(tokens), before + tokens / 2)

    def _now(self) -> tuple[float, float]:
        """How much slower than usual the last steps were, and how far the slow ones stand out."""
        if self._pace is None:
            ratios = [*self._recent]
            usual = median(ratios[-NOW:]) if len(ratios) >= 3 else 1.0
            high = 1.25
            if len(ratios) >= NOW:
                high = min(3.0, max(1.03, quantile(sorted(ratios), 0.9) / max(usual, 1e-12)))
            self._pace = max(usual, self._slowed), high
        return self._pace

    def _cost(self, seconds: float, tokens: int, kind: str) -> Cost:
        return Cost(seconds, seconds * self._watts(kind, 0.9), tokens)

    def _watts(self, kind: str, share: float) -> float:
        """Power of a kind of work: several are asked for at each step, and new ones rarely come."""
        known = self._watts_known.get((kind, share))
        if known is None:
            known = self._watts_known[kind, share] = self._quantile_watts(kind, share)
        return known

    def _quantile_watts(self, kind: str, share: float) -> float:
        drawn = self._drawn.get(kind)
        if drawn is None:
            power = self.power.get(kind)
            if power is None or not power.watts:
                power = max(self.power.values(), key=lambda one: len(one.watts), default=None)
            drawn = self._drawn[kind] = sorted(power.watts) if power else []
        return quantile(drawn, share) if drawn else PRIOR_WATTS * (0.6 + 0.8 * share)

    # Whole answers

    def predict(
        self,
        route: Route,
        prompt_tokens: int,
        asked: Asked | None = None,
        budget: Budget = Budget(),  # noqa: B008 (frozen)
    ) -> Forecast:
        """What answering along `route` will cost, cut where `budget` cuts it.

        `asked` says what is known besides; without it the whole prompt is new.
        """
        asked = asked or Asked(prompt_tokens)
        kind = kind_of(route, asked.escalates, asked.verified)
        lengths = Spread(self.lengths.get(_length_kind(route), Lengths()).weighed())
        prior = prior_outcomes(route, asked.escalates, asked.engine_width)
        outcomes = Spread(self.outcomes.get(kind, Outcomes()).weighed(prior))
        speeds = sorted(self._speeds(kind))
        prompt_seconds = self._prefill_seconds(asked.new_tokens, prompt_tokens - asked.new_tokens)
        # A step's seconds are a straight line over the context, whatever is measured.
        bare = self.steps.at(1, 0.0)
        slope = self.steps.at(1, 1.0) - bare
        rows = []
        for first, second, third, fourth in SCENES:
            tokens = min(lengths.at(first), asked.most_tokens)
            outcome = outcomes.at(second)
            extra, steps = outcome.at(route.width)
            speed = quantile(speeds, third)
            middle = prompt_tokens + tokens / 2
            draft = tokens * (bare + slope * middle)
            more = 0.0
            if extra:
                steps = max(steps, extra / asked.engine_width)
                wide = extra / steps if steps else 1.0
                more = steps * tokens * self._between(wide, middle)
            seconds = speed * (prompt_seconds + draft + more) + outcome.checking
            joules = speed * (
                prompt_seconds * self._watts("prefill", fourth)
                + draft * self._watts("one", fourth)
                + (more * self._watts("many", fourth) if more else 0.0)
            )
            rows.append(within((seconds, joules, tokens * (1 + extra)), budget, 0.04 * fourth))
        draws = {
            name: tuple(sorted(row[place] for row in rows)) for place, name in enumerate(QUANTITIES)
        }
        return Forecast(draws, {name: tuple(self.ranks[name]) for name in QUANTITIES})

    def _between(self, width: float, context: float) -> float:
        """Seconds of a step at a mean width."""
        low = max(1, int(width))
        share = width - low
        seconds = self.steps.at(low, context)
        if share <= 0:
            return seconds
        return seconds + share * (self.steps.at(low + 1, context) - seconds)

    def _speeds(self, kind: str | None = None) -> list[float]:
        """Seconds that answers took over those of their steps alone: of this kind, else of all."""
        own = self.outcomes.get(kind or "")
        seen = [outcome.speed for outcome in own.seen] if own else []
        if len(seen) < NOW:
            seen = [one.speed for outcomes in self.outcomes.values() for one in outcomes.seen]
        made_up = PRIOR_SPEEDS if self.measured else GUESSED_SPEEDS
        return seen if len(seen) >= 10 else [*seen, *made_up]


def _size(tokens: int) -> int:
    """The key of a prompt's size: the power of two below it, from 16 to 512."""
    return 1 << (min(max(tokens, LEAST_PROMPT), 512).bit_length() - 1)


def _length_kind(route: Route) -> str:
    return "votable" if route.votable else "free"
