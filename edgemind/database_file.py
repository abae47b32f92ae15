"""A SQLite file of a kind: opened, brought to this version, and read where it is damaged.

`edgemind.database` writes in one. Only what is needed to open, judge and replace a file is here.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

WAIT_SECONDS = 5.0


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


class Unusable(Exception):
    """The file is sound but not for us: the reason, as the end of a sentence."""


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


def migrate(connection: sqlite3.Connection, kind: Kind) -> None:
    """Bring the file to this version. Raises `Unusable` for a newer one, or one of others."""
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
        raise Unusable("it is not a file of edgemind's")
    if version > len(kind.migrations):
        raise Unusable("a newer edgemind made it: update this one")
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


def is_sound(path: Path, kind: Kind) -> bool:
    """Whether the whole file can be read."""
    if not path.exists():
        return False
    try:
        with closing(connect(path)) as connection:
            migrate(connection, kind)
            check_whole(connection)
            return True
    except (sqlite3.Error, UnicodeDecodeError, Unusable):
        return False


def check_whole(connection: sqlite3.Connection) -> None:
    """Read the whole file; `Damaged` where its pages or its values cannot be."""
    if [*connection.execute("PRAGMA quick_check")] != [("ok",)]:
        raise Damaged("the file is damaged")


def rescue(damaged: Path, path: Path, kind: Kind) -> int:
    """Copy what can be read of a damaged file into a new one; how many rows of its first table."""
    touch(path)
    with closing(connect(path)) as fresh:
        migrate(fresh, kind)
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


def touch(path: Path) -> None:
    """Make the file if there is none: its owner's alone, as what comes beside it then is too."""
    if not path.exists():
        path.touch(mode=0o600)


def free_name(path: Path) -> Path:
    """Where a damaged file can be moved to, beside `path`."""
    stamp = time.strftime("%Y%m%d-%H%M%S")
    names = (f"{path.stem}.damaged-{stamp}{tail}{path.suffix}" for tail in ("", *"abcdefghijk"))
    return next(
        free for each in names if not (free := path.with_name(each)).exists() or each.endswith("k")
    )


def identity(path: Path) -> tuple[int, int] | None:
    """What tells a file from another one of the same name; None where there is none."""
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
