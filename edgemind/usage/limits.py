"""What is left of the budgets that hold for more than one answer, and how that is said."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass

from edgemind.config import Config, Limits
from edgemind.types import Budget

NEARLY = 0.1
"""From this share of a budget on, a person is told how little is left."""


@dataclass(frozen=True, slots=True)
class Amount:
    """Seconds of answering and joules, of some answers together."""

    seconds: float = 0.0
    joules: float = 0.0


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of one budget. `setting` is its name: joules_per_day. `why` it holds at all."""

    setting: str
    limit: float
    left: float
    why: str = ""

    @property
    def unit(self) -> str:
        """`seconds` or `joules`."""
        return self.setting.partition("_")[0]

    @property
    def whose(self) -> str:
        """`today's` or `this conversation's`."""
        return "today's" if self.setting.endswith("_per_day") else "this conversation's"

    def say(self, now: float) -> str:
        """What a person has to know who cannot have an answer for it. `now` is seconds of 1970."""
        state = (
            "is used up" if self.left <= 0 else f"has {amount(self.left, self.unit)} left, too few"
        )
        if self.whose == "today's":
            renews = f"it renews at midnight, in {duration(midnight(now) - now)}"
        else:
            renews = "a new conversation has its own"
        return (
            f"{self.whose} budget of {amount(self.limit, self.unit)}{self.why} {state}; {renews}; "
            f"to go on at once: --over-budget, or a larger {self.setting} in config.toml"
        )

    def note(self) -> str:
        """A hint that there is little left."""
        left, limit = amount(self.left, self.unit), amount(self.limit, self.unit)
        return f"{left} are left of {self.whose} {limit}{self.why}"


def limits_now(config: Config, battery_percent: float | None) -> tuple[Limits, str]:
    """The limits that hold at this charge of a draining battery (None: not draining), and why."""
    low = config.low_battery
    if low is None or battery_percent is None or battery_percent >= low[0]:
        return config.budget, ""
    return config.budget.under(low[1]), f" (the battery is below {low[0]:g} %)"


def whats_left(limits: Limits, why: str, day: Amount, conversation: Amount) -> Iterator[Left]:
    """What is left of each shared budget that is set, after what was spent."""
    for kind, spent in (("conversation", conversation), ("day", day)):
        for unit in ("seconds", "joules"):
            setting = f"{unit}_per_{kind}"
            limit = getattr(limits, setting)
            if limit is not None:
                yield Left(setting, limit, max(0.0, limit - getattr(spent, unit)), why)


def one_answer(asked: Budget, limits: Limits) -> Budget:
    """An answer's budget: what was asked for, the configured limits where nothing was."""
    return Budget(
        limits.seconds if asked.seconds is None else asked.seconds,
        limits.joules if asked.joules is None else asked.joules,
        limits.tokens if asked.tokens is None else asked.tokens,
    )


def least(lefts: list[Left], unit: str) -> Left | None:
    """Of the budgets in this unit the one of which least is left."""
    own = [left for left in lefts if left.unit == unit]
    return min(own, key=lambda left: left.left) if own else None


def smaller(own: float | None, other: Left | None) -> float | None:
    """The smaller limit of two that may be absent."""
    if other is None:
        return own
    return other.left if own is None else min(own, other.left)


def midnight(now: float) -> float:
    """When the local day ends, in seconds since 1970; 23 or 25 hours where clocks are changed."""
    day = time.localtime(now)
    return time.mktime((day.tm_year, day.tm_mon, day.tm_mday + 1, 0, 0, 0, 0, 0, -1))


def day_of(now: float, days_ago: int = 0) -> str:
    """The local date, YYYY-MM-DD."""
    day = time.localtime(now)
    noon = (day.tm_year, day.tm_mon, day.tm_mday - days_ago, 12, 0, 0, 0, 0, -1)
    return time.strftime("%Y-%m-%d", time.localtime(time.mktime(noon)))


def amount(value: float, unit: str) -> str:
    """`4,200 J`, `0.3 J`, `12 s`."""
    shown = f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:,.1f}"
    return f"{shown} {'J' if unit == 'joules' else 's'}"


def duration(seconds: float) -> str:
    """`5 h 12 min`, `12 min`, rounded up."""
    minutes = max(1, math.ceil(seconds / 60))
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"
