"""The person's record of what answers cost, for the commands that answer or report."""

from __future__ import annotations

import sys

from edgemind.config import load_config
from edgemind.folders import data_folder
from edgemind.usage.account import FILE, Usage


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


def say(line: str) -> None:
    """One line beside the answer, not in it."""
    print(f"edgemind: {line}", file=sys.stderr)
