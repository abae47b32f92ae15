"""From what a person types to a model: a path, a name, an alias, a beginning, `org/repo:QUANT`.

In this order, so that nothing that is typed changes its meaning for what else lies on the disk: a
name or an alias; a path that is there; the beginning of one name only; what another program calls a
model that it keeps.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from edgemind.catalog.entry import Entry
from edgemind.catalog.paths import as_path, is_explicit
from edgemind.catalog.places.base import Found
from edgemind.catalog.scan import group
from edgemind.errors import ModelNotFound

PREFERRED: Final = ("Q4_K_M", "Q4_0", "Q8_0")
"""Which quantisation is meant where a repository has several and none is named."""
MOST_SHOWN: Final = 4
_REPO: Final = re.compile(r"(?P<repo>[\w.-]+/[\w.-]+)(?::(?P<quant>[\w.-]+))?")


@dataclass(frozen=True, slots=True)
class Match:
    """What was meant: a path, and the entry or the other program's model that it belongs to."""

    path: Path
    entry: Entry | None = None
    found: Found | None = None


def find_model(
    text: str, entries: Sequence[Entry], others: Callable[[], Iterable[Found]] = tuple
) -> Match:
    """The model that `text` names; `others` gives what other programs keep, asked for last.

    A text that can only be a path is one, whether there is a file or not. Raises `ModelNotFound`
    with the nearest names, or with those that it could be.
    """
    if (entry := named(text, entries)) is not None:
        return Match(entry.path, entry)
    path = as_path(text)
    if is_explicit(text) or _is_there(path):
        return Match(path, next((one for one in entries if one.path == path.absolute()), None))
    begun = [
        one
        for one in entries
        if any(name.casefold().startswith(text.casefold()) for name in one.names)
    ]
    if len(begun) == 1:
        return Match(begun[0].path, begun[0])
    if begun:
        raise ModelNotFound(f"{text!r} could be {_listed([one.name for one in begun])}: type more")
    elsewhere = list(others())
    if (found := _kept(text, elsewhere)) is not None:
        return Match(found.path, None, found)
    raise ModelNotFound(f"no model is called {text!r}: {_hint(text, entries, elsewhere)}")


def named(text: str, entries: Iterable[Entry]) -> Entry | None:
    """The entry of exactly this name or alias, upper or lower case."""
    wanted = text.casefold()
    return next((one for one in entries if wanted in (name.casefold() for name in one.names)), None)


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def _kept(text: str, found: Sequence[Found]) -> Found | None:
    """What another program keeps under this name, or from this repository."""
    wanted = text.casefold()
    exact = [one for one in found if wanted in (one.name.casefold(), f"{one.name}:latest")]
    exact += [one for one in found if one.name.casefold() == f"{wanted}:latest"]
    if exact:
        return exact[0]
    match = _REPO.fullmatch(text)
    if match is None:
        return None
    own = [one for one in found if (one.repo or "").casefold() == match["repo"].casefold()]
    if match["quant"]:
        quant = match["quant"].casefold()
        return next((one for one in own if (one.quant or "").casefold() == quant), None)
    models = [ways[0] for ways in group(own)]
    if len(models) == 1:
        return models[0]
    for quant in PREFERRED:
        for one in models:
            if one.quant == quant:
                return one
    if models:
        names = sorted({one.name for one in models})
        raise ModelNotFound(f"{text!r} could be {_listed(names)}: name one")
    return None


def _hint(text: str, entries: Sequence[Entry], found: Sequence[Found]) -> str:
    names = {name.casefold(): name for one in entries for name in one.names}
    names |= {one.name.casefold(): one.name for one in found}
    near = get_close_matches(text.casefold(), names, n=1, cutoff=0.5)
    if near:
        return f"did you mean {names[near[0]]}?"
    inside = [name for low, name in names.items() if text.casefold() in low]
    if inside:
        return f"did you mean {_listed(inside)}?"
    return "`edgemind models list` shows those that there are"


def _listed(names: Sequence[str]) -> str:
    shown = list(names[:MOST_SHOWN])
    if len(names) > MOST_SHOWN:
        return f"{', '.join(shown)} or {len(names) - MOST_SHOWN} others"
    return f"{', '.join(shown[:-1])} or {shown[-1]}" if len(shown) > 1 else shown[0]
