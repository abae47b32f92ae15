"""`edgemind history`: what was said, where `[history] keep = true` keeps it. One command each."""

from __future__ import annotations

import json as json_text
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from edgemind.cli.options import clean_errors
from edgemind.cli.record import HISTORY_OFF, history_file
from edgemind.cli.terminal import put, put_json, say
from edgemind.config import load_config
from edgemind.history import Conversation, History

history_app = typer.Typer(
    name="history",
    help="Look at conversations that were kept, or remove them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
ID_SHOWN, WORDS_SHOWN = 8, 50

Id = Annotated[str | None, typer.Argument(help="How its name begins, as in the list.")]
Json = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]


@history_app.callback()
def _commands() -> None:
    """Look at conversations that were kept, or remove them."""


@history_app.command("list")
def list_conversations(json: Json = False) -> None:
    """List what is kept, the latest last."""
    with clean_errors(), _opened() as history:
        found = history.conversations()
        if json:
            put_json(json_text.dumps([_values(one) for one in found], indent=1))
            return
        for one in found:
            put(_line(one))
        if not found:
            say("no conversation is kept" + ("" if load_config().history.keep else HISTORY_OFF))


@history_app.command()
def show(conversation: Id = None, json: Json = False) -> None:
    """Print a conversation; the latest one if none is named."""
    with clean_errors(), _opened() as history:
        name = history.find(conversation)
        chat = history.chat(name)
        if json:
            fields = [
                {"role": one.role, "content": one.content, "reasoning": one.reasoning}
                for one in chat
            ]
            put_json(json_text.dumps({"id": name, "messages": fields}, indent=1))
            return
        for number, one in enumerate(chat):
            put(f"{'' if number == 0 else chr(10)}{one.role}:")
            put(one.content)


@history_app.command()
def clear(conversation: Id = None) -> None:
    """Remove a conversation, or all: their bytes are overwritten, not only forgotten."""
    with clean_errors(), _opened() as history:
        name = None if conversation is None else history.find(conversation)
        count = history.clear(name)
        print(f"removed: {count} conversation{'' if count == 1 else 's'}", file=sys.stderr)


@contextmanager
def _opened() -> Iterator[History]:
    history = History(history_file(), warn=say)
    try:
        yield history
    finally:
        history.close()


def _line(one: Conversation) -> str:
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(one.started))
    words = " ".join(one.first.split())
    if len(words) > WORDS_SHOWN:
        words = f"{words[: WORDS_SHOWN - 1]}…"
    return f"{one.id[:ID_SHOWN]}  {when}  {one.messages:4}  {words}"


def _values(one: Conversation) -> dict[str, object]:
    return {
        "id": one.id,
        "started": one.started,
        "ended": one.ended,
        "model": one.model,
        "messages": one.messages,
        "first": one.first,
    }
