"""The person's models: names, aliases and the default, in one SQLite file of the data folder.

Entries say where a model lies; which files edgemind itself has put there is kept apart, since only
those may ever be removed (`edgemind.catalog.shelf`). Several processes may change it at once: each
change is one transaction. The bundled model is always there and in no file.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from edgemind.catalog.bundled import BYTES, bundled_model
from edgemind.catalog.entry import Entry, Facts, How, Own, check_name
from edgemind.database import Database
from edgemind.database_file import Kind
from edgemind.errors import ConfigError, ModelNotFound

FILE: Final = "models.sqlite"
BUNDLED: Final = "edgemind-nano"
APPLICATION_ID: Final = 0x6564676D  # "edgm"
MIGRATIONS: Final = (
    """
    CREATE TABLE models (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL UNIQUE COLLATE NOCASE CHECK (typeof(name) = 'text'),
        path TEXT NOT NULL UNIQUE CHECK (typeof(path) = 'text'),
        how TEXT NOT NULL CHECK (how IN ('link', 'copy', 'move', 'pull')),
        source TEXT NOT NULL,              -- where it came from, in words, or empty
        added REAL NOT NULL,               -- seconds since 1970
        bytes INTEGER NOT NULL,            -- of all its files, when it was added
        modified_ns INTEGER NOT NULL,      -- of its main file, then
        sha256 TEXT,                       -- of its main file, where that is known
        architecture TEXT NOT NULL,
        parameters INTEGER NOT NULL,
        quantisation TEXT NOT NULL,
        context INTEGER NOT NULL           -- tokens, 0 where the file does not say
    ) WITHOUT ROWID;
    CREATE TABLE aliases (
        alias TEXT PRIMARY KEY COLLATE NOCASE,
        model TEXT NOT NULL                -- an id, or '' for the bundled model
    ) WITHOUT ROWID;
    CREATE TABLE files (                   -- what edgemind has put there, and may remove
        path TEXT PRIMARY KEY,
        model TEXT NOT NULL,
        bytes INTEGER NOT NULL,
        modified_ns INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE choices (
        name TEXT PRIMARY KEY,             -- 'default'
        model TEXT NOT NULL
    ) WITHOUT ROWID;
    """,
)
KIND: Final = Kind(
    APPLICATION_ID,
    MIGRATIONS,
    tables=("models", "aliases", "files", "choices"),
    rows="models",
    lost="add your models again",
    in_memory=None,
)
_COLUMNS: Final = (
    "id, name, path, how, source, added, bytes, modified_ns, sha256, architecture, parameters, "
    "quantisation, context"
)


@dataclass(slots=True)
class Library:
    """The catalogue in `path`; it need not exist. `warn` takes a line that has to be known.

    Methods raise `ConfigError` for what cannot be: a name that is taken, a file that cannot be
    used.
    """

    path: Path
    warn: Callable[[str], None]
    now: Callable[[], float] = time.time
    _database: Database = field(init=False)

    def __post_init__(self) -> None:
        self._database = Database(self.path, KIND, self.warn)

    def close(self) -> None:
        """Close the file; the next call opens it again."""
        self._database.close()

    def entries(self) -> list[Entry]:
        """All models by name, the bundled one first. Makes no file."""
        if not self.path.exists():
            return _bundled((), True)
        return self._database.write(_entries)

    def add(
        self,
        name: str,
        path: Path,
        how: How,
        facts: Facts,
        *,
        source: str = "",
        own: Sequence[Own] = (),
    ) -> Entry:
        """Add a model whose files are where they shall stay; `own` are those that we put there."""
        check_name(name)
        text = _text(path)
        identity = os.urandom(8).hex()

        def work(connection: sqlite3.Connection) -> Entry:
            entries = _entries(connection)
            _free(entries, name)
            for entry in entries:
                if _same_place(entry.path, path):
                    raise ConfigError(f"{path} is already there, as {entry.name}")
            row = (identity, name, text, how, source, float(self.now()))
            kept = (facts.bytes, facts.modified_ns, facts.sha256, facts.architecture)
            last = (facts.parameters, facts.quantisation, facts.context)
            places = ", ".join("?" * 13)
            connection.execute(
                f"INSERT INTO models ({_COLUMNS}) VALUES ({places})", (*row, *kept, *last)
            )
            connection.executemany(
                "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?)",
                [(_text(one.path), identity, one.bytes, one.modified_ns) for one in own],
            )
            return next(one for one in _entries(connection) if one.id == identity)

        return self._database.write(work)

    def alias(self, entry: Entry, alias: str) -> None:
        """Give a model one more name."""
        check_name(alias)

        def work(connection: sqlite3.Connection) -> None:
            current = _current(connection, entry)
            if alias.casefold() in (one.casefold() for one in current.aliases):
                return
            _free(_entries(connection), alias)
            connection.execute("INSERT INTO aliases VALUES (?, ?)", (alias, entry.id))

        self._database.write(work)

    def unalias(self, alias: str) -> bool:
        """Take an alias away; False where there is none of this name."""

        def work(connection: sqlite3.Connection) -> bool:
            gone = connection.execute("DELETE FROM aliases WHERE alias = ?", (alias,))
            return gone.rowcount > 0

        return self._database.write(work)

    def use(self, entry: Entry) -> None:
        """Make a model the one that is asked where nobody names another."""

        def work(connection: sqlite3.Connection) -> None:
            _current(connection, entry)
            connection.execute("DELETE FROM choices WHERE name = 'default'")
            if entry.id:
                connection.execute("INSERT INTO choices VALUES ('default', ?)", (entry.id,))

        self._database.write(work)

    def learn(self, entry: Entry, facts: Facts) -> None:
        """Keep what was found out about a model's files anew."""

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(
                "UPDATE models SET bytes = ?, modified_ns = ?, sha256 = ?, architecture = ?, "
                "parameters = ?, quantisation = ?, context = ? WHERE id = ?",
                (
                    *(facts.bytes, facts.modified_ns, facts.sha256, facts.architecture),
                    *(facts.parameters, facts.quantisation, facts.context, entry.id),
                ),
            )

        self._database.write(work)

    def own_files(self, entry: Entry) -> list[Own]:
        """The files of a model that edgemind put there."""

        def work(connection: sqlite3.Connection) -> list[Own]:
            rows = connection.execute(
                "SELECT path, bytes, modified_ns FROM files WHERE model = ? ORDER BY path",
                (entry.id,),
            )
            return [Own(Path(path), size, modified) for path, size, modified in rows]

        return self._database.write(work)

    def forget(self, entry: Entry) -> None:
        """Take a model out, with its aliases. Its files are the caller's business."""
        if entry.how == "bundled":
            raise ConfigError(f"{entry.name} came with edgemind and stays")

        def work(connection: sqlite3.Connection) -> None:
            _current(connection, entry)
            for table in ("aliases", "files", "choices"):
                connection.execute(f"DELETE FROM {table} WHERE model = ?", (entry.id,))
            connection.execute("DELETE FROM models WHERE id = ?", (entry.id,))

        self._database.write(work)


def _entries(connection: sqlite3.Connection) -> list[Entry]:
    aliases: dict[str, list[str]] = {}
    for alias, model in connection.execute("SELECT alias, model FROM aliases ORDER BY alias"):
        aliases.setdefault(model, []).append(alias)
    chosen = connection.execute("SELECT model FROM choices WHERE name = 'default'").fetchone()
    found = []
    for row in connection.execute(f"SELECT {_COLUMNS} FROM models ORDER BY name"):
        identity, name, path, how, source, added, size, modified, digest, *rest = row
        facts = Facts(size, modified, rest[0], rest[1], rest[2], rest[3], digest)
        also = tuple(aliases.get(identity, ()))
        default = chosen is not None and chosen[0] == identity
        found.append(Entry(identity, name, Path(path), how, source, added, facts, also, default))
    default = not any(entry.default for entry in found)
    return [*_bundled(tuple(aliases.get("", ())), default), *found]


def _bundled(aliases: tuple[str, ...], default: bool) -> list[Entry]:
    """The bundled model as an entry, without facts; none where the installation lacks it."""
    try:
        path = bundled_model()
    except ModelNotFound:
        return []
    facts = Facts(BYTES, 0, "", 0, "", 0)
    return [Entry("", BUNDLED, path, "bundled", "came with edgemind", 0.0, facts, aliases, default)]


def _current(connection: sqlite3.Connection, entry: Entry) -> Entry:
    """The entry as it is now; `ConfigError` where another process has removed it."""
    for one in _entries(connection):
        if one.id == entry.id:
            return one
    raise ConfigError(f"{entry.name} is no longer there: another process removed it")


def _free(entries: Sequence[Entry], name: str) -> None:
    for entry in entries:
        if name.casefold() in (one.casefold() for one in entry.names):
            raise ConfigError(
                f"{name} is the name of {entry.path} already: give another with --name"
            )


def _same_place(left: Path, right: Path) -> bool:
    try:
        return os.path.samefile(left, right)
    except OSError:
        return os.path.abspath(left) == os.path.abspath(right)


def _text(path: Path) -> str:
    text = os.path.abspath(path)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ConfigError(f"{text!r} is not UTF-8: rename it first") from None
    return text
