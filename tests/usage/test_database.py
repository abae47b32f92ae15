"""The file itself: versions, damage, places that cannot be written, several processes."""

from __future__ import annotations

import random
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from edgemind.errors import BudgetTooSmall
from edgemind.types import Budget, Spent
from edgemind.usage.database import APPLICATION_ID, MIGRATIONS, Database
from tests.usage.helpers import Book, limited


@pytest.fixture
def book(tmp_path: Path) -> Book:
    return Book(tmp_path / "data")


def test_the_file_says_what_it_is(book: Book) -> None:
    book.spend(1, 2)
    connection = sqlite3.connect(book.path)
    assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
    assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()
    assert [path.name for path in book.folder.iterdir()] == ["usage.sqlite"]
    assert book.path.stat().st_mode & 0o777 == 0o600
    assert book.said == []


def test_a_migration_keeps_the_rows(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    book.spend(1, 2)
    more = (*MIGRATIONS, "ALTER TABLE answers ADD COLUMN mood TEXT")
    monkeypatch.setattr("edgemind.usage.database.MIGRATIONS", more)
    book.spend(3, 4)
    assert sorted(row.joules for row in book.rows()) == [2, 4]
    assert book.said == []


def test_a_newer_file_is_left_alone(book: Book) -> None:
    book.spend(1, 2)
    connection = sqlite3.connect(book.path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = book.path.read_bytes()
    book.spend(3, 4)
    assert book.path.read_bytes() == before
    [line] = book.said
    assert "a newer edgemind made it: update this one" in line and "for itself alone" in line


def test_another_programs_file_is_left_alone(book: Book) -> None:
    book.folder.mkdir()
    connection = sqlite3.connect(book.path)
    connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    before = book.path.read_bytes()
    book.spend(1, 2)
    assert book.path.read_bytes() == before
    assert ["not a file of edgemind's" in line for line in book.said] == [True]


@pytest.mark.parametrize("content", [b"not a database at all" * 100, b"\x00" * 5000, b"SQLite"])
def test_garbage_is_moved_aside(book: Book, content: bytes) -> None:
    book.folder.mkdir()
    book.path.write_bytes(content)
    book.spend(1, 2)
    [line] = book.said
    assert "was damaged: it was moved to usage.damaged-" in line and "\n" not in line
    assert [row.joules for row in book.rows()] == [2]
    [aside] = book.folder.glob("usage.damaged-*.sqlite")
    assert aside.read_bytes() == content
    assert len(book.said) == 1


def test_an_empty_file_is_a_new_one(book: Book) -> None:
    book.folder.mkdir()
    book.path.touch()
    book.spend(1, 2)
    assert (len(book.rows()), book.said) == (1, [])


def test_rows_of_a_damaged_file_are_read_back(book: Book) -> None:
    """Limits do not start from zero where the rest of the file can be read."""
    usage = book.usage()
    for number in range(400):
        usage.begin(Budget(), "m").settle(Spent(1.0, 1.0, number), None)
    usage.close()
    data = bytearray(book.path.read_bytes())
    middle = len(data) // 2 // 4096 * 4096
    data[middle : middle + 8192] = b"\xff" * 8192
    book.path.write_bytes(data)
    kept = book.rows()
    if book.said:  # the pages may have been an index's alone
        assert "answers could be read back" in book.said[0]
    assert 100 < len(kept) <= 400
    assert all(row.joules == 1.0 for row in kept)


def test_flipped_bytes_never_crash(book: Book) -> None:
    usage = book.usage()
    for number in range(40):
        usage.begin(Budget(), "model", "weights").settle(Spent(1.0, 2.0, number), None)
    usage.close()
    sound = book.path.read_bytes()
    healed = 0
    for seed in range(60):
        chance = random.Random(seed)
        data = bytearray(sound)
        for _ in range(chance.choice((1, 20, 400))):
            data[chance.randrange(100 if seed % 3 == 0 else len(data))] = chance.randrange(256)
        for path in book.folder.iterdir():
            path.unlink()
        book.path.write_bytes(data[: chance.choice((len(data), chance.randrange(len(data))))])
        book.said.clear()
        book.config = limited(joules_per_day=1e9)
        for _ in range(2):
            usage = book.usage()
            usage.begin(Budget(), "m").settle(Spent(1.0, 5.0, 1), None)
            usage.close()
        rows = book.rows()
        assert len(book.said) <= 3 and all("\n" not in line for line in book.said), book.said
        healed += any("moved to" in line for line in book.said)
        if not book.said:  # what is lost is said
            assert sum(row.joules == 5.0 for row in rows) == 2
    assert healed > 10


def test_damage_in_the_middle_of_an_answer(book: Book) -> None:
    usage = book.usage()
    entry = usage.begin(Budget(), "m")
    usage.close()
    book.path.write_bytes(b"no" * 5000)
    entry.settle(Spent(1.0, 2.0, 3, 4), None)
    usage.close()
    assert [row.joules for row in book.rows()] == [2]
    assert len(book.said) == 1


def test_a_file_that_another_process_has_replaced(book: Book) -> None:
    first = book.usage()
    entry = first.begin(Budget(), "m")
    for path in book.folder.iterdir():
        path.unlink()
    book.spend(1, 7)
    entry.settle(Spent(1.0, 2.0, 3, 4), None)
    first.close()
    assert sorted(row.joules for row in book.rows()) == [2, 7]


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    book = Book(tmp_path / "file" / "data", limited(joules_per_day=10))
    usage = book.usage()
    usage.begin(Budget(), "m").settle(Spent(joules=10.0), None)
    with pytest.raises(BudgetTooSmall):  # the limits hold all the same
        usage.begin(Budget(), "m")
    [line] = book.said
    assert line.startswith(f"{book.path} cannot be used (") and "for itself alone" in line


def test_a_full_disk(book: Book) -> None:
    usage = book.usage()
    entry = usage.begin(Budget(), "m")
    usage.database.write(lambda c: c.execute("PRAGMA max_page_count = 6"))

    def fill(connection: sqlite3.Connection) -> None:
        big = "x" * 100_000
        connection.execute("UPDATE answers SET model = ?", (big,))

    usage.database.write(fill)
    entry.settle(Spent(1.0, 2.0, 3, 4), None)
    assert ["database or disk is full" in line for line in book.said] == [True]
    usage.close()


def test_no_path_keeps_it_in_memory(tmp_path: Path) -> None:
    said: list[str] = []
    database = Database(None, said.append)
    database.write(lambda c: c.execute("DELETE FROM answers"))
    database.close()
    assert said == [] and list(tmp_path.iterdir()) == []


def test_a_mistake_of_ours_is_no_damage(book: Book) -> None:
    usage = book.usage()
    with pytest.raises(sqlite3.ProgrammingError):
        usage.database.write(lambda c: c.execute("SELECT ?", ()))
    usage.close()
    assert book.said == []


def test_many_at_once(book: Book) -> None:
    def one(_: int) -> None:
        usage = book.usage()
        for _ in range(10):
            usage.begin(Budget(), "m").settle(Spent(1.0, 1.0, 1), None)
        usage.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(one, range(4)))
    assert (len(book.rows()), book.said) == (40, [])
