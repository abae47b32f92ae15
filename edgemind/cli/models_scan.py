"""`edgemind models scan`: what other programs have downloaded, offered by link."""

from __future__ import annotations

import json as json_text
import os
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import typer

from edgemind.catalog.entry import Entry
from edgemind.catalog.scan import Candidate, scan
from edgemind.cli.models_change import add, fit_name, person_shelf, same_file
from edgemind.cli.options import clean_errors
from edgemind.cli.table import Section
from edgemind.cli.terminal import put_json, say
from edgemind.errors import EdgemindError
from edgemind.files import decimal as size
from edgemind.wording import printable


def scan_models(
    link: Annotated[
        bool, typer.Option("--link", help="Give every model that was found a name here.")
    ] = False,
    every: Annotated[
        bool, typer.Option("--all", help="Also list what cannot be used, and why.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Find models that Hugging Face, ollama, LM Studio, GPT4All, Jan, llama.cpp and llm downloaded.

    Nothing of theirs is changed, moved or copied. A model can be used by the name that is shown;
    --link lists it among your models.
    """
    from edgemind.choosing import person_library

    with clean_errors(), closing(person_library(say)) as library:
        entries = library.entries()
        found = scan(Path.home(), os.environ)
        if link:
            for one in found:
                if not one.problem and known_as(one, entries) is None:
                    path, name = one.found.path, _free_name(one, entries)
                    source = f"{one.found.program}: {one.found.name}"
                    try:
                        add(library, person_shelf(), path, name, "link", source, one.found.sha256)
                    except EdgemindError as error:
                        say(f"{one.found.name} was left out: {error}")
                    entries = library.entries()
        if json:
            put_json(json_text.dumps([values(one, entries) for one in found], indent=1))
            return
        shown = [one for one in found if every or not one.problem]
        columns = ("name", "size", "of", "", "path")
        rows = [
            (
                one.found.name,
                size(one.bytes),
                ", ".join(dict.fromkeys(way.program for way in (one.found, *one.also))),
                _state(one, entries),
                str(one.found.path),
            )
            for one in shown
        ]
        if rows:
            for line in Section("found", columns, tuple(rows)).lines():
                print(printable(line).replace("\n", " "))
        bad = len(found) - sum(not one.problem for one in found)
        if not found:
            say("no other program's models were found")
        elif bad and not every:
            say(f"{bad} {'is' if bad == 1 else 'are'} no model that runs here (--all lists why)")
        if not link and any(not one.problem and known_as(one, entries) is None for one in found):
            say("`edgemind models scan --link` lists them among yours; nothing is copied")


def known_as(candidate: Candidate, entries: Sequence[Entry]) -> str | None:
    """The name under which a model is in the catalogue already."""
    ways = [way.path for way in (candidate.found, *candidate.also)]
    digests = {way.sha256 for way in (candidate.found, *candidate.also)} - {None}
    for entry in entries:
        if entry.facts.sha256 in digests or any(same_file(entry.path, way) for way in ways):
            return entry.name
    return None


def values(candidate: Candidate, entries: Sequence[Entry]) -> dict[str, Any]:
    """What was found, as values of JSON."""
    found = candidate.found
    return {
        "name": found.name,
        "path": str(found.path),
        "program": found.program,
        "repo": found.repo,
        "quantisation": found.quant,
        "bytes": candidate.bytes,
        "sha256": found.sha256,
        "also": [
            {"program": way.program, "name": way.name, "path": str(way.path)}
            for way in candidate.also
        ],
        "known_as": known_as(candidate, entries),
        "problem": candidate.problem,
    }


def _state(candidate: Candidate, entries: Sequence[Entry]) -> str:
    if candidate.problem:
        return candidate.problem
    known = known_as(candidate, entries)
    return f"known as {known}" if known else "new"


def _free_name(candidate: Candidate, entries: Sequence[Entry]) -> str:
    """A name for it that nothing has yet: its own, with the program's or a number if need be."""
    taken = {name.casefold() for entry in entries for name in entry.names}
    own = fit_name(candidate.found.name)
    choices = [own, f"{candidate.found.program}/{own}", *(f"{own}-{n}" for n in range(2, 1000))]
    return next(one for one in choices if one.casefold() not in taken)
