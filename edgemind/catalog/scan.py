"""Looks for models that other programs have downloaded. Reads, and writes nothing.

A file that several programs lead to, by links or by content of the same known hash, is one model.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgemind.catalog.inspection import inspect
from edgemind.catalog.places import everything
from edgemind.catalog.places.base import Found
from edgemind.errors import ModelError


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model, all the ways to it, and why it cannot be used (empty where it can)."""

    found: Found
    also: tuple[Found, ...]
    bytes: int
    problem: str = ""


def scan(
    home: Path, environment: Mapping[str, str] = os.environ, places: Iterable[Found] | None = None
) -> list[Candidate]:
    """Every model once, with what its file's header says of its use.

    Headers are read by edgemind's own bounded reader; no library opens anything.
    """
    grouped = group(everything(home, environment) if places is None else places)
    return [_judged(ways) for ways in grouped]


def group(found: Iterable[Found]) -> list[list[Found]]:
    """What leads to the same model, together."""
    groups: list[list[Found]] = []
    known: dict[object, list[Found]] = {}
    for one in found:
        keys = list(_keys(one))
        ways = next((known[key] for key in keys if key in known), None)
        if ways is None:
            ways = []
            groups.append(ways)
        if not any(way.path == one.path and way.name == one.name for way in ways):
            ways.append(one)
        for key in keys:
            known.setdefault(key, ways)
    return groups


def _keys(found: Found) -> Iterator[object]:
    """By what two of them are known to be the same."""
    if found.sha256:
        yield found.sha256
    try:
        known = found.path.stat()
    except OSError:
        return
    yield (known.st_dev, known.st_ino)


def _judged(ways: Sequence[Found]) -> Candidate:
    first = ways[0]
    try:
        if first.path.is_dir():
            size = sum(one.stat().st_size for one in first.path.rglob("*") if one.is_file())
            return Candidate(first, tuple(ways[1:]), size)
        return Candidate(first, tuple(ways[1:]), inspect(first.path).bytes)
    except (ModelError, OSError) as error:
        size = first.path.stat().st_size if first.path.is_file() else 0
        return Candidate(first, tuple(ways[1:]), size, str(error))
