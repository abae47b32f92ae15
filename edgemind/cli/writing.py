"""Files that a command writes because the person named them."""

from __future__ import annotations

from pathlib import Path

from edgemind.errors import ConfigError
from edgemind.folders import replace_file


def write_new(path: Path, text: str) -> None:
    """Write a file that is not there yet. Raises `ConfigError`."""
    if path.exists():
        raise ConfigError(f"{path} is there already: give another name")
    write(path, text)


def write(path: Path, text: str) -> None:
    """Write a file for the person alone, all at once. Raises `ConfigError`."""
    try:
        replace_file(path, text, private=True)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}") from None
