"""Where edgemind keeps a person's things. Asked for by who opens something, never at import."""

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
