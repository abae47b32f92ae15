"""Budgets of days, conversations and batteries; what a running answer's row counts for."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from edgemind.budget import Cost
from edgemind.config import BelowBattery, BudgetTable, Config
from edgemind.errors import BudgetTooSmall
from edgemind.events import Finished
from edgemind.types import Budget, Spent
from edgemind.usage.entry import AHEAD_SECONDS, FIRST_WATTS
from edgemind.usage.limits import Left, day_of, duration, midnight
from tests.helpers import drain, finished, still_watchdog  # noqa: F401 (a fixture)
from tests.usage.helpers import NOON, Book, limited, mind_of

pytestmark = pytest.mark.usefixtures("still_watchdog")


@pytest.fixture
def book(tmp_path: Path) -> Book:
    return Book(tmp_path)


def test_an_answer_is_one_row_without_any_text(book: Book) -> None:
    with mind_of(book.usage(), "## QXZW", seconds=0.25, watts=4.0) as mind:
        answer = mind.ask("What is the SECRET?", strategy="direct")
    [row] = book.rows()
    assert (row.model, row.route, row.samples, row.finish) == ("scripted", "direct", 1, "stop")
    assert (row.seconds, row.joules) == (answer.spent.seconds, answer.spent.joules)
    assert (row.seconds, row.joules) == pytest.approx((2.0, 8.0))
    assert (row.tokens, row.prompt_tokens) == (answer.spent.tokens, answer.spent.prompt_tokens)
    assert row.energy_source == "measured:fake"
    assert (row.started, row.day) == (NOON, day_of(NOON))
    written = b"".join(path.read_bytes() for path in book.folder.iterdir())
    for text in (b"SECRET", b"QXZW", b"What is"):
        assert text not in written


def test_nothing_is_written_unless_asked(tmp_path: Path, home: Path) -> None:
    from tests.helpers import engine_of, scripted_mind

    with scripted_mind(engine_of("#### 4")) as mind:
        mind.ask("2+2?")
    assert [path for path in home.rglob("*") if path.is_file()] == []


def test_a_day_is_kept_and_renews(book: Book) -> None:
    book.config = limited(joules_per_day=100)
    book.spend(1, 60)
    usage = book.usage()
    entry = usage.begin(Budget(), "m")
    assert entry.budget == Budget(joules=40)
    entry.settle(Spent(joules=40.0), None)
    with pytest.raises(BudgetTooSmall) as caught:
        usage.begin(Budget(), "m")
    assert str(caught.value) == (
        f"today's budget of 100 J is used up; it renews at midnight, in "
        f"{duration(midnight(NOON) - NOON)}; to go on at once: --over-budget, or a larger "
        "joules_per_day in config.toml"
    )
    assert len(book.rows()) == 2  # who was refused, spent nothing
    assert book.usage(over=True).begin(Budget(), "m").budget == Budget()
    book.now = midnight(NOON) + 1
    assert book.usage().begin(Budget(), "m").budget == Budget(joules=100)


def test_the_smaller_limit_holds(book: Book) -> None:
    book.config = limited(seconds_per_day=50, joules_per_day=100, seconds=20, tokens=30)
    begin = book.usage().begin
    assert begin(Budget(), "m").budget == Budget(20, 100, 30)
    # The first one runs already, and may have spent 10 J until it is noted again.
    assert begin(Budget(seconds=5, joules=1000, tokens=9), "m").budget == Budget(5, 90, 9)


def test_conversations_have_budgets_of_their_own(book: Book) -> None:
    book.config = limited(joules_per_conversation=50)
    usage, other = book.usage(), book.usage()
    usage.begin(Budget(), "m").settle(Spent(joules=50.0), None)
    with pytest.raises(
        BudgetTooSmall, match="this conversation's budget of 50 J is used up; a new"
    ):
        usage.begin(Budget(), "m")
    assert other.begin(Budget(), "m").budget == Budget(joules=50)
    usage.conversation = "another"
    assert usage.begin(Budget(), "m").budget == Budget(joules=50)


def test_a_low_battery(book: Book) -> None:
    low = BelowBattery(percent=20, joules=5, joules_per_day=60)
    book.config = Config(budget=BudgetTable(joules=30, joules_per_day=1000, below_battery=low))
    book.spend(1, 100)
    for charge in (None, 20.0, 80.0):  # not draining, or not below
        book.charge = charge
        entry = book.usage().begin(Budget(), "m")
        assert entry.budget == Budget(joules=30)
        entry.settle(Spent(), None)
    book.charge = 19.9
    with pytest.raises(BudgetTooSmall, match=r"60 J \(the battery is below 20 %\) is used up"):
        book.usage().begin(Budget(), "m")
    assert book.usage(over=True).begin(Budget(), "m").budget == Budget(joules=5)
    assert book.usage(over=True).begin(Budget(joules=9), "m").budget == Budget(joules=9)


def test_little_left_is_said_before_it_is_gone(book: Book) -> None:
    book.config = limited(joules_per_day=1000)
    book.spend(1, 890)
    book.usage().begin(Budget(), "m").settle(Spent(joules=20.0), None)
    assert book.hints == []
    book.usage().begin(Budget(), "m")
    assert book.hints == ["90 J are left of today's 1,000 J"]


def test_an_answer_is_cut_at_what_the_day_has_left(book: Book) -> None:
    book.config = limited(joules_per_day=100)
    book.spend(1, 80)
    with mind_of(book.usage(), "x" * 500, seconds=0.1) as mind:
        answer = mind.ask("Go on", strategy="direct")
    assert answer.finish == "budget"
    assert answer.budget == Budget(joules=20)
    assert 5 < answer.spent.joules <= 20
    assert sum(row.joules for row in book.rows()) <= 100


def test_too_little_left_for_a_word_says_why(book: Book) -> None:
    book.config = limited(joules_per_day=100)
    book.spend(1, 99.5)
    with mind_of(book.usage(), "x" * 50) as mind:
        mind._learning.costs.observe_step(1, 1.0)
        events = mind.stream("Go on", strategy="direct")
        next(events)
        mind._engine.interrupt()  # as the watchdog does when the limit comes
        original = mind._engine.resume
        mind._engine.resume = lambda: None  # type: ignore[method-assign]
        with pytest.raises(BudgetTooSmall, match=r"0\.5 J left, too few; it renews at midnight"):
            drain(events)
        mind._engine.resume = original  # type: ignore[method-assign]
    assert [row.finish for row in book.rows()] == ["unfinished", "unfinished"]


def test_a_running_answer_counts_ahead(book: Book) -> None:
    usage = book.usage()
    entry = usage.begin(Budget(), "m")
    [row] = book.rows()
    assert (row.finish, row.seconds, row.joules) == (
        "running",
        AHEAD_SECONDS,
        AHEAD_SECONDS * FIRST_WATTS,
    )
    entry.expect(Cost(0.5, 100.0))  # no longer than what is claimed anyway
    assert book.rows() == [row]
    entry.expect(Cost(30.0, 100.0))
    [row] = book.rows()
    assert (row.seconds, row.joules) == (30.0 + AHEAD_SECONDS, 100.0 + AHEAD_SECONDS * FIRST_WATTS)
    entry.settle(Spent(2.0, 3.0, 4, 5), None)
    [row] = book.rows()
    assert (row.seconds, row.joules, row.tokens, row.prompt_tokens) == (2.0, 3.0, 4, 5)


def test_notes_follow_a_running_answer(book: Book) -> None:
    usage = book.usage()
    seen = []

    def look(_: int) -> None:
        [row] = book.rows()
        seen.append((row.tokens, row.seconds, row.joules))

    with mind_of(usage, "x" * 8, on_step=look, seconds=0.3, watts=2.0) as mind:
        mind.ask("Go on", strategy="direct")
    tokens = [each[0] for each in seen]
    assert tokens == [0, 0, 2, 2, 4, 4, 6, 6, 8]
    for number, (_, seconds, joules) in enumerate(seen):
        assert number * 0.3 <= seconds <= number * 0.3 + AHEAD_SECONDS + 1e-9
        assert joules >= number * 0.6


def test_two_processes_do_not_spend_the_same_joule(book: Book) -> None:
    """Each as fast as it can: the day's budget holds for both together."""
    book.config = limited(joules_per_day=200)
    first = mind_of(book.usage(), "x" * 900, seconds=0.25, watts=8.0)
    second = mind_of(book.usage(), "y" * 900, seconds=0.25, watts=8.0)
    streams = [mind.stream("Go on", strategy="direct") for mind in (first, second)]
    answers = []
    while streams:
        for stream in list(streams):
            event = next(stream)
            if isinstance(event, Finished):
                answers.append(event.answer)
                streams.remove(stream)
        assert sum(row.joules for row in book.rows()) <= 200 + 1e-6
    assert [answer.finish for answer in answers] == ["budget", "budget"]
    assert 150 < sum(answer.spent.joules for answer in answers) <= 200
    for mind in (first, second):
        mind.close()


