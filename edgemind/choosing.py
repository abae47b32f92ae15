"""Which model a person means, by their catalogue and what other programs keep.

Reached from `edgemind.loading` and the commands. Nothing is opened, and where there is no catalogue
nothing is made.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from edgemind.catalog.library import BUNDLED, FILE, Library
from edgemind.catalog.paths import as_path, is_explicit
from edgemind.errors import ModelNotFound
from edgemind.folders import data_folder

if TYPE_CHECKING:
    from edgemind.catalog.finding import Match
    from edgemind.catalog.places.base import Found


def _warn(line: str) -> None:
    warnings.warn(line, stacklevel=2)


def person_library(warn: Callable[[str], None] = _warn) -> Library:
    """The catalogue in the person's data folder; `warn` takes a line that has to be known."""
    return Library(data_folder() / FILE, warn)


def others() -> Iterable[Found]:
    """What other programs of this person keep."""
    from edgemind.catalog.places import everything  # not at every start

    return everything(Path.home(), os.environ)


def match_model(text: str, library: Library) -> Match:
    """The model that `text` names; `ModelNotFound` with the nearest name where there is none."""
    from edgemind.catalog.finding import find_model  # not at every start

    return find_model(text, library.entries(), others)


def model_path(model: str | Path) -> Path:
    """Where the model is that a path or a name stands for; a `Path` is one."""
    if isinstance(model, Path) or is_explicit(model):
        return as_path(os.fspath(model))
    library = person_library()
    try:
        return match_model(model, library).path
    finally:
        library.close()


def default_model() -> Path | None:
    """The model that `edgemind models use` chose; None for the bundled one.

    Raises `ModelNotFound` where its file is gone: another one should not answer in its place.
    """
    library = person_library()
    if not library.path.exists():
        return None
    try:
        chosen = next((one for one in library.entries() if one.default), None)
    finally:
        library.close()
    if chosen is None or chosen.how == "bundled":
        return None
    if chosen.state == "missing":
        raise ModelNotFound(
            f"the default model {chosen.name} is no longer at {chosen.path}: bring it back, or "
            f"`edgemind models use {BUNDLED}`"
        )
    return chosen.path
