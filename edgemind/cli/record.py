"""What is kept of answers, for the commands that answer or report: their costs, and if the person
wants it, what was said.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from edgemind.cli.terminal import say
from edgemind.config import load_config
from edgemind.folders import data_folder
from edgemind.types import Message
from edgemind.usage.account import FILE, Usage

HISTORY_OFF = " (history.keep is not set in config.toml)"


class Kept(Protocol):
    """Where a conversation's messages go."""

    def __call__(self, model: str, messages: Sequence[Message]) -> None:
        """Keep these, after the ones before."""


def history_file() -> Path:
    """Where conversations are kept, if they are."""
    from edgemind.history import FILE as HISTORY

    return data_folder() / HISTORY


def person_history() -> Kept:
    """What keeps the messages of one new conversation; it forgets them unless `[history] keep`.

    Raises `ConfigError`.
    """
    if not load_config().history.keep:
        return lambda model, messages: None
    from edgemind.history import History, new_conversation

    name = new_conversation()

    def keep(model: str, messages: Sequence[Message]) -> None:
        history = History(history_file(), warn=say)
        try:
            history.add(name, model, messages)
        finally:
            history.close()

    return keep


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
