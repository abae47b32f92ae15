"""The record's one SQLite file: what is in it. Reached from `account` and `report`.

Noting a running answer's cost waits for no disk (`edgemind.database`). Where no file can be
written, the record is kept in memory, and that is said: limits hold then for this process alone.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from edgemind import database
from edgemind.database_file import Kind

APPLICATION_ID = 0x65646765  # "edge": tells our files from others'
MIGRATIONS = (
    """
    CREATE TABLE answers (
        id TEXT PRIMARY KEY,
        day TEXT NOT NULL CHECK (typeof(day) = 'text'),    -- local, at its start, YYYY-MM-DD
        started REAL NOT NULL              -- seconds since 1970
            CHECK (typeof(started) = 'real' AND started BETWEEN 0 AND 1e11),
        conversation TEXT NOT NULL,
        model TEXT NOT NULL,
        weights TEXT NOT NULL,             -- fingerprint of the model's file
        process INTEGER NOT NULL CHECK (typeof(process) = 'integer'),
        process_start TEXT NOT NULL,       -- tells processes of one number apart
        seconds REAL NOT NULL CHECK (typeof(seconds) = 'real' AND seconds BETWEEN 0 AND 1e15),
        joules REAL NOT NULL CHECK (typeof(joules) = 'real' AND joules BETWEEN 0 AND 1e15),
        energy_source TEXT NOT NULL,
        tokens INTEGER NOT NULL CHECK (typeof(tokens) = 'integer' AND tokens >= 0),
        prompt_tokens INTEGER NOT NULL CHECK (prompt_tokens >= 0),
        route TEXT,
        samples INTEGER,
        finish TEXT,                       -- NULL while it runs
        predicted_seconds_p5 REAL, predicted_seconds_p50 REAL, predicted_seconds_p95 REAL,
        predicted_joules_p5 REAL, predicted_joules_p50 REAL, predicted_joules_p95 REAL
    ) WITHOUT ROWID;
    CREATE INDEX answers_by_day ON answers (day, seconds, joules);
    CREATE INDEX answers_by_conversation ON answers (conversation, seconds, joules);
    CREATE INDEX answers_open ON answers (process) WHERE finish IS NULL;
    """,
)
"""Each brings a file from the version of its index to the next one. Only ever appended to."""


class Database(database.Database):
    """The record's file. `warn` takes one line where something has to be known.

    `path` None keeps it in memory. May be used from several threads, by one at a time.
    """

    def __init__(self, path: Path | None, warn: Callable[[str], None]) -> None:
        kind = Kind(
            APPLICATION_ID,
            MIGRATIONS,
            tables=("answers",),
            rows="answers",
            lost="its counts start from zero",
            in_memory="what this process spends is counted for itself alone and not kept",
        )
        super().__init__(path, kind, warn)
