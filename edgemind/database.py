"""One SQLite file that several processes write: opened, migrated, healed.

`edgemind.usage` keeps its record in one, `edgemind.catalog` its models, and `edgemind.history` what
was said, where that is wanted; a `Kind` says what is in
a file. Write-ahead log with `synchronous=NORMAL`: a kill loses nothing that was committed, a power
cut may lose the last seconds, neither damages the file. A damaged file is moved aside with one line
of warning, and what can be read of it is kept. Where no file can be used, it is either kept in
memory, which is said, or refused.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from edgemind.errors import ConfigError

T = TypeVar("T")

WAIT_SECONDS = 5.0
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


@dataclass(frozen=True, slots=True)
class Kind:
    """What a file holds.

    `application_id` tells it from other programs' files. Each of `migrations` brings it from the
    version of its index to the next one: they are only ever appended to, and cut at each `;`, so no
    comment may hold one. `tables` are what is read back of a damaged file; the first one's rows are
    called `rows` ("answers") and counted, `lost` is said where none is left. Where the file cannot
    be used, `in_memory` ends the line that says so and it is kept in memory; None refuses to go on.
    `pragmas` are set on opening.
    """

    application_id: int
    migrations: tuple[str, ...]
    tables: tuple[str, ...]
    rows: str
    lost: str
    in_memory: str | None
    pragmas: tuple[str, ...] = ()


class Damaged(sqlite3.DatabaseError):
    """Raised by `Database.write`'s work where the file holds what cannot be."""


class _Unusable(Exception):
    """The file is sound but not for us: the reason, as the end of a sentence."""


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
            if self._file is None or self.path is None or self._file == _identity(self.path):
                return self._connection
            self.close()
        if self.path is None:
            self._in_memory()
            return self._open()
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _touch(self.path)
            self._connection = connect(self.path, self._kind.pragmas)
            _migrate(self._connection, self._kind)
            self._file = _identity(self.path)
        except _Unusable as problem:
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
        _migrate(self._connection, self._kind)

    def _heal(self) -> None:
        """Move the damaged file aside, once, whichever process sees it first."""
        self.close()
        if self.path is None:
            return
        try:
            with alone(self.path.with_suffix(".lock")):
                if _is_sound(self.path, self._kind):
                    return  # another process was faster
                aside = _free_name(self.path)
                for suffix in ("", "-wal", "-shm"):
                    with suppress(FileNotFoundError):
                        os.replace(f"{self.path}{suffix}", f"{aside}{suffix}")
                saved = _rescue(aside, self.path, self._kind)
        except (OSError, sqlite3.Error, UnicodeDecodeError) as error:
            self._to_memory(f"damaged; {error}")
            return
        kept = f"{saved} {self._kind.rows} could be read back" if saved else self._kind.lost
        self._warn(f"{self.path} was damaged: it was moved to {aside.name}, {kept}")


def connect(path: Path | str, pragmas: Sequence[str] = ()) -> sqlite3.Connection:
    """An open file with these settings, whose transactions are begun by hand."""
    connection = sqlite3.connect(
        path, timeout=WAIT_SECONDS, isolation_level=None, check_same_thread=False
    )
    try:
        # Damage shows as an error here, not in what is read.
        connection.execute("PRAGMA cell_size_check = ON")
        connection.execute("PRAGMA synchronous = NORMAL")
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")
    except BaseException:
        connection.close()
        raise
    return connection


def _migrate(connection: sqlite3.Connection, kind: Kind) -> None:
    """Bring the file to this version. Raises `_Unusable` for a newer one, or one of others."""
    connection.execute("PRAGMA busy_timeout = 5000")

    def versions() -> tuple[int, int, int]:
        [application], [version], [tables] = (
            connection.execute(query).fetchone()
            for query in (
                "PRAGMA application_id",
                "PRAGMA user_version",
                "SELECT count(*) FROM sqlite_schema",
            )
        )
        return application, version, tables

    connection.execute("BEGIN")  # all three of one moment: another process may be making the file
    try:
        application, version, tables = versions()
    finally:
        connection.execute("ROLLBACK")
    if application != kind.application_id and (application or tables):
        raise _Unusable("it is not a file of edgemind's")
    if version > len(kind.migrations):
        raise _Unusable("a newer edgemind made it: update this one")
    with suppress(sqlite3.OperationalError):  # busy: another process is about to do it
        connection.execute("PRAGMA journal_mode = WAL")
    if version == len(kind.migrations):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        _, version, _ = versions()  # another process may have been faster
        for script in kind.migrations[version:]:
            for statement in script.split(";"):
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {kind.application_id}")
        connection.execute(f"PRAGMA user_version = {len(kind.migrations)}")
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise


def _is_sound(path: Path, kind: Kind) -> bool:
    """Whether the whole file can be read."""
    if not path.exists():
        return False
    try:
        with closing(connect(path)) as connection:
            _migrate(connection, kind)
            check_whole(connection)
            return True
    except (sqlite3.Error, UnicodeDecodeError, _Unusable):
        return False


def check_whole(connection: sqlite3.Connection) -> None:
    """Read the whole file; `Damaged` where its pages or its values cannot be."""
    if [*connection.execute("PRAGMA quick_check")] != [("ok",)]:
        raise Damaged("the file is damaged")


def _rescue(damaged: Path, path: Path, kind: Kind) -> int:
    """Copy what can be read of a damaged file into a new one; how many rows of its first table."""
    _touch(path)
    with closing(connect(path)) as fresh:
        _migrate(fresh, kind)
        for table in kind.tables:
            # An older version's file may lack some of them.
            here, there = _columns(fresh, table), _columns_of(damaged, table)
            columns = [name for name in here if name in there] or here
            places = ", ".join("?" * len(columns))
            insert = f"INSERT OR IGNORE INTO {table} ({', '.join(columns)}) VALUES ({places})"
            fresh.execute("BEGIN IMMEDIATE")
            for row in _readable(damaged, table, columns):
                # A row that breaks the table's own rules is part of the damage.
                with suppress(sqlite3.IntegrityError, sqlite3.ProgrammingError):
                    fresh.execute(insert, row)
            fresh.execute("COMMIT")
        [count] = fresh.execute(f"SELECT count(*) FROM {kind.tables[0]}").fetchone()
    return int(count)


def _columns(connection: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]


def _columns_of(damaged: Path, table: str) -> list[str]:
    with suppress(sqlite3.Error, UnicodeDecodeError), closing(connect(damaged)) as connection:
        return _columns(connection, table)
    return []


def _readable(path: Path, table: str, columns: Sequence[str]) -> Iterator[tuple[object, ...]]:
    """Rows of a damaged file's table, up to where it breaks, from both ends."""
    for order in ("", f" ORDER BY {columns[0]} DESC"):
        with suppress(sqlite3.Error, UnicodeDecodeError), closing(connect(path)) as connection:
            query = f"SELECT {', '.join(columns)} FROM {table}{order}"
            yield from connection.execute(query)


def _touch(path: Path) -> None:
    """Make the file if there is none: its owner's alone, as what comes beside it then is too."""
    if not path.exists():
        path.touch(mode=0o600)


def _free_name(path: Path) -> Path:
    stamp = time.strftime("%Y%m%d-%H%M%S")
    names = (f"{path.stem}.damaged-{stamp}{tail}{path.suffix}" for tail in ("", *"abcdefghijk"))
    return next(
        free for each in names if not (free := path.with_name(each)).exists() or each.endswith("k")
    )


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """While this lasts, no other process is in here by the same file (where there are locks)."""
    with path.open("a") as file:
        with suppress(ImportError):
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield
