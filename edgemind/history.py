"""What was said, kept where the person wants it (`[history] keep = true`), and removed for real.

One SQLite file in a folder of its own (0700, the file 0600). A row is a message, and an answer's
receipt; a conversation is the messages of one chat, or of one question and its answer, in their
order, so that it can be taken up again. What is cleared is overwritten with zeros
(`secure_delete`), and neither the file's free pages nor its log keep a byte of it; nor does the
index of words (`edgemind.history_search`), which is taken away with it. Used by the command line
and the window; the library keeps nothing.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar, cast

from edgemind.database import Database
from edgemind.errors import ConfigError, EdgemindError
from edgemind.history_schema import KIND
from edgemind.history_search import Hit, drop_index, find_messages, search_words
from edgemind.receipts import Receipt, read_receipt
from edgemind.transcript import Said
from edgemind.types import Chat, Message, Role

T = TypeVar("T")

FILE = Path("history") / "history.sqlite"
"""In the data folder."""
LEAST_PREFIX = 4


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation in the list. `started` and `ended` are in seconds since 1970.

    `model` answered last; `source` is the path that it had, where that is known.
    """

    id: str
    started: float
    ended: float
    model: str
    messages: int
    first: str
    source: str | None = None


def new_conversation() -> str:
    """A name for a conversation: 16 hex digits."""
    return os.urandom(8).hex()


def _warn(line: str) -> None:
    warnings.warn(line, stacklevel=2)


