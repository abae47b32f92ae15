"""The doctor's seam: findings, parts, and the site that they are about."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

from edgemind.conditions import memory
from edgemind.doctor.libraries import Library, ask_library
from edgemind.doctor.models import Catalogue, read_catalogue
from edgemind.meters.base import Place

State = Literal["ok", "note", "problem"]
"""A problem stops `edgemind ask` from answering; a note costs speed, comfort or certainty."""
Value: TypeAlias = str | float | bool | list[Any] | dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what it is about (unique in its part, stable), what was found, what to do.

    `value` is the same for programs: a number in the unit that its key or the documentation says.
    """

    key: str
    text: str
    value: Value = None
    state: State = "ok"
    action: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """All findings about one thing."""

    key: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Site:
    """What is examined; all of it can be replaced by a test.

    `place.root` is where `/sys`, `/proc` and `/etc` are. `library` asks what one of the two
    libraries says of itself, `models` reads the catalogue.
    """

    place: Place = field(default_factory=Place)
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    library: Callable[[str], Library] = ask_library
    models: Callable[[], Catalogue] = read_catalogue
    cores_allowed: frozenset[int] | None = None

    @property
    def root(self) -> Path:
        """Where `/` is."""
        return self.place.root

    def free_memory(self) -> int | None:
        """Bytes that a model may take without swapping, as an engine reckons; None: unknown."""
        return memory(self.root / "proc")[0]
