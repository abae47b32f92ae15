"""Words that a shell and the chat's editor offer: names of models, conversations, strategies.

A shell asks while the person waits and has no place for errors, so what cannot be read offers
nothing, and nothing heavy is imported.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, MutableMapping

from edgemind.defaults import AUTO
from edgemind.errors import EdgemindError
from edgemind.wording import printable

Offered = list[tuple[str, str]]
"""Words, each with what it is."""


CUT = "_EDGEMIND_CUT"
"""How much of the word bash keeps as it stands: what is offered goes behind that."""


class _Word(str):
    """A word that is offered as it is: whoever asks it how it begins is told what they want.

    typer leaves out what does not begin as what was typed: names in another case, and the ends of
    words that bash took apart.
    """

    def startswith(self, *_: object) -> bool:
        return True


def mend_words(environ: MutableMapping[str, str]) -> None:
    """Put words together again that bash takes apart at `:` and `=`, as in `org/repo:Q4`."""
    words = environ.get("COMP_WORDS", "").split("\n")
    place = environ.get("COMP_CWORD", "")
    if not place.isdecimal() or int(place) >= len(words):
        return
    mended: list[str] = []
    glued, cut, current = False, 0, 0
    for number, word in enumerate(words[: int(place) + 1]):
        breaks = word in (":", "=")
        if mended and number > 1 and (breaks or glued):
            cut = len(mended[-1]) + (len(word) if breaks else 0)
            mended[-1] += word
        else:
            mended.append(word)
            cut = 0
        glued = breaks
        current = len(mended) - 1
    environ["COMP_WORDS"] = "\n".join(mended)
    environ["COMP_CWORD"] = str(current)
    if cut:
        environ[CUT] = mended[-1][:cut]


def mend_zsh() -> None:
    """typer's script for zsh answers from the second Tab on: the first one only loads it."""
    from typer import _completion_shared as shared

    shared._completion_scripts["zsh"] += (
        '\nif [[ $funcstack[1] == _%(prog_name)s ]]; then\n  %(complete_func)s "$@"\nfi\n'
    )


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
    stands = os.environ.get(CUT, "").rpartition("=")[2]
    found = [(word, what) for word, what in words if word.casefold().startswith(beginning)]
    return [(_Word(word[len(stands) :]), harmless(what)) for word, what in found]


def harmless(text: str) -> str:
    """What a person once said, as it may stand in what zsh evaluates and in rich's markup."""
    return re.sub(r"""[][\\"'`$!]""", "", printable(text)).replace("\n", " ")
