"""`edgemind models list` and `show`: what there is, and all that a model's files say."""

from __future__ import annotations

import dataclasses
import json as json_text
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import typer

from edgemind.catalog.inspection import shares
from edgemind.cli.completing import model_words
from edgemind.cli.models_words import WORDS, sampling, sha256_of, values, with_facts
from edgemind.cli.options import clean_errors
from edgemind.cli.table import Section
from edgemind.cli.terminal import put_json, say
from edgemind.files import decimal as size
from edgemind.wording import count, printable

Json = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]


def list_models(json: Json = False) -> None:
    """List the models that have a name here; * is the one that is asked by default."""
    from edgemind.choosing import person_library

    with clean_errors(), closing(person_library(say)) as library:
        entries = [with_facts(entry) for entry in library.entries()]
        if json:
            put_json(json_text.dumps([values(entry) for entry in entries], indent=1))
            return
        columns = ("", "name", "size", "parameters", "quantisation", "context", "", "path")
        rows = [
            (
                "*" if one.default else "",
                ", ".join(one.names),
                size(one.facts.bytes),
                count(one.facts.parameters),
                one.facts.quantisation or "–",
                f"{one.facts.context:,}" if one.facts.context else "–",
                one.state or WORDS[one.how],
                str(one.path),
            )
            for one in entries
        ]
        for line in Section("models", columns, tuple(rows)).lines():
            print(printable(line).replace("\n", " "))


def show_model(
    name: Annotated[
        str | None,
        typer.Argument(
            help="A name, an alias or a path; the default model if none.",
            autocompletion=model_words,
        ),
    ] = None,
    context: Annotated[
        int | None, typer.Option(min=1, help="Tokens for which the memory is computed.")
    ] = None,
    width: Annotated[
        int, typer.Option(min=1, help="Samples at once for which it is computed.")
    ] = 16,
    hash: Annotated[
        bool, typer.Option("--hash", help="Read the whole file for its SHA-256.")
    ] = False,
    json: Json = False,
) -> None:
    """Show what a model's files say: architecture, sizes, template, licence, memory, hash.

    Nothing is loaded. The memory is what it takes for a context and a number of samples at once.
    """
    from edgemind.card import read_card
    from edgemind.choosing import match_model, person_library
    from edgemind.conditions import memory

    with clean_errors(), closing(person_library(say)) as library:
        entries = library.entries()
        if name is None:
            entry = next((one for one in entries if one.default), None)
            path = entry.path if entry else Path()
        else:
            match = match_model(name, library)
            entry, path = match.entry, match.path
        card = read_card(path)
        digest = entry.facts.sha256 if entry else None
        if hash or (entry is not None and entry.how == "bundled"):  # that one is small
            digest = sha256_of(card.files[0])
            if entry is not None and entry.id:
                library.learn(entry, card.facts(digest))
        tokens = context or card.usual_context
        needed = {wide: card.memory(tokens, wide) for wide in sorted({1, width})}
        if json:
            told = {
                key: value
                for key, value in _plain(card).items()
                if key not in ("memory", "files", "home", "sampling")
            }
            told |= {
                "names": list(entry.names) if entry else [],
                "default": entry.default if entry else False,
                "source": entry.source if entry else "",
                "files": [str(one) for one in card.files],
                "sampling": _set(card.sampling),
                "sha256": digest,
                "memory": [
                    {"context": tokens, "width": wide, "bytes": amount}
                    for wide, amount in needed.items()
                ],
            }
            put_json(json_text.dumps(told, indent=1))
            return
        rows = [("path", str(path))]
        if entry is not None:
            rows.append(("names", ", ".join(entry.names) + (", default" if entry.default else "")))
            rows.append(("from", entry.source or WORDS[entry.how]))
        files = "one file" if len(card.files) == 1 else f"{len(card.files)} files"
        rows += [
            ("format", f"{card.format}, {size(card.bytes)} in {files}"),
            ("calls itself", card.name or "not said"),
            ("architecture", card.architecture),
            ("parameters", f"{card.parameters:,}"),
            ("quantisation", f"{card.quantisation} ({shares(card.types)})"),
            ("context", f"{card.context:,} tokens" if card.context else "not said"),
            ("vocabulary", f"{card.vocabulary:,} tokens"),
            ("template", f"sha256 {card.template}" if card.template else "none in the file"),
            ("sampling", sampling(_set(card.sampling))),
            ("licence", card.licence or "not said"),
            ("sha256", digest or "not known (--hash reads the whole file)"),
        ]
        available = memory()[0]
        for wide, amount in needed.items():
            fits = "" if available is None else f" ({size(available)} are free)"
            what = f"{wide} sample{'s' if wide > 1 else ' '}"
            rows.append(("memory", f"{size(amount)} for {tokens:,} tokens and {what}{fits}"))
        rows += [("note", note) for note in card.notes]
        for title, text in rows:
            print(f"{title:<14}{printable(text).replace(chr(10), ' ')}")


def _set(sampling: Any) -> dict[str, Any]:
    kept = "temperature top_k top_p min_p repeat_penalty repeat_last_n".split()
    return {name: value for name in kept if (value := getattr(sampling, name)) is not None}


def _plain(card: Any) -> dict[str, Any]:
    told = {each.name: getattr(card, each.name) for each in dataclasses.fields(card)}
    return told | {"path": str(card.path), "types": [list(one) for one in card.types]}