def test_what_ends_early_counts_for_what_it_was(book: Book) -> None:
    with mind_of(book.usage(), "x" * 50) as mind:
        events = mind.stream("Go on", strategy="direct")
        for _ in range(6):
            next(events)
        events.close()
        [row] = book.rows()
        assert (row.finish, row.seconds) == ("unfinished", float(row.tokens))
        assert 2 <= row.tokens <= 6
        assert mind.ask("Go on", strategy="direct").finish == "stop"
    assert sorted(row.finish for row in book.rows()) == ["stop", "unfinished"]


def test_a_stopped_answer(book: Book) -> None:
    with mind_of(book.usage(), "x" * 50) as mind:
        events = mind.stream("Go on", strategy="direct")
        for _ in range(6):
            next(events)
        mind.stop()
        answer = finished(drain(events)[0])
    [row] = book.rows()
    assert (row.finish, row.seconds) == (answer.finish, answer.spent.seconds)
    assert row.finish == "interrupted"


DYING = """
import os, sys
from pathlib import Path
from edgemind.types import Budget
from edgemind.usage.account import Usage
Usage(Path(sys.argv[1])).begin(Budget(), "m")
os.kill(os.getpid(), 9)
"""


def test_an_answer_whose_process_died(book: Book) -> None:
    living = book.usage()
    mine = living.begin(Budget(), "m")
    done = subprocess.run([sys.executable, "-c", DYING, str(book.path)], check=False)
    assert done.returncode == -9
    book.now = time.time()
    rows = {row.finish: row for row in book.rows()}
    assert rows.keys() == {"killed", "running"}
    assert rows["killed"].seconds == AHEAD_SECONDS
    mine.settle(Spent(1.5, 2.5, 3, 4), None)
    assert sorted(row.finish for row in book.rows()) == ["killed", "unfinished"]


