"""Chat templates by their hash: which one a model of this name had before.

A template decides what a model is told of a chat. A file that calls itself as one that was opened
before and brings another template is reported (`edgemind.loading`), once for each template.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from pathlib import Path
from typing import Final

from edgemind.folders import replace_file

NONE: Final = "none"
"""Stands for the hash of a template that is not there."""
MOST: Final = 64
"""Templates that are remembered for one name, the newest ones: many fine-tunes share theirs."""


def template_hash(source: str | None) -> str:
    """The SHA-256 of a template, as `edgemind models verify` prints it."""
    return NONE if source is None else hashlib.sha256(source.encode(errors="replace")).hexdigest()


class TemplateRecord:
    """The templates that models of each name had, in `folder`: one small file for each name."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def change(self, name: str, template: str) -> str | None:
        """Remember that the model `name` has the template of this hash.

        If it had others and never this one: the hash of the last one, else None.
        """
        file = (
            self._folder / f"{hashlib.sha256(name.encode(errors='replace')).hexdigest()[:32]}.json"
        )
        known = _read(file)
        if template in known:
            return None
        entry = {"name": name, "templates": [*known, template][-MOST:]}
        with suppress(OSError):  # it is told again next time
            replace_file(file, json.dumps(entry), private=True)
        return known[-1] if known else None


def _read(file: Path) -> list[str]:
    try:
        known = json.loads(file.read_text(encoding="utf-8"))["templates"]
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return []  # none, or none of ours
    return [one for one in known if isinstance(one, str)] if isinstance(known, list) else []
