"""`edgemind history`: what was said, where `[history] keep = true` keeps it. One command each."""

from __future__ import annotations

import json as json_text
import os
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from edgemind.cli.completing import conversation_words
from edgemind.cli.options import clean_errors
from edgemind.cli.record import HISTORY_OFF, ID_SHOWN, open_history, shortened
from edgemind.cli.terminal import put, put_json, say
from edgemind.cli.writing import write_new
from edgemind.config import load_config
from edgemind.errors import ConfigError
from edgemind.history import Conversation, History
from edgemind.history_search import Hit
from edgemind.transcript import Said, Transcript, as_json, as_markdown, local_minute, turns_of
from edgemind.wording import printable, receipt

history_app = typer.Typer(
    name="history",
    help="Look at conversations that were kept, search, export or remove them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
BOLD, DIM, PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[22m"

Id = Annotated[
    str | None,
    typer.Argument(help="How its name begins, as in the list.", autocompletion=conversation_words),
]
Json = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]
Format = Literal["markdown", "json"]


@history_app.callback()
def _commands() -> None:
    """Look at conversations that were kept, search, export or remove them."""


@history_app.command("list")
def list_conversations(json: Json = False) -> None:
    """List what is kept, the latest last."""
    with clean_errors(), open_history() as history:
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
    """Print a conversation, with what its answers cost; the latest one if none is named."""
    with clean_errors(), open_history() as history:
        name = history.find(conversation)
        said = history.said(name)
        if json:
            put_json(json_text.dumps({"id": name, "messages": [*map(_message, said)]}, indent=1))
            return
        for number, one in enumerate(said):
            put(f"{'' if number == 0 else chr(10)}{one.message.role}:")
            put(one.message.content)
            if one.receipt is not None:
                print(_dimmed(printable(receipt(one.receipt))), flush=True)


@history_app.command()
def search(
    words: Annotated[list[str], typer.Argument(help="Words, or how they begin.")],
    limit: Annotated[int, typer.Option(min=1, help="Most messages, the latest of them.")] = 20,
    json: Json = False,
) -> None:
    """Find messages that have every one of these words, the latest last."""
    with clean_errors(), open_history() as history:
        hits = history.search(" ".join(words), most=limit + 1)
        more, hits = len(hits) > limit, hits[-limit:]
        if json:
            put_json(json_text.dumps([_found(one) for one in hits], indent=1))
        elif hits:
            if more:
                say("there are older ones: --limit shows more")
            for one in hits:
                print(_hit(one), flush=True)
        else:
            say("nothing is found")


@history_app.command()
def export(
    conversation: Id = None,
    every: Annotated[bool, typer.Option("--all", help="All conversations.")] = False,
    form: Annotated[
        Format | None,
        typer.Option("--format", help="Markdown to read, JSON for programs and /load of the chat."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="A new file, rather than stdout; .json is JSON.")
    ] = None,
) -> None:
    """Write a conversation, or all, as Markdown or JSON; the latest one if none is named."""
    with clean_errors(), open_history() as history:
        if every and conversation is not None:
            raise ConfigError("one conversation or --all, not both")
        is_json = form == "json" or (
            form is None and output is not None and output.suffix == ".json"
        )
        name = None if every else history.find(conversation)
        some = [
            _transcript(history, one)
            for one in history.conversations()
            if name is None or one.id == name
        ]
        if not some:
            raise ConfigError("no conversation is kept")
        if is_json:
            text = as_json(some if every else some[0])
        else:
            text = printable("\n".join(as_markdown(one, receipt) for one in some))
        if output is not None:
            write_new(output.expanduser(), text)
            count = "1 conversation" if len(some) == 1 else f"{len(some)} conversations"
            print(f"exported: {count} to {printable(str(output))}", file=sys.stderr)
        elif is_json:
            put_json(text.removesuffix("\n"))
        else:
            put(text.removesuffix("\n"))


@history_app.command()
def clear(conversation: Id = None) -> None:
    """Remove a conversation, or all: their bytes are overwritten, not only forgotten."""
    with clean_errors(), open_history() as history:
        name = None if conversation is None else history.find(conversation)
        count = history.clear(name)
        print(f"removed: {count} conversation{'' if count == 1 else 's'}", file=sys.stderr)


def _transcript(history: History, one: Conversation) -> Transcript:
    system, turns = turns_of(history.said(one.id))
    return Transcript(one.model, system, (*turns,), one.id, one.started)


def _line(one: Conversation) -> str:
    when = local_minute(one.started)
    return f"{one.id[:ID_SHOWN]}  {when}  {one.messages:4}  {shortened(one.first)}"


def _has_styles() -> bool:
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def _dimmed(line: str) -> str:
    """A line beside the answers, as the chat shows it."""
    return f"{DIM}{line}{PLAIN}" if _has_styles() else line


def _hit(one: Hit) -> str:
    """A line for a terminal, what was found in bold; between brackets where there are no styles."""
    before, after = (BOLD, PLAIN) if _has_styles() else ("[", "]")
    parts, end = [], 0
    for start, stop in one.marks:
        parts += [printable(one.excerpt[end:start]), before, printable(one.excerpt[start:stop])]
        parts.append(after)
        end = stop
    parts.append(printable(one.excerpt[end:]))
    when = local_minute(one.at)
    return f"{one.conversation[:ID_SHOWN]}  {when}  {one.role:9}  {''.join(parts)}"


def _found(one: Hit) -> dict[str, object]:
    return {
        "id": one.conversation,
        "number": one.number,
        "at": one.at,
        "model": one.model,
        "role": one.role,
        "excerpt": one.excerpt,
        "marks": one.marks,
    }


def _message(one: Said) -> dict[str, object]:
    said = one.message
    return {
        "role": said.role,
        "content": said.content,
        "reasoning": said.reasoning,
        "receipt": None if one.receipt is None else one.receipt.values(),
    }


def _values(one: Conversation) -> dict[str, object]:
    return {
        "id": one.id,
        "started": one.started,
        "ended": one.ended,
        "model": one.model,
        "messages": one.messages,
        "first": one.first,
    }
