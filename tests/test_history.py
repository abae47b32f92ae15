"""Conversations at rest: kept in order, found again, and gone to the last byte once cleared."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from edgemind.errors import ConfigError, EdgemindError
from edgemind.history import FILE, History, new_conversation
from edgemind.history_schema import KIND
from edgemind.receipts import Receipt
from edgemind.types import Budget, Message

SECRET = "the-goose-is-in-the-cellar"
TURN = (Message("user", f"Where? {SECRET}"), Message("assistant", f"{SECRET}!", f"Hm, {SECRET}"))
RECEIPT = Receipt(
    route="refine(vote of 8)",
    samples=7,
    tokens=321,
    seconds=1.25,
    joules=9.75,
    energy_source="measured:rapl",
    confidence=0.875,
    agreement=0.75,
    finish="budget",
    budget=Budget(seconds=2.5, tokens=500),
)


@pytest.fixture
def warned() -> list[str]:
    return []


@pytest.fixture
def history(tmp_path: Path, warned: list[str]) -> Iterator[History]:
    seconds = count(1000)
    made = History(tmp_path / FILE, now=lambda: next(seconds), warn=warned.append)
    yield made
    made.close()


def bytes_of(folder: Path) -> bytes:
    """All bytes in all files of a folder."""
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_a_conversation_is_kept_in_its_order(history: History, warned: list[str]) -> None:
    a, b = new_conversation(), new_conversation()
    history.add(a, "m", [Message("system", "Be brief."), *TURN])
    history.add(b, "m2", [Message("user", "Hi \ud800"), Message("assistant", "")])
    history.add(a, "m", TURN)
    assert history.chat(a) == (Message("system", "Be brief."), *TURN, *TURN)
    assert history.chat(b)[0].content == "Hi ?"
    first, last = history.conversations()
    assert (first.id, first.model, first.messages, first.first) == (b, "m2", 2, "Hi ?")
    assert (last.id, last.messages, last.first, last.started, last.ended) == (
        a, 5, TURN[0].content, 1000, 1002
    )  # fmt: skip
    assert warned == []


def test_only_its_owner_reads_it(history: History, tmp_path: Path) -> None:
    (tmp_path / FILE).parent.mkdir(mode=0o755)
    history.add("a", "m", TURN)
    assert (tmp_path / FILE).parent.stat().st_mode & 0o777 == 0o700
    files = [*(tmp_path / FILE).parent.iterdir()]
    assert {file.name for file in files} >= {"history.sqlite", "history.sqlite-wal"}
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


def test_what_is_cleared_is_gone_from_every_file(history: History, tmp_path: Path) -> None:
    for number in range(200):
        history.add(f"c{number:04}", "m", TURN)
    assert SECRET.encode() in bytes_of(tmp_path)
    assert history.clear("c0003") == 1
    assert len(history.conversations()) == 199
    assert history.clear() == 199
    assert history.conversations() == []
    assert SECRET.encode() not in bytes_of(tmp_path)
    history.close()
    assert SECRET.encode() not in bytes_of(tmp_path)
    assert history.clear() == 0


def test_one_of_two_is_cleared_to_the_last_byte(history: History, tmp_path: Path) -> None:
    history.add("other", "m", [Message("user", "stays")])
    history.add("this", "m", TURN * 50)
    history.clear("this")
    assert SECRET.encode() not in bytes_of(tmp_path)
    assert b"stays" in bytes_of(tmp_path)
    assert history.chat("other") == (Message("user", "stays"),)


def test_without_scrubbing_it_would_not_be_gone(history: History, tmp_path: Path) -> None:
    """So the tests above do look where bytes stay behind."""
    history.add("a", "m", TURN)
    history._file.write(lambda connection: connection.execute("DELETE FROM messages"))
    assert SECRET.encode() in bytes_of(tmp_path)


def test_a_damaged_file_is_cleared_too(history: History, tmp_path: Path, warned: list[str]) -> None:
    path = tmp_path / FILE
    path.parent.mkdir(parents=True)
    path.write_bytes(SECRET.encode() * 500)
    history.add("a", "m", [Message("user", "Hi")])
    [line] = warned
    assert "was damaged: it was moved to history.damaged-" in line
    assert SECRET.encode() in bytes_of(tmp_path)
    history.clear()
    assert SECRET.encode() not in bytes_of(tmp_path)


def test_who_reads_just_now_is_waited_for_and_told(
    history: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edgemind.database.WAIT_SECONDS", 0.05)
    history.add("a", "m", TURN)
    reader = sqlite3.connect(tmp_path / FILE)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM messages").fetchone()
    with pytest.raises(EdgemindError, match="clear once more"):
        history.clear()
    reader.close()
    history.clear()
    assert SECRET.encode() not in bytes_of(tmp_path)


def test_names(history: History) -> None:
    with pytest.raises(ConfigError, match="no conversation is kept"):
        history.find(None)
    history.add("abcd1", "m", TURN)
    history.add("abcd2", "m", TURN)
    assert history.find(None) == "abcd2"
    assert history.find("abcd1") == "abcd1"
    for name, told in (("abcd", "2 conv"), ("zzzz", "0 conv"), ("a", "too many")):
        with pytest.raises(ConfigError, match=told):
            history.find(name)


def test_reading_makes_no_file(history: History, tmp_path: Path) -> None:
    assert history.conversations() == []
    assert history.clear() == 0
    assert [*tmp_path.iterdir()] == []


def test_where_nothing_can_be_written(tmp_path: Path, warned: list[str]) -> None:
    (tmp_path / "file").touch()
    history = History(tmp_path / "file" / FILE, warn=warned.append)
    history.add("a", "m", TURN)
    [line] = warned
    assert line.endswith("what is said now is not kept")
    history.close()


def test_two_processes_write_at_once(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from edgemind.history import History\n"
        "from edgemind.types import Message\n"
        "for n in range(30): History(Path(sys.argv[1])).add('a', 'm', [Message('user', str(n))])"
    )
    both = [
        subprocess.Popen([sys.executable, "-c", script, str(tmp_path / FILE)]) for _ in range(2)
    ]
    assert [one.wait(60) for one in both] == [0, 0]
    history = History(tmp_path / FILE)
    said = sorted(int(one.content) for one in history.chat("a"))
    assert said == sorted([*range(30), *range(30)])
    history.close()


# Receipts


def test_an_answers_receipt_is_kept(history: History) -> None:
    later = replace(RECEIPT, route="direct", finish="stop", budget=Budget())
    history.add("a", "m", [Message("system", "S"), *TURN, *TURN], receipts=[RECEIPT, None])
    history.add("a", "m", TURN, receipts=[later])
    history.add("a", "m", TURN)
    kept = [one.receipt for one in history.said("a") if one.message.role == "assistant"]
    assert kept == [RECEIPT, None, later, None]
    assert all(one.receipt is None for one in history.said("a") if one.message.role != "assistant")


def test_receipts_go_with_their_answers(history: History, tmp_path: Path) -> None:
    receipt = replace(RECEIPT, energy_source=f"measured:{SECRET}")
    words = (Message("user", "Where?"), Message("assistant", "There."))
    history.add("other", "m", words)
    history.add("this", "m", words, receipts=[receipt])
    assert SECRET.encode() in bytes_of(tmp_path)
    history.clear("this")
    assert SECRET.encode() not in bytes_of(tmp_path)
    history.add("this", "m", words * 2, receipts=[receipt, RECEIPT])
    history.take_back("this", [0, 1])
    assert [one.receipt for one in history.said("this")] == [None, RECEIPT]
    history.clear()
    assert SECRET.encode() not in bytes_of(tmp_path)


@pytest.mark.parametrize(
    "text",
    ["{", "[]", "null", "[" * 5000, "{}", RECEIPT.to_json().replace("321", "1e400"),
     RECEIPT.to_json().replace("321", "9" * 400), RECEIPT.to_json().replace("321", "true"),
     RECEIPT.to_json().replace("0.75", "NaN"), RECEIPT.to_json().replace('"budget"', '"x"', 1),
     RECEIPT.to_json().replace("2.5", '"2.5"')],
)  # fmt: skip
def test_a_receipt_that_is_damaged_costs_no_message(
    history: History, warned: list[str], text: str
) -> None:
    history.add("a", "m", TURN, receipts=[RECEIPT])
    history._file.write(
        lambda one: one.execute("UPDATE messages SET receipt = ? WHERE receipt NOT NULL", (text,))
    )
    assert [one.receipt for one in history.said("a")] == [None, None]
    assert history.chat("a") == TURN and warned == []


# Searching


def excerpts(history: History, text: str) -> list[str]:
    """What is found, with the words between brackets."""
    found = []
    for hit in history.search(text):
        line = hit.excerpt
        for start, end in reversed(hit.marks):
            line = f"{line[:start]}[{line[start:end]}]{line[end:]}"
        found.append(line)
    return found


@pytest.fixture
def talks(history: History) -> History:
    history.add(
        "a", "m", [Message("user", "Where is the Goose?"), Message("assistant", "Über  ü.")]
    )
    history.add(
        "b", "m2", [Message("user", "A goose\nand a duck"), Message("assistant", "日本語です")]
    )
    return history


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("goose", ["Where is the [Goose]?", "A [goose] and a duck"]),
        ("GOO", ["Where is the [Goose]?", "A [goose] and a duck"]),
        ("duck goose", ["A [goose] and a [duck]"]),
        ("uber", ["[Über] ü."]),
        ("oose", ["Where is the G[oose]?", "A g[oose] and a duck"]),
        ("本語", ["日[本語]です"]),
        ("swan", []),
        ("goose swan", []),
        ("the?", ["Where is [the] Goose?"]),
    ],
)
def test_search(talks: History, text: str, found: list[str]) -> None:
    assert excerpts(talks, text) == found


def test_a_hit_says_where_it_stands(talks: History) -> None:
    [hit] = talks.search("duck")
    assert (hit.conversation, hit.number, hit.at, hit.model, hit.role) == (
        "b",
        0,
        1001,
        "m2",
        "user",
    )
    talks.add("a", "m", [Message("user", "another duck")])
    assert [one.conversation for one in talks.search("duck")] == ["b", "a"], "the index goes on"
    assert [one.conversation for one in talks.search("duck", most=1)] == ["a"], "the latest"
    talks.clear("b")
    assert [one.conversation for one in talks.search("duck")] == ["a"]


@pytest.mark.parametrize(
    "text",
    ['"', '""', "goose OR", "NEAR(", "content:goose", "^goose", "-goose", "goose*", "(", "a NOT",
     "{content}: x", "'", ";", "\\", "%", "_", "*", "\x00goose", "\ud800", "w " * 5000,
     " ".join(f"w{n}" for n in range(3000)), "x" * 100_000],
)  # fmt: skip
def test_no_text_breaks_the_search(talks: History, warned: list[str], text: str) -> None:
    talks.search(text)
    assert len(talks.search("goose")) == 2
    assert warned == []


@pytest.mark.parametrize("text", ["", "  ", "\n\x00"])
def test_a_search_for_nothing(history: History, text: str) -> None:
    with pytest.raises(ConfigError, match="search for what"):
        history.search(text)


def test_searching_makes_no_file(history: History, tmp_path: Path) -> None:
    assert history.search("goose") == []
    assert [*tmp_path.iterdir()] == []


def index_words(folder: Path) -> bool:
    """Whether a word of `SECRET` stands anywhere in the files."""
    return b"goose" in bytes_of(folder)


@pytest.mark.parametrize("name", ["this", None])
def test_what_is_cleared_is_gone_from_the_index(
    history: History, tmp_path: Path, name: str | None
) -> None:
    history.add("other", "m", [Message("user", "stays")])
    history.add("this", "m", TURN * 20)
    assert len(history.search("goose cellar")) == 40
    # Without the index being taken away the words would stay in it.
    history._file.write(
        lambda one: one.execute("UPDATE messages SET content = 'x', reasoning = 'x'")
    )
    assert history._file.scrub()
    assert index_words(tmp_path)
    history.clear(name)
    assert not index_words(tmp_path)
    assert [one.conversation for one in history.search("x")] == (["other"] if name else [])
    history.close()
    assert not index_words(tmp_path)


def unload_fts(history: History) -> None:
    """The index as a SQLite sees it that has no FTS5: made by a module that is not there."""

    def work(connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("UPDATE sqlite_schema SET sql = replace(sql, 'fts5', 'fts0')")
        connection.execute("PRAGMA writable_schema = RESET")

    history._file.write(work)
    history.close()


def test_without_fts5(
    talks: History, tmp_path: Path, warned: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    talks.search("goose")
    unload_fts(talks)
    monkeypatch.setattr("edgemind.history_search._CREATE", "CREATE VIRTUAL TABLE i USING fts0(x)")
    assert excerpts(talks, "goose") == ["Where is the [Goose]?", "A [goose] and a duck"]
    assert excerpts(talks, "GOO duck") == ["A [goo]se and a [duck]"]
    talks.clear()
    assert not index_words(tmp_path)
    assert warned == []


def test_an_index_of_another_sqlite_is_cleared(talks: History, tmp_path: Path) -> None:
    talks.search("goose")
    unload_fts(talks)
    talks.clear("a")
    talks.clear("b")
    assert not index_words(tmp_path)


def test_a_damaged_index_costs_no_message(talks: History, warned: list[str]) -> None:
    talks.search("goose")
    talks._file.write(lambda one: one.execute("UPDATE messages_index_data SET block = x'ffffffff'"))
    talks.close()
    assert len(talks.search("goose")) == 2
    assert len(talks.conversations()) == 2
    assert warned == []


# Taking back


def test_what_is_taken_back_is_gone(talks: History) -> None:
    assert [one.number for one in talks.said("a")] == [0, 1]
    assert talks.add("a", "m", TURN) == 2
    talks.search("cellar")
    assert talks.take_back("a", [0, 1])
    assert talks.chat("a") == TURN
    assert talks.add("a", "m", [Message("user", "more")]) == 4
    assert talks.search("where goose") != [] and talks.search("über") == []
    assert talks.take_back("a", [2, 3])
    assert not talks.take_back("a", [4])
    assert [one.id for one in talks.conversations()] == ["b"]


def test_instructions_alone_are_no_conversation(history: History) -> None:
    assert not history.take_back("a", [0])
    history.add("a", "m", [Message("system", "Be brief."), *TURN])
    assert not history.take_back("a", [1, 2])
    assert history.conversations() == []


def test_the_model_that_answered_last(history: History) -> None:
    history.add("a", "zulu", TURN, source="/models/zulu.gguf")
    history.add("a", "alpha", TURN)
    [one] = history.conversations()
    assert (one.model, one.source) == ("alpha", None)
    history.add("a", "zulu", TURN, source="/models/zulu.gguf")
    [one] = history.conversations()
    assert (one.model, one.source) == ("zulu", "/models/zulu.gguf")


# A file of the first version


def first_version(path: Path) -> None:
    path.parent.mkdir(parents=True)
    old = sqlite3.connect(path)
    old.execute(KIND.migrations[0])
    old.executemany(
        "INSERT INTO messages VALUES (?, ?, ?, 'm', ?, ?, NULL)",
        [
            ("b", 0, 2.0, "user", "later"),
            ("a", 0, 1.0, "user", "goose"),
            ("a", 1, 1.0, "tool", "x"),
        ],
    )
    old.execute(f"PRAGMA application_id = {KIND.application_id}")
    old.execute("PRAGMA user_version = 1")
    old.commit()
    old.close()


def test_an_older_file_is_taken_over(history: History, tmp_path: Path, warned: list[str]) -> None:
    first_version(tmp_path / FILE)
    assert [one.id for one in history.conversations()] == ["a", "b"]
    assert history.chat("a") == (Message("user", "goose"), Message("tool", "x"))
    assert history.add("a", "m", TURN) == 2
    assert len(history.search("goose")) == 3
    assert warned == []
    receipts = [one.receipt for one in history.said("a")]
    assert receipts == [None] * 4, "what was kept before there were any"


def second_version(path: Path) -> None:
    first_version(path)
    old = sqlite3.connect(path)
    for statement in KIND.migrations[1].split(";"):
        old.execute(statement)
    old.execute("UPDATE messages SET source = '/m.gguf', reasoning = 'hm' WHERE conversation = 'b'")
    old.execute("PRAGMA user_version = 2")
    old.commit()
    old.close()


def test_a_file_without_receipts_is_taken_over_whole(
    history: History, tmp_path: Path, warned: list[str]
) -> None:
    second_version(tmp_path / FILE)
    with closing(sqlite3.connect(tmp_path / FILE)) as old:
        before = old.execute("SELECT * FROM messages ORDER BY id").fetchall()
    history.add("a", "m", TURN, receipts=[RECEIPT])
    with closing(sqlite3.connect(tmp_path / FILE)) as new:
        after = new.execute("SELECT * FROM messages ORDER BY id").fetchall()
        assert new.execute("PRAGMA user_version").fetchone() == (3,)
    assert after[: len(before)] == [(*row, None) for row in before]
    assert [one.receipt for one in history.said("a")] == [None, None, None, RECEIPT]
    assert warned == []


def test_an_older_file_that_is_damaged(history: History, tmp_path: Path, warned: list[str]) -> None:
    first_version(tmp_path / FILE)
    broken = sqlite3.connect(tmp_path / FILE)
    broken.execute("CREATE VIEW numbered AS SELECT 1")  # so that it cannot be migrated
    broken.commit()
    broken.close()
    assert [one.id for one in history.conversations()] == ["a", "b"]
    [line] = warned
    assert "3 messages could be read back" in line