class History:
    """Conversations in the file at `path`. `warn` takes a line that has to be known."""

    def __init__(
        self,
        path: Path,
        *,
        now: Callable[[], float] = time.time,
        warn: Callable[[str], None] = _warn,
    ) -> None:
        self._path = path
        self._now = now
        self._file = Database(path, KIND, warn)

    def add(
        self,
        conversation: str,
        model: str,
        messages: Sequence[Message],
        *,
        source: str | None = None,
        receipts: Iterable[Receipt | None] = (),
    ) -> int:
        """Put messages at the end of a conversation; the number of the first of them there.

        `source` is the path of the model, where it is known; `receipts` are those of the answers
        among the messages, in their order.
        """
        at = float(self._now())
        where = None if source is None else _text(source)
        left = iter(receipts)
        rows = [
            (at, _text(model), where, one.role, _text(one.content), _optional(one.reasoning),
             _written(next(left, None)) if one.role == "assistant" else None)
            for one in messages
        ]  # fmt: skip

        def work(connection: sqlite3.Connection) -> int:
            [first] = connection.execute(
                "SELECT coalesce(max(number) + 1, 0) FROM messages WHERE conversation = ?",
                (conversation,),
            ).fetchone()
            connection.executemany(
                "INSERT INTO messages "
                "(conversation, number, at, model, source, role, content, reasoning, receipt) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [(conversation, first + place, *row) for place, row in enumerate(rows)],
            )
            return int(first)

        self._make_private()
        return self._file.write(work)

    def conversations(self) -> list[Conversation]:
        """All of them, the latest last."""
        last = (
            "(SELECT {} FROM messages AS last WHERE last.conversation = messages.conversation "
            "ORDER BY number DESC LIMIT 1)"
        )
        query = (
            f"SELECT conversation, min(at), max(at), {last.format('model')}, count(*), "
            "coalesce((SELECT content FROM messages AS first "
            "WHERE first.conversation = messages.conversation "
            f"AND role = 'user' ORDER BY number LIMIT 1), ''), {last.format('source')} "
            "FROM messages GROUP BY conversation ORDER BY max(at), conversation"
        )
        rows = self._read(lambda connection: connection.execute(query).fetchall())
        return [Conversation(*row) for row in rows]

    def search(self, text: str, *, most: int = 50) -> list[Hit]:
        """The latest messages that have every word of `text`, the latest last.

        A word is found where one begins so, in any case and with any accents; where there is none,
        anywhere in the text. Raises `ConfigError` where there is no word in `text`.
        """
        words = search_words(text)
        return self._read(lambda connection: find_messages(connection, words, most))

    def chat(self, conversation: str) -> Chat:
        """The messages of a conversation, in their order."""
        return tuple(one.message for one in self.said(conversation))

    def said(self, conversation: str) -> list[Said]:
        """The same, each with its number there (what `take_back` takes) and an answer's receipt."""
        query = (
            "SELECT number, role, content, reasoning, receipt FROM messages "
            "WHERE conversation = ? ORDER BY number"
        )
        rows = self._read(lambda connection: connection.execute(query, (conversation,)).fetchall())
        return [
            Said(Message(cast(Role, role), content, thought), number, _read(receipt))
            for number, role, content, thought, receipt in rows
        ]

    def take_back(self, conversation: str, numbers: Sequence[int]) -> bool:
        """Take messages out of a conversation; whether something was asked in what is left of it.

        Where nothing was, nothing is left. It is deleted, and not scrubbed as `clear` does it: the
        file's log may have it for some time.
        """

        def work(connection: sqlite3.Connection) -> bool:
            drop_index(connection)
            connection.executemany(
                "DELETE FROM messages WHERE conversation = ? AND number = ?",
                [(conversation, number) for number in numbers],
            )
            [asked] = connection.execute(
                "SELECT count(*) FROM messages WHERE conversation = ? AND role = 'user'",
                (conversation,),
            ).fetchone()
            if not asked:
                connection.execute("DELETE FROM messages WHERE conversation = ?", (conversation,))
            return bool(asked)

        return self._path.exists() and self._file.write(work)

    def find(self, beginning: str | None) -> str:
        """The name that begins so, or the latest one's for None; `ConfigError` for none or two."""
        names = [one.id for one in self.conversations()]
        if not names:
            raise ConfigError("no conversation is kept")
        if beginning is None:
            return names[-1]
        found = [name for name in names if name.startswith(beginning)]
        if len(beginning) < LEAST_PREFIX or len(found) != 1:
            count = len(found) if len(beginning) >= LEAST_PREFIX else "too many"
            raise ConfigError(
                f"{count} conversations begin with {beginning!r}: edgemind history list names them"
            )
        return found[0]

    def clear(self, conversation: str | None = None) -> int:
        """Remove a conversation, or all, byte by byte; how many there were.

        Raises `EdgemindError` where another process holds on to them.
        """
        if not self._path.exists():
            return self._clear_damaged() if conversation is None else 0

        def work(connection: sqlite3.Connection) -> int:
            which = "1" if conversation is None else "conversation = :name"
            given = {"name": conversation}
            drop_index(connection)
            [count] = connection.execute(
                f"SELECT count(DISTINCT conversation) FROM messages WHERE {which}", given
            ).fetchone()
            connection.execute(f"DELETE FROM messages WHERE {which}", given)
            return int(count)

        removed = self._file.write(work)
        if not self._file.scrub():
            raise EdgemindError(
                "another edgemind is using the history just now: the conversations are removed, "
                "but their bytes are still in its log; end it and clear once more"
            )
        if conversation is None:
            removed += self._clear_damaged()
        return removed

    def close(self) -> None:
        """Close the file; it is opened again where it is used again."""
        self._file.close()

    def _read(self, work: Callable[[sqlite3.Connection], list[T]]) -> list[T]:
        # Nothing to read is no reason to make a file.
        return self._file.write(work) if self._path.exists() else []

    def _clear_damaged(self) -> int:
        """Remove files that were moved aside because they were damaged, overwritten first."""
        files = [*self._path.parent.glob(f"{self._path.stem}.damaged-*")]
        for file in files:
            with suppress(OSError), file.open("r+b") as opened:
                opened.write(bytes(file.stat().st_size))
                os.fsync(opened.fileno())
            file.unlink(missing_ok=True)
        return int(bool(files))

    def _make_private(self) -> None:
        with suppress(OSError):  # where it cannot be made, writing says so
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._path.parent.chmod(0o700)


def _text(text: str) -> str:
    """A text as it can be stored: half characters of a terminal's are none."""
    return text.encode("utf-8", "replace").decode()


def _optional(text: str | None) -> str | None:
    return None if text is None else _text(text)


def _written(receipt: Receipt | None) -> str | None:
    return None if receipt is None else _text(receipt.to_json())


def _read(receipt: str | None) -> Receipt | None:
    """A receipt as it was written; none where the file lost a piece of it."""
    try:
        return None if receipt is None else read_receipt(json.loads(receipt))
    except (ValueError, RecursionError):
        return None
