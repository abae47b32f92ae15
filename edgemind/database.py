"""One SQLite file that several processes write: in transactions, healed where it is damaged.

`edgemind.usage` keeps its record in one, `edgemind.catalog` its models, and `edgemind.history` what
was said, where that is wanted; a `Kind` says what is in a file (`edgemind.database_file`).
Write-ahead log with `synchronous=NORMAL`: a kill loses nothing that was committed, a power cut may
lose the last seconds, neither damages the file. A damaged file is moved aside with one line of
warning, and what can be read of it is kept. Where no file can be used, it is either kept in memory,
which is said, or refused.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from edgemind.database_file import (
    WAIT_SECONDS,
    Kind,
    Unusable,
    alone,
    connect,
    free_name,
    identity,
    is_sound,
    migrate,
    rescue,
    touch,
)
from edgemind.errors import ConfigError

T = TypeVar("T")

NOTE_WAIT_SECONDS = 0.02
DAMAGE = {
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_FORMAT,
    # Our statements fit our schema: where they do not, the schema or a constraint is damaged.
    sqlite3.SQLITE_ERROR,
    sqlite3.SQLITE_CONSTRAINT,
    sqlite3.SQLITE_MISMATCH,
}


class Database:
    """A file of a `kind`. `warn` takes one line where something has to be known.

    `path` None keeps it in memory. May be used from several threads, by one at a time.
    """

    def __init__(self, path: Path | None, kind: Kind, warn: Callable[[str], None]) -> None:
        self.path = path
        self._kind = kind
        self._warn = warn
        self._file: tuple[int, int] | None = None
        self._connection: sqlite3.Connection | None = None

    def write(self, work: Callable[[sqlite3.Connection], T], *, patient: bool = True) -> T:
        """Do `work` in one transaction that begins by locking the file.

        What `work` reads does not change until it has written. Without `patient` it waits for
        other processes some milliseconds only, and raises `sqlite3.OperationalError` (busy).
        Raises `ConfigError` where the file cannot be used and is not kept in memory instead.
        """
        for healing in (True, True, False):
            try:
                return self._transact(work, patient)
            except sqlite3.ProgrammingError:
                raise
            except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
                # No code: `Damaged`, or a message with a piece of damaged text in it.
                code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
                if code in DAMAGE and healing:
                    self._heal()
                elif code == sqlite3.SQLITE_BUSY and not patient:
                    raise
                else:
                    self._to_memory(str(error))
        return self._transact(work, patient)

    def scrub(self) -> bool:
        """Take what was deleted out of the file and its log, byte by byte.

        For files with `secure_delete`. False where another process is using it just now.
        """
        connection = self._open()
        connection.execute(f"PRAGMA busy_timeout = {WAIT_SECONDS * 1000:.0f}")
        try:
            connection.execute("VACUUM")
            [busy, _, _] = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except sqlite3.OperationalError:
            return False
        return not busy

    def close(self) -> None:
        """Close the file. It is opened again where it is used again."""
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
        self._connection = self._file = None

    def _transact(self, work: Callable[[sqlite3.Connection], T], patient: bool) -> T:
        connection = self._open()
        wait = WAIT_SECONDS if patient else NOTE_WAIT_SECONDS
        connection.execute(f"PRAGMA busy_timeout = {wait * 1000:.0f}")
        connection.execute("BEGIN IMMEDIATE")
        try:
            result = work(connection)
            connection.execute("COMMIT")
            return result
        except BaseException:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise

    def _open(self) -> sqlite3.Connection:
        """The open file; anew where another process has put another one in its place."""
        if self._connection is not None:
            if self._file is None or self.path is None or self._file == identity(self.path):
                return self._connection
            self.close()
        if self.path is None:
            self._in_memory()
            return self._open()
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            touch(self.path)
            self._connection = connect(self.path, self._kind.pragmas)
            migrate(self._connection, self._kind)
            self._file = identity(self.path)
        except Unusable as problem:
            self._to_memory(str(problem))
        except OSError as error:
            self._to_memory(error.strerror or str(error))
        assert self._connection is not None
        return self._connection

    def _to_memory(self, reason: str) -> None:
        self.close()
        if self._kind.in_memory is None:
            raise ConfigError(f"{self.path} cannot be used: {reason}")
        self._warn(f"{self.path} cannot be used ({reason}): {self._kind.in_memory}")
        self._in_memory()

    def _in_memory(self) -> None:
        self._file = None
        self._connection = connect(":memory:", self._kind.pragmas)
        migrate(self._connection, self._kind)

    def _heal(self) -> None:
        """Move the damaged file aside, once, whichever process sees it first."""
        self.close()
        if self.path is None:
            return
        try:
            with alone(self.path.with_suffix(".lock")):
                if is_sound(self.path, self._kind):
                    return  # another process was faster
                aside = free_name(self.path)
                for suffix in ("", "-wal", "-shm"):
                    with suppress(FileNotFoundError):
                        os.replace(f"{self.path}{suffix}", f"{aside}{suffix}")
                saved = rescue(aside, self.path, self._kind)
        except (OSError, sqlite3.Error, UnicodeDecodeError) as error:
            self._to_memory(f"damaged; {error}")
            return
        kept = f"{saved} {self._kind.rows} could be read back" if saved else self._kind.lost
        self._warn(f"{self.path} was damaged: it was moved to {aside.name}, {kept}")
