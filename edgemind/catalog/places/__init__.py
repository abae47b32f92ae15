"""Where other programs keep the models that they downloaded: one module each, its name is its key.

A module has `find(home, environment)`, which yields `Found` and only ever reads. `all_places` lists
them.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from edgemind.catalog.places.base import Find, Found

ORDER = ("huggingface", "llamacpp", "ollama", "lmstudio", "gpt4all", "jan", "llm")
"""Who is named for a file that several lead to; others come after them."""


def all_places() -> dict[str, Find]:
    """Each module's `find` by its name."""
    names = [one.name for one in pkgutil.iter_modules(__path__) if one.name != "base"]
    names.sort(key=lambda name: (ORDER.index(name) if name in ORDER else len(ORDER), name))
    found: dict[str, Find] = {}
    for name in names:
        found[name] = importlib.import_module(f"{__name__}.{name}").find
    return found


def everything(home: Path, environment: Mapping[str, str]) -> Iterator[Found]:
    """What all programs have, a file for as often as one leads to it."""
    for find in all_places().values():
        yield from find(home, environment)
