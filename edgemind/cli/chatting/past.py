"""Conversations of before: kept as they go on, and taken up again (`--resume`, `/resume`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgemind.choosing import person_library
from edgemind.cli.record import HISTORY_OFF, ID_SHOWN, open_history, place_of, shortened
from edgemind.cli.terminal import say
from edgemind.config import load_config
from edgemind.conversation.talk import Talk
from edgemind.errors import ConfigError
from edgemind.transcript import Said, Turn, local_minute, turns_of
from edgemind.types import Message

if TYPE_CHECKING:
    from edgemind.history import Conversation

TURNS_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Past:
    """A kept conversation: what was said, and each turn's numbers in the history."""

    kept: Conversation
    system: str | None
    turns: tuple[Turn, ...]
    numbers: tuple[tuple[int, ...], ...]


class Diary:
    """Keeps a talk in the history turn by turn, unless `wanted` is False."""

    def __init__(self, wanted: bool) -> None:
        self.wanted = wanted
        self.begun()

    def begun(self) -> None:
        """Another conversation was begun; what turns it has are kept with its first new one."""
        self.conversation: str | None = None
        self._numbers: list[tuple[int, ...]] = []
        self._system: str | None = None

    def goes_on(self, past: Past) -> None:
        """What follows belongs to a conversation of before."""
        self.conversation = past.kept.id
        self._numbers = [*past.numbers]
        self._system = past.system

    def added(self, talk: Talk) -> None:
        """Keep the turn that ended, and those before it that are not kept yet."""
        if not self.wanted:
            return
        from edgemind.history import new_conversation

        messages = []
        if (talk.system or "") != (self._system or ""):
            messages.append(Message("system", talk.system or ""))
        before = len(messages)
        new = talk.turns[len(self._numbers) :]
        for turn in new:
            messages.extend(turn.messages)
        if self.conversation is None:
            self.conversation = new_conversation()
        with open_history() as history:
            first = history.add(
                self.conversation,
                talk.mind.model,
                messages,
                source=place_of(talk.chosen),
                receipts=[turn.receipt for turn in new],
            )
        first += before
        self._numbers += [(first + 2 * place, first + 2 * place + 1) for place in range(len(new))]
        self._system = talk.system

    def taken_back(self, talk: Talk) -> None:
        """Take the last turn out of the history, where it is kept."""
        if not self.wanted or len(self._numbers) <= len(talk.turns):
            return
        numbers = self._numbers.pop()
        assert self.conversation is not None
        with open_history() as history:
            if not history.take_back(self.conversation, numbers):
                self._system = None  # the instructions went with the last turn


def find_past(beginning: str | None, *, but: str | None = None) -> Past:
    """The conversation whose name begins so; the latest one `but` this for None.

    Raises `ConfigError` where there is none.
    """
    with open_history() as history:
        found = history.conversations()
        if not found:
            off = "" if load_config().history.keep else HISTORY_OFF
            raise ConfigError(f"no conversation is kept{off}")
        if beginning is None:
            others = [one for one in found if one.id != but]
            if not others:
                raise ConfigError("no other conversation is kept")
            kept = others[-1]
        else:
            name = history.find(beginning)
            kept = next(one for one in found if one.id == name)
        said = history.said(kept.id)
    system, turns = turns_of(said)
    return Past(kept, system, tuple(turns), (*_numbers_of_turns(said),))


def _numbers_of_turns(conversation: Iterable[Said]) -> Iterator[tuple[int, ...]]:
    """Which messages each turn of `turns_of` is made of."""
    begun: tuple[int, ...] = ()
    for one in conversation:
        if one.message.role == "system":
            continue
        begun = (*begun, one.number)
        if one.message.role == "assistant":
            yield begun
            begun = ()
    if begun:
        yield begun


def take_up(talk: Talk, past: Past, *, quiet: bool = False) -> None:
    """Go on with a conversation of before, and say where it stands (unless `quiet`)."""
    talk.begin(past.turns)
    talk.system = past.system
    if isinstance(talk.keeper, Diary):
        talk.keeper.goes_on(past)
        if not talk.keeper.wanted:
            talk.face.note(f"what is said now is not kept{HISTORY_OFF}")
    if not quiet:
        talk.face.note(recap(past))


def recap(past: Past) -> str:
    """Where a conversation stands: when it began, its last turns, a line for each text."""
    count = len(past.turns)
    lines = [
        f"{past.kept.id[:ID_SHOWN]} of {local_minute(past.kept.started)} goes on, "
        f"{count} turn{'' if count == 1 else 's'}:"
    ]
    if count > TURNS_SHOWN:
        lines.append("…")
    for turn in past.turns[-TURNS_SHOWN:]:
        lines += [f"> {shortened(turn.prompt)}", f"  {shortened(turn.text)}"]
    return "\n".join(lines)


def model_of(kept: Conversation) -> str | Path | None:
    """What names the model that answered last in a conversation.

    Raises `ConfigError` where it is no longer there.
    """
    if kept.source is not None and (path := Path(kept.source)).exists():
        return path
    library = person_library(say)
    try:
        for entry in library.entries():
            if kept.model in entry.names and entry.state != "missing":
                return entry.path
    finally:
        library.close()
    where = "" if kept.source is None else f" at {kept.source}"
    raise ConfigError(f"{kept.model}, which answered then, is no longer there{where}")
