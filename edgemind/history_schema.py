"""What the history's file holds (`edgemind.history`), version by version."""

from __future__ import annotations

from edgemind.database_file import Kind

KIND = Kind(
    application_id=0x65646768,  # "edgh"
    migrations=(
        """
        CREATE TABLE messages (
            conversation TEXT NOT NULL,
            number INTEGER NOT NULL CHECK (typeof(number) = 'integer' AND number >= 0),
            at REAL NOT NULL CHECK (typeof(at) = 'real'),      -- seconds since 1970
            model TEXT NOT NULL,
            role TEXT NOT NULL CHECK (role IN ('system', 'user', 'assistant', 'tool')),
            content TEXT NOT NULL CHECK (typeof(content) = 'text'),
            reasoning TEXT,
            PRIMARY KEY (conversation, number)
        ) WITHOUT ROWID
        """,
        # A number for each message, which the index of words needs, and where its model was.
        """
        CREATE TABLE numbered (
            id INTEGER PRIMARY KEY,
            conversation TEXT NOT NULL,
            number INTEGER NOT NULL CHECK (typeof(number) = 'integer' AND number >= 0),
            at REAL NOT NULL CHECK (typeof(at) = 'real'),
            model TEXT NOT NULL,
            source TEXT,                                       -- the model's path, if it is known
            role TEXT NOT NULL CHECK (role IN ('system', 'user', 'assistant', 'tool')),
            content TEXT NOT NULL CHECK (typeof(content) = 'text'),
            reasoning TEXT,
            UNIQUE (conversation, number)
        );
        INSERT INTO numbered (conversation, number, at, model, role, content, reasoning)
            SELECT conversation, number, at, model, role, content, reasoning
            FROM messages ORDER BY at, conversation, number;
        DROP TABLE messages;
        ALTER TABLE numbered RENAME TO messages
        """,
        # What an answer cost and how it came about, where it is known.
        "ALTER TABLE messages ADD COLUMN receipt TEXT "
        "CHECK (receipt IS NULL OR (typeof(receipt) = 'text' AND role = 'assistant'))",
    ),
    tables=("messages",),
    rows="messages",
    lost="no message could be read back",
    in_memory="what is said now is not kept",
    # Temporary files would hold what the file holds, in another place.
    pragmas=("secure_delete = ON", "temp_store = MEMORY"),
)
