"""One answer's row in the record, from before its first step to its end. Made by `account`.

While the answer runs, its row holds what it has spent and what it may spend until it is noted
again: a killed answer counts for that, and two processes cannot spend the same joule. At its end
the row holds what it did spend.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Generator
from dataclasses import dataclass, field, replace
from typing import TypeVar

from edgemind.budget import Cost, Ledger
from edgemind.config import Limits
from edgemind.database_file import Damaged
from edgemind.errors import BudgetTooSmall
from edgemind.events import Event
from edgemind.receipts import named
from edgemind.types import Answer, Budget, Spent
from edgemind.usage.database import Database
from edgemind.usage.limits import Amount, Left, least, smaller, whats_left

T = TypeVar("T")

NOTE_SECONDS = 0.5
"""How often a running answer is noted."""
AHEAD_SECONDS = 1.0
"""How much longer than at its last note an answer may have run before the next one."""
FIRST_WATTS = 10.0
"""Assumed before an answer has drawn anything."""
UNFINISHED = "unfinished"
"""How an answer ended that has no finish: by an error, or its stream was closed."""

PREDICTED = tuple(f"predicted_{unit}_p{q}" for unit in ("seconds", "joules") for q in (5, 50, 95))
FIRST = "id day started conversation model weights process process_start".split()
LATER = (
    *"seconds joules energy_source tokens prompt_tokens route samples finish".split(),
    *PREDICTED,
)
PUT = (
    f"INSERT INTO answers ({', '.join((*FIRST, *LATER))}) "
    f"VALUES ({', '.join(f':{column}' for column in (*FIRST, *LATER))}) "
    f"ON CONFLICT (id) DO UPDATE SET {', '.join(f'{each} = excluded.{each}' for each in LATER)}"
)
"""The whole row each time: it is there even if the file was replaced in the meantime."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What a row says of its answer from the start. `started` is in seconds since 1970."""

    id: str
    day: str
    started: float
    conversation: str
    model: str
    weights: str
    process: int
    process_start: str


