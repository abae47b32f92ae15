"""Conversations and texts in files: `/save`, `/load`, `/export`."""

from __future__ import annotations

from pathlib import Path

from edgemind.cli.writing import write, write_new
from edgemind.conversation.documents import text_of
from edgemind.conversation.talk import Talk
from edgemind.errors import ConfigError
from edgemind.transcript import Transcript, as_json, as_markdown, read_transcript
from edgemind.wording import printable, receipt

MAX_SAVED_BYTES = 64 << 20


def save(talk: Talk, path: Path) -> None:
    """Write the conversation as JSON. Only another conversation is written over."""
    if path.exists():
        try:
            read(path)
        except ConfigError:
            raise ConfigError(f"{path} is there and no conversation: give another name") from None
    write(path, as_json(talk.transcript()))


def read(path: Path) -> Transcript:
    """A saved conversation; `ConfigError` where it is none."""
    try:
        found = read_transcript(text_of(path, MAX_SAVED_BYTES))
    except ValueError:
        raise ConfigError(f"{path} is damaged") from None
    if found is None:
        raise ConfigError(f"{path} is no conversation that /save wrote")
    return found


def export(talk: Talk, path: Path) -> None:
    """Write the conversation for people (`.md`) or programs (`.json`, as `/save` does)."""
    if path.suffix not in (".md", ".json"):
        raise ConfigError("export as Markdown or JSON: a name that ends with .md or .json")
    one = talk.transcript()
    write_new(
        path, as_json(one) if path.suffix == ".json" else printable(as_markdown(one, receipt))
    )
