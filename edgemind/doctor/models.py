"""The person's models as the doctor sees them: what would be asked, what each one takes.

Reached from the parts `models` and `learned`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from edgemind.card import Card, read_card
from edgemind.catalog.bundled import bundled_model
from edgemind.choosing import default_model, model_path, person_library
from edgemind.config import Config, load_config
from edgemind.errors import ConfigError, EdgemindError

LOOK_SECONDS = 0.6
"""How long headers are read; a large vocabulary takes a tenth of a second."""
CONTEXT = 4096
"""What an engine opens where nobody asks for more."""


@dataclass(frozen=True, slots=True)
class Known:
    """One model: `card` is None where its files could not be read, for the reason in `error`.

    `asked` if it is the one that answers where nobody names another. `late` where the time was up.
    """

    name: str
    path: Path
    card: Card | None = None
    error: str = ""
    asked: bool = False
    late: bool = False

    @property
    def tokens(self) -> int:
        """The context that would be opened."""
        assert self.card is not None
        return min(CONTEXT, self.card.context or CONTEXT)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All of them, the model that would be asked among them; and lines about the catalogue."""

    known: tuple[Known, ...]
    warnings: tuple[str, ...]


def read_catalogue() -> Catalogue:
    """Look at every model's header, for a while."""
    warnings: list[str] = []
    return Catalogue(tuple(_known_models(warnings)), tuple(warnings))


def settings() -> Config:
    """The person's settings; what comes without any where they cannot be read."""
    try:
        return load_config()
    except ConfigError:
        return Config()


def asked_by() -> str:
    """What names the model that would be asked: what a person would change."""
    if os.environ.get("EDGEMIND_MODEL"):
        return "unset EDGEMIND_MODEL"
    return "edgemind config edit" if settings().model else "edgemind models use edgemind-nano"


def asked_path() -> Path:
    """Where the model is that `ask` would open; raises what that would raise."""
    named = settings().model or os.environ.get("EDGEMIND_MODEL")
    return model_path(named) if named else default_model() or bundled_model()


def _known_models(warn: list[str]) -> Iterator[Known]:
    """The model that would be asked, if no catalogue holds it, then the catalogue's."""
    until = time.monotonic() + LOOK_SECONDS
    path, error = Path(), ""
    try:
        path = asked_path()
    except EdgemindError as caught:
        error = str(caught)
    with closing(person_library(warn.append)) as library:
        entries = library.entries()
    if error:
        yield Known("default", path, error=error, asked=True)
    elif not any(_same(entry.path, path) for entry in entries):
        yield _known(path.stem, path, True, until + LOOK_SECONDS)
    for entry in entries:
        asked = not error and _same(entry.path, path)
        if entry.state == "missing":
            reason = f"its file is gone from {entry.path}"
            yield Known(entry.name, entry.path, error=reason, asked=asked)
        else:
            yield _known(entry.name, entry.path, asked, until)


def _known(name: str, path: Path, asked: bool, until: float) -> Known:
    if time.monotonic() > until and not asked:
        return Known(name, path, late=True)
    try:
        return Known(name, path, read_card(path), asked=asked)
    except (EdgemindError, OSError) as error:
        return Known(name, path, error=str(error), asked=asked)


def _same(left: Path, right: Path) -> bool:
    return os.path.abspath(left) == os.path.abspath(right)
