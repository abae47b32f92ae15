"""Words that a shell and the chat's editor offer: names of models, conversations, strategies.

A shell asks while the person waits and has no place for errors, so what cannot be read offers
nothing, and nothing heavy is imported.
"""

from __future__ import annotations

from collections.abc import Iterable

from edgemind.defaults import AUTO
from edgemind.errors import EdgemindError

Offered = list[tuple[str, str]]
"""Words, each with what it is."""


def model_words(incomplete: str) -> Offered:
    """Names and aliases of the catalogue."""
    from edgemind.choosing import person_library

    library = person_library(lambda line: None)
    try:
        entries = library.entries()
    except EdgemindError:
        return []
    finally:
        library.close()
    return _begun(
        (
            (name, entry.source if name == entry.name else f"alias of {entry.name}")
            for entry in entries
            for name in entry.names
        ),
        incomplete,
    )


def conversation_words(incomplete: str) -> Offered:
    """Names of kept conversations, the latest first."""
    from edgemind.cli.record import ID_SHOWN, open_history, shortened
    from edgemind.transcript import local_minute

    try:
        with open_history(warn=lambda line: None) as history:
            kept = history.conversations()
    except EdgemindError:
        return []
    return _begun(
        (
            (one.id[:ID_SHOWN], f"{local_minute(one.started)} {shortened(one.first)}")
            for one in reversed(kept)
        ),
        incomplete,
    )


def strategy_words(incomplete: str) -> Offered:
    """The strategies' names."""
    from edgemind.strategies import strategy_names

    return _begun(((name, "") for name in (AUTO, *strategy_names())), incomplete)


def _begun(words: Iterable[tuple[str, str]], incomplete: str) -> Offered:
    beginning = incomplete.casefold()
    return [(word, what) for word, what in words if word.casefold().startswith(beginning)]