@dataclass(slots=True)
class Entry:
    """A running answer in the record. `asked` is its own budget, `limits` are the shared ones.

    `budget` is what it may spend: no more than was asked for, and than is left. It may fall while
    others spend from the same day.
    """

    database: Database
    origin: Origin
    asked: Budget
    limits: Limits
    why: str = ""
    budget: Budget = field(init=False)
    _next_note: float = field(default=NOTE_SECONDS, init=False)

    def __post_init__(self) -> None:
        self.budget = self.asked

    def start(self) -> list[Left]:
        """Claim the first step. What is left of the shared budgets, which may be nothing."""

        def work(connection: sqlite3.Connection) -> list[Left]:
            lefts = self._lefts(connection)
            if all(left.left > 0 for left in lefts):
                self._claim(connection, Spent(), _ahead(Spent()))
            return lefts

        return self.database.write(work)

    def expect(self, cost: Cost) -> None:
        """A long step comes (a prompt is evaluated), in which nothing can be noted."""
        if cost.seconds > AHEAD_SECONDS:
            self.database.write(
                lambda connection: self._claim(connection, Spent(), cost + _ahead(Spent()))
            )

    def watch(self, events: Generator[Event, None, T], ledger: Ledger) -> Generator[Event, None, T]:
        """The same events; the answer is noted between them, and its ledger told what is left."""
        try:
            while True:
                try:
                    event = next(events)
                except StopIteration as stop:
                    result: T = stop.value
                    return result
                if ledger.elapsed() >= self._next_note:
                    self._note(ledger)
                yield event
        finally:
            events.close()

    def explain(self, error: BudgetTooSmall, now: float) -> BudgetTooSmall:
        """The error with the reason added where a shared budget made this one too small."""
        lefts = self.database.write(self._lefts)
        for unit in ("seconds", "joules"):
            left = least(lefts, unit)
            limit = getattr(self.asked, unit)
            if left is not None and (limit is None or left.left < limit):
                error.args = (f"{error}; {left.say(now)}",)
                break
        return error

    def settle(self, spent: Spent, answer: Answer | None) -> None:
        """The answer has ended, and this is what it took."""
        end = UNFINISHED if answer is None else answer.finish
        self.database.write(lambda connection: self._put(connection, spent, end, answer))

    def _note(self, ledger: Ledger) -> None:
        spent = ledger.spent()

        def work(connection: sqlite3.Connection) -> None:
            self._lefts(connection)
            self._claim(connection, spent, _ahead(spent))

        try:
            self.database.write(work, patient=False)
        except sqlite3.OperationalError:  # another process writes just now
            self._next_note = spent.seconds + NOTE_SECONDS / 10
            return
        self._next_note = spent.seconds + NOTE_SECONDS
        ledger.tighten(self.budget)

    def _lefts(self, connection: sqlite3.Connection) -> list[Left]:
        """What this answer may take of each shared budget; sets `budget` to it."""
        origin = self.origin
        day = total(connection, "day", origin.day, origin.id)
        conversation = total(connection, "conversation", origin.conversation, origin.id)
        lefts = list(whats_left(self.limits, self.why, day, conversation))
        self.budget = replace(
            self.asked,
            seconds=smaller(self.asked.seconds, least(lefts, "seconds")),
            joules=smaller(self.asked.joules, least(lefts, "joules")),
        )
        return lefts

    def _claim(self, connection: sqlite3.Connection, spent: Spent, ahead: Cost) -> None:
        """Note what was spent and what may be until the next note, at most the budget."""
        seconds = min(spent.seconds + ahead.seconds, self.budget.seconds or math.inf)
        joules = min(spent.joules + ahead.joules, self.budget.joules or math.inf)
        claimed = replace(
            spent, seconds=max(seconds, spent.seconds), joules=max(joules, spent.joules)
        )
        self._put(connection, claimed, None, None)

    def _put(
        self,
        connection: sqlite3.Connection,
        spent: Spent,
        finish: str | None,
        answer: Answer | None,
    ) -> None:
        origin = self.origin
        row = {column: getattr(origin, column) for column in FIRST}
        row |= {
            "seconds": float(spent.seconds),
            "joules": max(0.0, float(spent.joules)),
            "energy_source": spent.energy_source,
            "tokens": spent.tokens,
            "prompt_tokens": spent.prompt_tokens,
            "route": named(answer.route) if answer else None,
            "samples": answer.samples if answer else None,
            "finish": finish,
        } | predicted(answer)
        connection.execute(PUT, row)


def predicted(answer: Answer | None) -> dict[str, float | None]:
    """What the answer was expected to cost, where it says so: quantiles by column."""
    prediction = getattr(answer, "predicted", None)
    values: dict[str, float | None] = {}
    for column in PREDICTED:
        _, unit, quantile = column.split("_")
        value = getattr(getattr(prediction, unit, None), quantile, None)
        values[column] = None if value is None else float(value)
    return values


def total(connection: sqlite3.Connection, column: str, value: str, but: str = "") -> Amount:
    """What all answers whose `column` holds `value` took, but for the one called `but`."""
    query = f"SELECT total(seconds), total(joules) FROM answers WHERE {column} = ? AND id <> ?"
    seconds, joules = connection.execute(query, (value, but)).fetchone()
    if not (0 <= seconds < math.inf and 0 <= joules < math.inf):
        raise Damaged("sums that cannot be")  # SQLite did not notice
    return Amount(seconds, joules)


def _ahead(spent: Spent) -> Cost:
    """What an answer may spend until its next note, at the power that it has drawn so far."""
    watts = spent.joules / spent.seconds if spent.seconds > 0 else FIRST_WATTS
    return Cost(AHEAD_SECONDS, AHEAD_SECONDS * watts)
