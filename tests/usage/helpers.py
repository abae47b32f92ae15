"""What the record's tests share: a small record, rows in it, minds that use it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from edgemind.config import BudgetTable, Config
from edgemind.engines.scripted import ScriptedEngine
from edgemind.runtime import Mind
from edgemind.types import Budget, Spent
from edgemind.usage.account import FILE, Usage
from edgemind.usage.report import Row, read
from tests.helpers import Clock, FakeMeter, TimedEngine

NOON = 1_780_000_000.0
"""A moment in the middle of a day, in any time zone that the tests use."""


@dataclass
class Book:
    """A record in a folder, with a clock of its own and all that it said."""

    folder: Path
    config: Config = field(default_factory=Config)
    now: float = NOON
    charge: float | None = None
    said: list[str] = field(default_factory=list)
    hints: list[str] = field(default_factory=list)

    @property
    def path(self) -> Path:
        return self.folder / FILE

    def usage(self, over: bool = False) -> Usage:
        """Another process's view of the record."""
        return Usage(
            self.path,
            self.config,
            over=over,
            now=lambda: self.now,
            battery=lambda: self.charge,
            warn=self.said.append,
            notice=self.hints.append,
        )

    def rows(self) -> list[Row]:
        """All answers, in the order in which they began."""
        usage = self.usage()
        try:
            return list(read(usage.database, self.now, None).rows)
        finally:
            usage.close()

    def spend(self, seconds: float, joules: float, model: str = "m", tokens: int = 10) -> None:
        """One answer that took this."""
        usage = self.usage(over=True)
        entry = usage.begin(Budget(), model)
        entry.settle(Spent(seconds, joules, tokens, 5), None)
        usage.close()


def limited(**limits: float) -> Config:
    """A configuration with these limits."""
    return Config(budget=BudgetTable(**limits))  # type: ignore[arg-type]


def mind_of(
    usage: Usage,
    *texts: str,
    seconds: float = 1.0,
    watts: float = 2.0,
    on_step: Callable[[int], None] = lambda width: None,
    **options: object,
) -> Mind:
    """A mind over a scripted engine whose steps take `seconds`, and which records."""
    clock = Clock()
    lines = [tuple(text) for text in texts]
    engine: ScriptedEngine = TimedEngine(lines, clock, (seconds,), **options)
    assert isinstance(engine, TimedEngine)
    engine.before_step = on_step
    return Mind(engine, clock=clock, meter=FakeMeter(clock, watts), usage=usage)


def tables(path: Path) -> list[tuple[object, ...]]:
    """The rows as they lie in the file."""
    connection = sqlite3.connect(path)
    try:
        return connection.execute("SELECT * FROM answers").fetchall()
    finally:
        connection.close()
