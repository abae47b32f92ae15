"""What the commands of `edgemind models` say in the same words: sizes, counts, entries, facts."""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from edgemind.catalog.entry import Entry
from edgemind.catalog.library import Library
from edgemind.errors import EdgemindError, ModelNotFound

WORDS: Final = {
    "bundled": "bundled",
    "link": "linked",
    "copy": "copied",
    "move": "moved",
    "pull": "fetched",
}
"""How a model came to be here."""


def with_facts(entry: Entry) -> Entry:
    """The entry; the bundled model's facts are read, since no catalogue holds them."""
    from edgemind.card import read_card  # engines' sums: not for a list without it

    if entry.how != "bundled":
        return entry
    try:
        return replace(entry, facts=read_card(entry.path).facts())
    except (EdgemindError, OSError):
        return entry


def values(entry: Entry) -> dict[str, Any]:
    """An entry as values of JSON."""
    told = dataclasses.asdict(entry)
    told |= told.pop("facts")
    told |= {"path": str(entry.path), "aliases": list(entry.aliases), "state": entry.state or "ok"}
    del told["id"], told["modified_ns"]
    return told


def sha256_of(path: Path) -> str:
    """The SHA-256 of a whole file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def count(number: int) -> str:
    """`4.5 M`, `7.6 B` parameters."""
    if not number:
        return "–"
    for factor, unit in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")):
        if number >= factor:
            return f"{number / factor:.3g} {unit}"
    return str(number)


def sampling(given: dict[str, Any]) -> str:
    """What a model's makers want it to be sampled with."""
    parts = [f"{name} {float(f'{value:.4g}'):g}" for name, value in given.items()]
    return ", ".join(parts) or "not said"


def named_entry(library: Library, name: str) -> Entry:
    """The entry that a name stands for, for commands that change the catalogue.

    Raises `ModelNotFound`, also for a file or another program's model that has no entry.
    """
    from edgemind.choosing import match_model

    match = match_model(name, library)
    if match.entry is None:
        raise ModelNotFound(
            f"{match.path} has no name here yet: `edgemind models add {match.path}` gives it one"
        )
    return match.entry
