"""What is kept of answers, for the commands that answer or report: their costs, and if the person
wants it, what was said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from edgemind.cli.terminal import say
from edgemind.config import load_config
from edgemind.errors import EdgemindError
from edgemind.folders import data_folder
from edgemind.types import Answer, Chat
from edgemind.usage.account import FILE, Usage

if TYPE_CHECKING:
    from edgemind.history import History

ID_SHOWN, CHARACTERS_SHOWN = 8, 50
HISTORY_OFF = " (history.keep is not set in config.toml)"


class Kept(Protocol):
    """Where one question and its answer go."""

    def __call__(self, asked: Chat, answer: Answer, chosen: str | Path | None) -> None:
        """Keep them. `chosen` is what the model was opened by."""


def history_file() -> Path:
    """Where conversations are kept, if they are."""
    from edgemind.history import FILE as HISTORY

    return data_folder() / HISTORY


def person_history() -> Kept:
    """What keeps a question and its answer; it forgets them unless `[history] keep`.

    Raises `ConfigError`.
    """
    if not load_config().history.keep:
        return lambda asked, answer, chosen: None
    from edgemind.history import new_conversation
    from edgemind.prompt import said
    from edgemind.receipts import Receipt

    def keep(asked: Chat, answer: Answer, chosen: str | Path | None) -> None:
        with open_history() as history:
            history.add(
                new_conversation(),
                answer.model,
                (*asked, said(answer)),
                source=place_of(chosen),
                receipts=[Receipt.of(answer)],
            )

    return keep


def shortened(text: str) -> str:
    """The beginning of a text, in one line."""
    line = " ".join(text.split())
    return line if len(line) <= CHARACTERS_SHOWN else f"{line[: CHARACTERS_SHOWN - 1]}…"


@contextmanager
def open_history(warn: Callable[[str], None] = say) -> Iterator[History]:
    """The person's history; closed at the end. `warn` takes a line that has to be known."""
    from edgemind.history import History

    history = History(history_file(), warn=warn)
    try:
        yield history
    finally:
        history.close()


def place_of(chosen: str | Path | None) -> str | None:
    """Where the model is that a person chose, to be found again from any folder."""
    if chosen is None:
        return None
    from edgemind.choosing import model_path

    try:
        return str(model_path(chosen).absolute())
    except EdgemindError:  # it was renamed while it answered
        return None


def person_usage(*, over: bool = False, quiet: bool = False) -> Usage:
    """The record in the person's data folder, with the budgets of their configuration.

    With `usage.record = false` it is kept in memory only. Raises `ConfigError`.
    """
    config = load_config()
    return Usage(
        data_folder() / FILE if config.usage.record else None,
        config,
        over=over,
        warn=say,
        notice=(lambda line: None) if quiet else say,
    )
