"""Writes docs/configuration.md's table of settings, from the schema of config.toml.

    python scripts/write_settings.py [--check]

A setting that is called as an option of `edgemind ask` is explained, and has the default, as there.
"""

from __future__ import annotations

import dataclasses
import inspect
import sys
from collections.abc import Iterator
from typing import Any

import typer

from edgemind.cli.ask import ask
from edgemind.config import Config
from edgemind.settings import Key, settings, variable
from generated_pages import DOCS, Pages, plain, run, table, with_part

PAGE = DOCS / "configuration.md"
SCRIPT = "write_settings.py"


def pages() -> Pages:
    """The page with its table made anew."""
    return {PAGE: with_part(PAGE, "settings", SCRIPT, tables())}


def tables() -> str:
    """All settings: those of `ask` and `chat`, and each table of the file by itself."""
    by_table: dict[Key, list[tuple[str, ...]]] = {}
    for key, found in fields(Config, ()):
        row = (
            f"`{key[-1]}`",
            meaning(key, found),
            kind(key),
            default(key, found),
            f"`{variable(key)}`",
        )
        by_table.setdefault(key[:-1], []).append(row)
    columns = ("key", "", "takes", "default", "variable")
    parts = []
    for above, rows in by_table.items():
        name = ".".join(above)
        heading = f"### `[{name}]`" if name else "### At the top"
        parts.append(f"{heading}\n\n{table(columns, rows)}")
    return "\n\n".join(parts)


def fields(kind: Any, above: Key) -> Iterator[tuple[Key, Any]]:
    """Every setting outside of profiles: the way to it, and its field."""
    for each in dataclasses.fields(kind):
        key = (*above, each.name)
        inner = each.metadata.get("table")
        if inner is not None:
            yield from fields(inner, key)
        elif key != ("profile",):
            yield key, each


def option(key: Key) -> Any:
    """The option of `edgemind ask` that a setting is the default of; None where there is none."""
    if len(key) > 1 and key[0] != "budget":
        return None
    app = typer.Typer()
    app.command()(ask)
    found = [one for one in typer.main.get_command(app).params if one.name == key[-1]]
    return found[0] if found and key[-1] != "profile" else None


def meaning(key: Key, found: Any) -> str:
    """What a setting is for."""
    said = found.metadata.get("says") or getattr(option(key), "help", "")
    if not said:
        raise SystemExit(f"{'.'.join(key)} says nothing: give setting(…, says=…) in its schema")
    return plain(said)


def kind(key: Key) -> str:
    """What a setting takes, as the function says that reads it."""
    words = (inspect.getdoc(settings()[key]) or "").splitlines()[0].rstrip(".")
    return plain(words[:1].lower() + words[1:])


def default(key: Key, found: Any) -> str:
    """What holds where nothing is set."""
    value = found.default
    if value is None and key[0] != "budget":
        value = getattr(option(key), "default", None)
    match value:
        case None:
            return ""
        case bool():
            return f"`{str(value).lower()}`"
        case float():
            return f"`{value:g}`"
        case _:
            return f"`{value}`"


if __name__ == "__main__":
    sys.exit(run(pages, __doc__))
