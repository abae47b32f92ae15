"""Conversations and texts in files: `/save`, `/load`, `/export`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from edgemind.conversation.documents import text_of
from edgemind.conversation.talk import Talk, Turn
from edgemind.errors import ConfigError
from edgemind.folders import replace_file
from edgemind.wording import receipt

FORM = "edgemind conversation 1"
MAX_SAVED_BYTES = 64 << 20


def save(talk: Talk, path: Path) -> None:
    """Write the conversation as JSON. Only another conversation is written over."""
    if path.exists():
        try:
            read_turns(path)
        except ConfigError:
            raise ConfigError(f"{path} is there and no conversation: give another name") from None
    values = {
        "form": FORM,
        "model": talk.mind.model,
        "system": talk.system,
        "turns": [
            {"prompt": turn.prompt, "text": turn.text, "reasoning": turn.reasoning}
            for turn in talk.turns
        ],
    }
    _write(path, json.dumps(values, indent=2, ensure_ascii=False) + "\n")


def load(talk: Talk, path: Path) -> None:
    """Go on with a conversation that was saved. The model stays the one that is loaded."""
    system, turns = read_turns(path)
    talk.begin(turns)
    talk.system = system


def read_turns(path: Path) -> tuple[str | None, list[Turn]]:
    """The system prompt and the turns of a saved conversation; `ConfigError` where it is none."""
    try:
        values = json.loads(text_of(path, MAX_SAVED_BYTES))
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict) or values.get("form") != FORM:
        raise ConfigError(f"{path} is no conversation that /save wrote")
    system, turns = values.get("system"), values.get("turns")
    if not isinstance(turns, list) or not (system is None or isinstance(system, str)):
        raise ConfigError(f"{path} is damaged")
    return system, [_turn(one, path) for one in turns]


def _turn(value: Any, path: Path) -> Turn:
    if isinstance(value, dict):
        prompt, text, reasoning = (value.get(name) for name in ("prompt", "text", "reasoning"))
        if (
            isinstance(prompt, str)
            and isinstance(text, str)
            and (reasoning is None or isinstance(reasoning, str))
        ):
            return Turn(prompt, text, reasoning)
    raise ConfigError(f"{path} is damaged")


def export(talk: Talk, path: Path) -> None:
    """Write the conversation for people (`.md`) or programs (`.json`, with every receipt)."""
    if path.suffix not in (".md", ".json"):
        raise ConfigError("export as Markdown or JSON: a name that ends with .md or .json")
    if path.exists():
        raise ConfigError(f"{path} is there already: give another name")
    _write(path, as_markdown(talk) if path.suffix == ".md" else as_json(talk))


def as_markdown(talk: Talk) -> str:
    """The conversation to read: prompts, answers, receipts."""
    parts = [f"# Conversation with {talk.mind.model}"]
    if talk.system:
        parts.append(f"## System\n\n{talk.system}")
    for turn in talk.turns:
        parts.append(f"## You\n\n{turn.prompt}")
        parts.append(f"## Answer\n\n{turn.text}")
        if turn.answer is not None:
            parts.append(f"*{receipt(turn.answer)}*")
    return "\n\n".join(parts) + "\n"


def as_json(talk: Talk) -> str:
    """The conversation with all that is known of each answer."""
    values = {
        "model": talk.mind.model,
        "system": talk.system,
        "turns": [
            {
                "prompt": turn.prompt,
                "text": turn.text,
                "reasoning": turn.reasoning,
                "answer": None if turn.answer is None else json.loads(turn.answer.to_json()),
            }
            for turn in talk.turns
        ],
    }
    return json.dumps(values, indent=2, ensure_ascii=False) + "\n"


def _write(path: Path, text: str) -> None:
    try:
        replace_file(path, text, private=True)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}") from None
