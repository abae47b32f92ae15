"""Conversations at rest: kept in order, found again, and gone to the last byte once cleared."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from edgemind.errors import ConfigError, EdgemindError
from edgemind.history import FILE, History, new_conversation
from edgemind.types import Message

SECRET = "the-goose-is-in-the-cellar"
TURN = (Message("user", f"Where? {SECRET}"), Message("assistant", f"{SECRET}!", f"Hm, {SECRET}"))


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
