"""Reads the record and sums it up: by day, by model, predicted against actual. Reached from the
command `edgemind usage`.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edgemind.database_file import check_whole
from edgemind.usage.account import settle_dead
from edgemind.usage.database import Database
from edgemind.usage.limits import day_of

RUNNING = "running"


@dataclass(frozen=True, slots=True)
class Row:
    """One answer. `started` is in seconds since 1970, `day` the local date of that.

    The predictions are quantiles of what was expected before the first token, None where nothing
    was. `finish` is that of `Answer`, or `killed`, `unfinished`, `running`.
    """

    started: float
    day: str
    conversation: str
    model: str
    weights: str
    route: str | None
    samples: int | None
    tokens: int
    prompt_tokens: int
    seconds: float
    joules: float
    energy_source: str
    finish: str
    predicted_seconds_p5: float | None
    predicted_seconds_p50: float | None
    predicted_seconds_p95: float | None
    predicted_joules_p5: float | None
    predicted_joules_p50: float | None
    predicted_joules_p95: float | None


COLUMNS = [each.name for each in dataclasses.fields(Row)]


@dataclass(frozen=True, slots=True)
class Sum:
    """What some answers took together; `energy_source` is theirs, or `mixed`."""

    name: str
    answers: int
    tokens: int
    seconds: float
    joules: float
    energy_source: str


@dataclass(frozen=True, slots=True)
class Predicted:
    """How many answers had a prediction, and the share inside its interval of 90 %."""

    answers: int
    seconds_inside: float
    joules_inside: float


@dataclass(frozen=True, slots=True)
class Report:
    """Answers of the last `days` days (None: of all), and their sums. Every day has one."""

    days: int | None
    rows: tuple[Row, ...]
    today: Sum
    whole: Sum
    by_day: tuple[Sum, ...]
    by_model: tuple[Sum, ...]
    predicted: Predicted | None

    def to_json(self) -> str:
        """All of it as one JSON object."""
        return json.dumps(dataclasses.asdict(self), indent=2, ensure_ascii=False)

    def to_csv(self) -> str:
        """The answers, a line each under a header; times with their offset from UTC."""
        text = io.StringIO()
        table = csv.writer(text, lineterminator="\n")
        table.writerow(COLUMNS)
        for row in self.rows:
            started = time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(row.started))
            table.writerow([started, *(getattr(row, column) for column in COLUMNS[1:])])
        return text.getvalue()


def read(database: Database, now: float, days: int | None) -> Report:
    """The report of the last `days` days, today included; None for all there are."""
    first = "" if days is None else day_of(now, days - 1)

    def work(connection: sqlite3.Connection) -> list[Row]:
        check_whole(connection)
        settle_dead(connection)
        # The text columns of a damaged file may hold anything: replaced, not raised.
        connection.text_factory = lambda data: data.decode(errors="replace")
        query = f"SELECT {', '.join(COLUMNS)} FROM answers WHERE day >= ? ORDER BY started, id"
        rows = [Row(*values) for values in connection.execute(query, (first,))]
        return [row if row.finish else dataclasses.replace(row, finish=RUNNING) for row in rows]

    return summed(database.write(work), now, days)


def summed(rows: Sequence[Row], now: float, days: int | None) -> Report:
    """The report of these answers."""
    today = day_of(now)
    if days is not None:
        names = [day_of(now, ago) for ago in range(days - 1, -1, -1)]
    else:
        names = sorted({row.day for row in rows} | {today})
    models = sorted({(row.model, row.weights) for row in rows})
    twice = [model for model, _ in models]
    by_model = [
        add(
            f"{model} ({weights})" if twice.count(model) > 1 else model,
            rows,
            lambda row, key=(model, weights): (row.model, row.weights) == key,  # type: ignore[misc]
        )
        for model, weights in models
    ]
    return Report(
        days,
        tuple(rows),
        add("today", rows, lambda row: row.day == today),
        add("all" if days is None else f"last {days} days", rows, lambda row: True),
        tuple(add(name, rows, lambda row, name=name: row.day == name) for name in names),  # type: ignore[misc]
        tuple(sorted(by_model, key=lambda each: -each.joules)),
        predicted(rows),
    )


def add(name: str, rows: Sequence[Row], belongs: Callable[[Row], bool]) -> Sum:
    """The sum of those rows that belong to it."""
    own = [row for row in rows if belongs(row)]
    sources = sorted({row.energy_source for row in own})
    return Sum(
        name,
        len(own),
        sum(row.tokens for row in own),
        sum(row.seconds for row in own),
        sum(row.joules for row in own),
        sources[0] if len(sources) == 1 else "mixed" if sources else "",
    )


def predicted(rows: Sequence[Row]) -> Predicted | None:
    """How often what came lay between the 5 % and the 95 % quantile; None without predictions."""
    seconds = [
        row.predicted_seconds_p5 <= row.seconds <= row.predicted_seconds_p95
        for row in rows
        if row.predicted_seconds_p5 is not None and row.predicted_seconds_p95 is not None
    ]
    joules = [
        row.predicted_joules_p5 <= row.joules <= row.predicted_joules_p95
        for row in rows
        if row.predicted_joules_p5 is not None and row.predicted_joules_p95 is not None
    ]
    if not seconds or not joules:
        return None
    return Predicted(len(seconds), sum(seconds) / len(seconds), sum(joules) / len(joules))
