"""What the terminal shows: colours, width, characters."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator

from edgemind.doctor.base import Finding, Site

RANK = 120
NARROW = 60


def terminal(site: Site) -> Iterator[Finding]:
    """Where output goes."""
    is_terminal = sys.stdout.isatty()
    columns = shutil.get_terminal_size().columns
    encoding = (getattr(sys.stdout, "encoding", None) or "ascii").lower()
    name = site.environment.get("TERM", "")
    plain = bool(site.environment.get("NO_COLOR")) or name in ("", "dumb")
    unicode = "utf" in encoding
    value = {
        "terminal": is_terminal,
        "columns": columns,
        "encoding": encoding,
        "colours": is_terminal and not plain,
    }
    if not is_terminal:
        yield Finding("output", f"no terminal (a pipe or a file), {encoding}", value)
        return
    text = f"{name or 'of no name'}, {columns} columns, {encoding}, "
    text += "no colours" if plain else "colours"
    if not unicode:
        action = "set a UTF-8 locale (LANG=C.UTF-8): signs would be shown as ?"
        yield Finding("output", text, value, "note", action)
    elif columns < NARROW:
        yield Finding("output", f"{text}: tables break", value, "note", f"{NARROW} columns or more")
    else:
        yield Finding("output", text, value)
