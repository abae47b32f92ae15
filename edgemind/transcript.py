"""A conversation as a text: Markdown to read, JSON to go on with. The one writer for both.

`/save`, `/export` and `/load` of the chat and `edgemind history export` come here.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from edgemind.receipts import Receipt, read_receipt
from edgemind.types import Answer, Message

FORM = "edgemind conversation 1"


@dataclass(frozen=True, slots=True)
class Turn:
    """What was asked and answered.

    `answer` is None where the turn comes from a file; `kept` is the receipt that was found there.
    """

    prompt: str
    text: str
    reasoning: str | None = None
    answer: Answer | None = None
    kept: Receipt | None = None

    @property
    def receipt(self) -> Receipt | None:
        """How the answer came about and what it cost, where that is known."""
        return self.kept if self.answer is None else Receipt.of(self.answer)

    @property
    def messages(self) -> tuple[Message, Message]:
        """As the model is told it."""
        asked = Message("user", self.prompt)
        return asked, Message("assistant", self.text, self.reasoning)


@dataclass(frozen=True, slots=True)
class Said:
    """A message of a kept conversation, its number there, and an answer's receipt if it has one."""

    message: Message
    number: int
    receipt: Receipt | None = None


@dataclass(frozen=True, slots=True)
class Transcript:
    """A whole conversation. `id` and `started` (seconds since 1970) where it is a kept one."""

    model: str
    system: str | None
    turns: tuple[Turn, ...]
    id: str | None = None
    started: float | None = None


def turns_of(conversation: Iterable[Said]) -> tuple[str | None, list[Turn]]:
    """The instructions and the turns of a conversation; the last instructions are those."""
    system: str | None = None
    turns: list[Turn] = []
    asked: list[str] = []
    for said in conversation:
        one = said.message
        if one.role == "system":
            system = one.content or None
        elif one.role == "assistant":
            prompt = "\n\n".join(asked)
            turns.append(Turn(prompt, one.content, one.reasoning, kept=said.receipt))
            asked = []
        else:
            asked.append(one.content)
    if asked:  # a question without an answer
        turns.append(Turn("\n\n".join(asked), ""))
    return system, turns


def as_markdown(one: Transcript, say: Callable[[Receipt], str]) -> str:
    """To read: prompts, answers, and under them what `say` makes of an answer's receipt."""
    when = "" if one.started is None else f", {local_minute(one.started)}"
    parts = [f"# Conversation with {one.model}{when}"]
    if one.system:
        parts.append(f"## System\n\n{one.system}")
    for turn in one.turns:
        parts.append(f"## You\n\n{turn.prompt}")
        if turn.text:
            parts.append(f"## Answer\n\n{turn.text}")
        if turn.receipt is not None:
            parts.append(f"*{say(turn.receipt)}*")
    return "\n\n".join(parts) + "\n"


def as_json(some: Transcript | Sequence[Transcript]) -> str:
    """With all that is known of each answer; what `read_transcript` reads, or a list of those."""
    values = _values(some) if isinstance(some, Transcript) else [*map(_values, some)]
    return json.dumps(values, indent=2, ensure_ascii=False) + "\n"


def read_transcript(text: str) -> Transcript | None:
    """One conversation that `as_json` wrote; None where `text` is something else.

    Raises `ValueError` where it is damaged.
    """
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(values, dict) or values.get("form") != FORM:
        return None
    model, system, turns = (values.get(name) for name in ("model", "system", "turns"))
    if not isinstance(turns, list) or not (system is None or isinstance(system, str)):
        raise ValueError
    return Transcript(model if isinstance(model, str) else "", system, (*map(_turn, turns),))


def local_minute(at: float) -> str:
    """A moment, in seconds since 1970, as clocks here show it."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))


def _values(one: Transcript) -> dict[str, Any]:
    kept = {"id": one.id, "started": one.started} if one.id is not None else {}
    return {
        "form": FORM,
        **kept,
        "model": one.model,
        "system": one.system,
        "turns": [*_turn_values(one.turns)],
    }


def _turn_values(turns: Iterable[Turn]) -> Iterable[dict[str, Any]]:
    for turn in turns:
        yield {
            "prompt": turn.prompt,
            "text": turn.text,
            "reasoning": turn.reasoning,
            "receipt": None if turn.receipt is None else turn.receipt.values(),
            "answer": None if turn.answer is None else json.loads(turn.answer.to_json()),
        }


def _turn(value: Any) -> Turn:
    if isinstance(value, dict):
        prompt, text, reasoning = (value.get(name) for name in ("prompt", "text", "reasoning"))
        if (
            isinstance(prompt, str)
            and isinstance(text, str)
            and (reasoning is None or isinstance(reasoning, str))
        ):
            kept = value.get("receipt")  # what was written before there were any has none
            return Turn(prompt, text, reasoning, kept=None if kept is None else read_receipt(kept))
    raise ValueError
