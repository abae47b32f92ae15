"""Counts what answers cost, over all processes, and says what the next one may spend.

One row of the record is one answer, from before its first step on. Totals are sums over rows, so
nothing is counted twice whenever a process dies. `entry.py` is one row's life.
"""

from __future__ import annotations

import os
import sqlite3
import time
import warnings
from collections.abc import Callable
from pathlib import Path

from edgemind.config import Config, Limits
from edgemind.errors import BudgetTooSmall
from edgemind.types import Budget
from edgemind.usage.battery import draining_percent
from edgemind.usage.database import Database
from edgemind.usage.entry import Entry, Origin
from edgemind.usage.limits import NEARLY, day_of, limits_now, one_answer
from edgemind.usage.owner import process_start

FILE = "usage.sqlite"
KILLED = "killed"
"""The finish of an answer whose process died."""


def _random_name() -> str:
    return os.urandom(16).hex()


def _warn(line: str) -> None:
    warnings.warn(line, stacklevel=2)


class Usage:
    """The record of what answers cost, and the budgets of a configuration that it keeps.

    `path` is the record's file (None: memory). `over` lets answers go beyond the budgets of days
    and conversations; they are recorded all the same. `conversation` is to be set to another text
    where another conversation begins. `warn` takes a line that has to be known, `notice` a hint.
    """

    def __init__(
        self,
        path: Path | None,
        config: Config = Config(),  # noqa: B008 (frozen)
        *,
        over: bool = False,
        now: Callable[[], float] = time.time,
        battery: Callable[[], float | None] = draining_percent,
        warn: Callable[[str], None] = _warn,
        notice: Callable[[str], None] = lambda line: None,
    ) -> None:
        self.conversation = _random_name()
        self.database = Database(path, warn)
        self._config = config
        self._over = over
        self._now = now
        self._battery = battery
        self._notice = notice

    def begin(self, asked: Budget, model: str, weights: str = "") -> Entry:
        """Count an answer from now on. `weights` tells files of one model apart.

        Raises `BudgetTooSmall` where a budget of the day or the conversation is used up.
        """
        now = self._now()
        charge = self._battery() if self._config.low_battery else None
        limits, why = limits_now(self._config, charge)
        process = os.getpid()
        started = process_start(process) or ""
        origin = Origin(
            _random_name(), day_of(now), now, self.conversation, model, weights, process, started
        )
        shared = Limits() if self._over else limits
        entry = Entry(self.database, origin, one_answer(asked, limits), shared, why)
        self.database.write(settle_dead)
        for left in entry.start():
            if left.left <= 0:
                raise BudgetTooSmall(left.say(now))
            if left.left < NEARLY * left.limit:
                self._notice(left.note())
        return entry

    def explain(self, error: BudgetTooSmall, entry: Entry) -> BudgetTooSmall:
        """The error, and which budget made this answer's too small, where one did."""
        return entry.explain(error, self._now())

    def close(self) -> None:
        """Close the file; the next answer opens it again."""
        self.database.close()


def settle_dead(connection: sqlite3.Connection) -> None:
    """Mark the unfinished answers of processes that died. What they last noted stays counted.

    Should a process be taken for dead that lives (in another container), it settles its answer
    itself later on: the row is the same.
    """
    query = "SELECT DISTINCT process, process_start FROM answers WHERE finish IS NULL"
    for process, started in connection.execute(query).fetchall():
        if not isinstance(process, int) or process_start(process) != started:
            connection.execute(
                "UPDATE answers SET finish = ? "
                "WHERE finish IS NULL AND process = ? AND process_start = ?",
                (KILLED, process, started),
            )
