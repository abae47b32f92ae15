"""Sums of the record, and its exports."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass, replace
from pathlib import Path

from edgemind.types import Answer, Budget, Route, Spent
from edgemind.usage.limits import day_of
from edgemind.usage.report import COLUMNS, Report, read
from tests.usage.helpers import NOON, Book

DAY = 86_400


@dataclass(frozen=True, slots=True)
class Quantiles:
    p5: float
    p50: float
    p90: float
    p95: float


@dataclass(frozen=True, slots=True)
class Prediction:
    seconds: Quantiles
    joules: Quantiles


@dataclass(frozen=True, slots=True)
class PredictedAnswer(Answer):
    """An answer that says what it was expected to cost."""

    predicted: Prediction | None = None


def answer(spent: Spent, predicted: Prediction | None = None) -> Answer:
    route = Route("vote", 8, "hard", 0.5)
    done = PredictedAnswer(
        "t", "a", "", 1.0, 1.0, route, 4, spent, Budget(), "stop", 1, "m", predicted=predicted
    )
    return done


def report(book: Book, days: int | None = 7) -> Report:
    usage = book.usage()
    try:
        return read(usage.database, book.now, days)
    finally:
        usage.close()


def filled(folder: Path) -> Book:
    """Two models over some days."""
    book = Book(folder)
    for ago, model, joules in ((30, "a", 1.0), (6, "a", 2.0), (1, "b", 4.0), (0, "a", 8.0)):
        book.now = NOON - ago * DAY
        book.spend(1.5, joules, model, tokens=10)
    book.now = NOON
    return book


def test_days_and_models(tmp_path: Path) -> None:
    found = report(filled(tmp_path))
    assert (found.today.answers, found.today.joules) == (1, 8.0)
    assert (found.whole.name, found.whole.answers, found.whole.joules) == ("last 7 days", 3, 14.0)
    assert (found.whole.tokens, found.whole.seconds) == (30, 4.5)
    assert [(each.name, each.joules) for each in found.by_model] == [("a", 10.0), ("b", 4.0)]
    assert [each.name for each in found.by_day] == [day_of(NOON, ago) for ago in range(6, -1, -1)]
    assert [each.joules for each in found.by_day] == [2, 0, 0, 0, 0, 4, 8]
    everything = report(filled(tmp_path / "again"), None)
    assert (everything.whole.name, everything.whole.answers) == ("all", 4)
    assert found.predicted is None


def test_files_of_one_model_are_told_apart(tmp_path: Path) -> None:
    book = Book(tmp_path)
    usage = book.usage()
    for weights in ("q4", "q8"):
        usage.begin(Budget(), "m", weights).settle(Spent(1.0, 1.0, 1), None)
    usage.close()
    assert sorted(each.name for each in report(book).by_model) == ["m (q4)", "m (q8)"]


def test_predictions_beside_what_came(tmp_path: Path) -> None:
    book = Book(tmp_path)
    usage = book.usage()
    expected = Prediction(Quantiles(1.0, 2.0, 3.0, 4.0), Quantiles(10.0, 20.0, 30.0, 40.0))
    for seconds, joules in ((1.0, 9.0), (3.0, 40.0), (4.5, 41.0), (2.0, 20.0)):
        spent = Spent(seconds, joules, 1)
        usage.begin(Budget(), "m").settle(spent, answer(spent, expected))
    plain = Spent(9.0, 9.0, 1, energy_source="measured:rapl")
    usage.begin(Budget(), "m").settle(plain, answer(plain))
    usage.close()
    found = report(book)
    assert found.predicted is not None
    assert found.predicted.answers == 4
    assert (found.predicted.seconds_inside, found.predicted.joules_inside) == (0.75, 0.5)
    row = next(row for row in found.rows if row.seconds == 3.0)
    assert (row.predicted_seconds_p50, row.predicted_joules_p95) == (2.0, 40.0)
    assert (row.route, row.samples, row.finish) == ("vote", 4, "stop")
    assert found.whole.energy_source == "mixed"


def test_exports_hold_every_answer(tmp_path: Path) -> None:
    found = report(filled(tmp_path), None)
    lines = list(csv.DictReader(io.StringIO(found.to_csv())))
    assert list(lines[0]) == COLUMNS
    assert [float(line["joules"]) for line in lines] == [1.0, 2.0, 4.0, 8.0]
    assert lines[-1]["started"].startswith(day_of(NOON))
    values = json.loads(found.to_json())
    assert [row["joules"] for row in values["rows"]] == [1.0, 2.0, 4.0, 8.0]
    assert values["whole"]["joules"] == 15.0
    assert replace(found, rows=()).to_csv().count("\n") == 1
