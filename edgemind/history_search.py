"""Words in what was said: the full-text index of `edgemind.history`, in the same file.

The index (FTS5) keeps no text of its own: it points at the messages. A search brings it up to date,
and whatever removes messages takes it away whole, since an index forgets words only where it is
made anew. Where SQLite has no FTS5 the messages themselves are read.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from edgemind.errors import ConfigError
from edgemind.types import Role

INDEX = "messages_index"
_CREATE = (
    f"CREATE VIRTUAL TABLE IF NOT EXISTS {INDEX} USING fts5(content, content='messages', "
    "content_rowid='id', tokenize='unicode61 remove_diacritics 2')"
)
_PARTS = ("data", "idx", "docsize", "config")
"""FTS5's own tables behind the index."""
_COLUMNS = "conversation, number, at, model, role"
MOST_WORDS = 32
"""So many words are asked of the index; FTS5 takes no expression of any depth."""
EXCERPT_TOKENS = 16
EXCERPT_BEFORE, EXCERPT_CHARACTERS = 40, 120
_OPEN, _CLOSE = "\x02", "\x03"
_BROKEN = (sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT)


@dataclass(frozen=True, slots=True)
class Hit:
    """A message that was found. `at` is in seconds since 1970.

    `excerpt` is a piece of it in one line, `marks` are where in that the words stand (from, to).
    """

    conversation: str
    number: int
    at: float
    model: str
    role: Role
    excerpt: str
    marks: tuple[tuple[int, int], ...]


def search_words(text: str) -> list[str]:
    """What to search for; `ConfigError` where there is nothing."""
    words = re.sub(r"[\x00-\x1f\x7f]", " ", text.encode("utf-8", "replace").decode()).split()
    if not words:
        raise ConfigError("search for what? edgemind history search goose")
    return list(dict.fromkeys(words))


def find_messages(connection: sqlite3.Connection, words: Sequence[str], most: int) -> list[Hit]:
    """The latest `most` messages with all of these words, the latest last. In a transaction."""
    for _ in range(2):
        try:
            found = _indexed(connection, words, most)
            break
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode & 0xFF not in _BROKEN:
                raise
            # No FTS5 here, or a damaged index: it can be made anew, the messages are whole.
            drop_index(connection)
    else:
        found = []
    return found or _scanned(connection, words, most)


def drop_index(connection: sqlite3.Connection) -> None:
    """Take the index away, with every word that it holds. In a transaction."""
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema")}
    if INDEX not in tables:
        return
    try:
        connection.execute(f"DROP TABLE {INDEX}")
    except sqlite3.DatabaseError:
        # Damaged, or another Python made it, whose SQLite has FTS5.
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("DELETE FROM sqlite_schema WHERE name = ?", (INDEX,))
        connection.execute("PRAGMA writable_schema = RESET")
        for part in _PARTS:
            connection.execute(f"DROP TABLE IF EXISTS {INDEX}_{part}")


def _indexed(connection: sqlite3.Connection, words: Sequence[str], most: int) -> list[Hit]:
    connection.execute(_CREATE)
    connection.execute(
        f"INSERT INTO {INDEX} (rowid, content) SELECT id, content FROM messages "
        f"WHERE id > (SELECT coalesce(max(id), 0) FROM {INDEX}_docsize) ORDER BY id"
    )
    if len(words) > MOST_WORDS:
        return []
    # Between quotes nothing is an operator; the star finds words that begin so.
    asked = " ".join('"{}"*'.format(word.replace('"', '""')) for word in words)
    rows = connection.execute(
        f"SELECT {_COLUMNS}, excerpt FROM (SELECT rowid AS place, "
        f"snippet({INDEX}, 0, ?, ?, '…', {EXCERPT_TOKENS}) AS excerpt FROM {INDEX} "
        f"WHERE {INDEX} MATCH ? ORDER BY rowid DESC LIMIT ?) JOIN messages ON id = place "
        "ORDER BY id",
        (_OPEN, _CLOSE, asked, most),
    )
    return [_hit(row, *_unmarked(row[-1])) for row in rows]


def _scanned(connection: sqlite3.Connection, words: Sequence[str], most: int) -> list[Hit]:
    """The same by reading every message: words inside of words, and no accents left out."""
    folded = [word.casefold() for word in words]

    def holds(content: str) -> bool:
        text = content.casefold()
        return all(word in text for word in folded)

    connection.create_function("holds", 1, holds)
    rows = connection.execute(
        f"SELECT {_COLUMNS}, content FROM messages WHERE holds(content) ORDER BY id DESC LIMIT ?",
        (most,),
    ).fetchall()
    return [_hit(row, *_excerpt(row[-1], words)) for row in reversed(rows)]


def _hit(row: tuple[Any, ...], excerpt: str, marks: tuple[tuple[int, int], ...]) -> Hit:
    conversation, number, at, model, role, _ = row
    return Hit(conversation, number, at, model, role, excerpt, marks)


def _unmarked(marked: str) -> tuple[str, tuple[tuple[int, int], ...]]:
    """An excerpt of FTS5 in one line, and where in it the marks stood."""
    text, marks, opened = "", [], None
    for piece in re.split(f"([{_OPEN}{_CLOSE}])", " ".join(marked.split())):
        if piece == _OPEN:
            opened = len(text)
        elif piece == _CLOSE:
            if opened is not None:
                marks.append((opened, len(text)))
            opened = None
        else:
            text += piece
    return text, tuple(marks)


def _excerpt(content: str, words: Sequence[str]) -> tuple[str, tuple[tuple[int, int], ...]]:
    text = " ".join(content.split())
    first = next(_places(text, words), (0, 0))[0]
    start = max(0, first - EXCERPT_BEFORE)
    end = start + EXCERPT_CHARACTERS
    piece = f"{'…' if start else ''}{text[start:end]}{'…' if end < len(text) else ''}"
    return piece, tuple(_places(piece, words))


def _places(text: str, words: Sequence[str]) -> Iterator[tuple[int, int]]:
    either = "|".join(map(re.escape, sorted(words, key=len, reverse=True)))
    return (found.span() for found in re.finditer(either, text, re.IGNORECASE))
