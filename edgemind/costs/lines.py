"""Seconds as a straight line over context length, fitted so that no outlier can bend it.

What is kept are medians of blocks of observations, few from each answer and of the latest answers
only: a process that was stopped for a minute is one observation, and an answer beside a busy
program is one of many answers.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from edgemind.costs.spread import median

POINTS = 48
BLOCK = 8
"""Observations in an answer's first block; each further block is twice as long."""
SEPARATE_TOKENS = 64
"""Points that are closer in context say nothing about the slope."""
ENOUGH_PAIRS = 6
PRIOR_SLOPE = 1e-4
"""Relative growth with each token of context, before anything is known."""

Point = tuple[float, float]
"""(tokens of context, seconds)."""


@dataclass(slots=True)
class Line:
    """Seconds at a context length. The slope is Theil and Sen's: the median over pairs of points.

    (Theil 1950; Sen 1968.) It holds while fewer than 29 % of the points are spoilt.
    """

    points: deque[Point] = field(default_factory=lambda: deque(maxlen=POINTS))
    _block: list[Point] = field(default_factory=list)
    _size: int = BLOCK
    _fitted: Point | None = None

    def begin(self) -> None:
        """A new answer: its first block is short again."""
        if len(self._block) >= BLOCK // 2 or not self.points:
            self._close()
        self._block.clear()
        self._size = BLOCK

    def observe(self, context: float, seconds: float) -> None:
        """One more observation."""
        self._block.append((context, seconds))
        if not self.points:
            self._fitted = None
        if len(self._block) >= self._size:
            self._close()
            self._size *= 2

    @property
    def known(self) -> bool:
        """Whether anything was observed."""
        return bool(self.points or self._block)

    def at(self, context: float) -> float:
        """Seconds at `context` tokens, the median. Something has to be known."""
        if self._fitted is None:
            self._fitted = _fit(self.points or [_middle(self._block)])
        level, slope = self._fitted
        return level + slope * context

    def _close(self) -> None:
        if self._block:
            self.points.append(_middle(self._block))
            self._block.clear()
            self._fitted = None


def _middle(block: list[Point]) -> Point:
    return median([x for x, _ in block]), median([y for _, y in block])


def _fit(points: deque[Point] | list[Point]) -> Point:
    """(seconds at no context, seconds for each token of it)."""
    usual = median([y for _, y in points])
    ordered = sorted(points)
    slopes = [
        (right - seconds) / (farther - context)
        for number, (context, seconds) in enumerate(ordered)
        for farther, right in ordered[bisect_left(ordered, (context + SEPARATE_TOKENS,), number) :]
    ]
    slope = median(slopes) if len(slopes) >= ENOUGH_PAIRS else PRIOR_SLOPE * usual
    # Never downwards, nor so steeply that a step without context would be free.
    farthest = max(median([x for x, _ in points]), 1.0)
    slope = min(max(slope, 0.0), 0.9 * usual / farthest)
    return median([y - slope * x for x, y in points]), slope


class Table:
    """A line for each key (a width, the size of a prompt), and what lies between them.

    `prior` gives seconds for a key before anything is known, and the shape where something is.
    """

    def __init__(self, prior: Callable[[int], float]) -> None:
        self._prior = prior
        self.lines: dict[int, Line] = {}

    @property
    def known(self) -> bool:
        """Whether anything was observed."""
        return bool(self.lines)

    def begin(self) -> None:
        """A new answer."""
        for line in self.lines.values():
            line.begin()

    def observe(self, key: int, context: float, seconds: float) -> None:
        """One more observation."""
        self.lines.setdefault(key, Line()).observe(context, seconds)

    def at(self, key: int, context: float) -> float:
        """Seconds for `key` at `context` tokens: measured, else between the nearest measured."""
        line = self.lines.get(key)
        if line is not None and line.known:
            return line.at(context)
        known = [other for other, line in self.lines.items() if line.known]
        if not known:
            return self._prior(key) * (1 + PRIOR_SLOPE * context)
        below = max((other for other in known if other < key), default=None)
        above = min((other for other in known if other > key), default=None)
        if below is not None and above is not None:
            share = (key - below) / (above - below)
            low, high = self.lines[below].at(context), self.lines[above].at(context)
            return low + share * (high - low)
        nearest = above if below is None else below
        assert nearest is not None
        return self.lines[nearest].at(context) * self._prior(key) / self._prior(nearest)
