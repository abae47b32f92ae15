"""Where edgemind keeps a person's things, and how it writes them.

Folders are asked for by who opens something, never at import.
"""

from __future__ import annotations

import os
from pathlib import Path


def data_folder() -> Path:
    """The folder of edgemind's own data; `EDGEMIND_DATA_DIR` names another."""
    if given := os.environ.get("EDGEMIND_DATA_DIR"):
        return Path(given)
    from platformdirs import user_data_path

    return Path(user_data_path("edgemind", appauthor=False))


def config_folder() -> Path:
    """The folder of what the person sets."""
    from platformdirs import user_config_path

    return Path(user_config_path("edgemind", appauthor=False))


def cache_folder() -> Path:
    """The folder of what can be measured again; `EDGEMIND_CACHE_DIR` names another."""
    if given := os.environ.get("EDGEMIND_CACHE_DIR"):
        return Path(given)
    from platformdirs import user_cache_path

    return Path(user_cache_path("edgemind", appauthor=False))


def replace_file(path: Path, text: str, *, private: bool = False) -> None:
    """Put `text` where `path` is, all at once: a reader sees the old file or the new one.

    `private`: nobody else may read it, nor list its folder if that is made now. It is not flushed
    to the disk: after a power cut the older file, or none, is left. Raises OSError.
    """
    path.parent.mkdir(mode=0o700 if private else 0o777, parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    try:
        with open(
            os.open(partial, flags, 0o600 if private else 0o666), "w", encoding="utf-8"
        ) as to:
            to.write(text)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