def test_a_living_process_taken_for_dead_settles_itself(book: Book) -> None:
    usage = book.usage()
    entry = usage.begin(Budget(), "m")
    usage.database.write(lambda c: c.execute("UPDATE answers SET process_start = 'long ago'"))
    [row] = book.rows()
    assert row.finish == "killed"
    entry.settle(Spent(7.0, 8.0, 9, 10), None)
    [row] = book.rows()
    assert (row.finish, row.seconds) == ("unfinished", 7.0)


def test_days_are_local(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        for zone, day, hours in (
            ("UTC0", "2026-03-29", 24.0 - 0.5),
            # Half an hour after midnight UTC; the clocks of Berlin go forward this night.
            ("CET-1CEST,M3.5.0,M10.5.0/3", "2026-03-29", 23.0 - 1.5),
            ("PST8", "2026-03-28", 8.0 - 0.5),
        ):
            monkeypatch.setenv("TZ", zone)
            time.tzset()
            now = 1774744200.0
            assert day_of(now) == day
            assert midnight(now) - now == hours * 3600
    finally:
        monkeypatch.undo()
        time.tzset()


def test_words() -> None:
    assert [duration(each) for each in (1, 61, 3600, 18_719)] == [
        "1 min",
        "2 min",
        "1 h 0 min",
        "5 h 12 min",
    ]
    left = Left("seconds_per_conversation", 2000.0, 0.25)
    assert left.say(NOON).startswith(
        "this conversation's budget of 2,000 s has 0.2 s left, too few"
    )


def test_the_owner_of_an_answer_is_found() -> None:
    from edgemind.usage.owner import process_start

    assert process_start(os.getpid())
    assert process_start(os.getpid()) == process_start(os.getpid())
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    assert process_start(child.pid) is None
