"""JSON lines from a file, with errors that name the line.

Reached from the other modules of this package.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from edgemind.errors import ConfigError
from edgemind.files import size

MAX_LINE, MAX_FILE = 1 << 24, 1 << 28
"""Most bytes of one line, and of all that are read."""


def json_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """(number from 1, object) of each line that is not blank.

    Raises `ConfigError` with one line for a file that cannot be read, text that is no UTF-8, a line
    that is no JSON object.
    """
    try:
        with path.open("rb") as file:
            number, left = 0, MAX_FILE
            while line := file.readline(MAX_LINE + 1):
                number += 1
                left -= len(line)
                if len(line) > MAX_LINE:
                    raise wrong(path, number, f"is longer than {size(MAX_LINE)}")
                if left < 0:
                    raise wrong(path, number, f"is beyond {size(MAX_FILE)}: give a smaller file")
                if line.strip():
                    yield number, _object(path, number, line)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or error}") from None


def _object(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        value = json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"))
    except UnicodeDecodeError:
        raise wrong(path, number, "is no UTF-8 text") from None
    except (ValueError, RecursionError) as error:
        reason = getattr(error, "msg", "nested too deeply")
        raise wrong(path, number, f"is no JSON: {reason}") from None
    if not isinstance(value, dict):
        raise wrong(path, number, "is no JSON object: each line has to be one")
    return value


def wrong(path: Path, number: int, complaint: str) -> ConfigError:
    """The error for a line, in the form of a compiler's."""
    return ConfigError(f"{path}:{number} {complaint}")
