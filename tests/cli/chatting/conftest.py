"""A conversation with a scripted model, and a face that writes down what it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from edgemind.cli.chatting.table import Desk
from edgemind.conversation.talk import Talk
from edgemind.engines.scripted import Line, ScriptedEngine
from edgemind.events import Event, Finished
from edgemind.runtime import Mind
from edgemind.types import Answer, Budget
from tests.cli.chatting.tmux import Terminal
from tests.helpers import SURE, StillWatchdog, scripted_mind


@dataclass
class Notebook:
    """A face that shows nothing."""

    thoughts: bool = False
    receipt: bool = True
    explain: bool = False
    notes: list[str] = field(default_factory=list)

    def show(self, events: Iterable[Event], budget: Budget) -> Answer:
        return next(event.answer for event in events if isinstance(event, Finished))

    def note(self, text: str) -> None:
        self.notes.append(text)


@dataclass
class Room:
    """A desk, and what was told and opened at it."""

    desk: Desk
    face: Notebook
    opened: list[str] = field(default_factory=list)

    @property
    def talk(self) -> Talk:
        return self.desk.talk

    @property
    def engine(self) -> ScriptedEngine:
        engine = self.talk.mind._engine
        assert isinstance(engine, ScriptedEngine)
        return engine


def mind(says: Sequence[str] = ("one", "two", "three"), context: int = 4096) -> Mind:
    return scripted_mind(
        ScriptedEngine([Line(tuple(text), (SURE,)) for text in says], context=context)
    )


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> Room:
    monkeypatch.setattr("edgemind.stepping.Watchdog", StillWatchdog)
    face = Notebook()

    def another(name: str) -> Mind:
        made.opened.append(name)
        return mind(["from another model"])

    made = Room(Desk(Talk(mind(), face), another), face)
    return made


@pytest.fixture
def open_terminal(tmp_path: Path) -> Iterator[Callable[..., Terminal]]:
    """Opens a chat with these arguments in a terminal; all are closed at the end."""
    opened: list[Terminal] = []

    def start(*arguments: object, **environment: str) -> Terminal:
        opened.append(Terminal(tmp_path, *arguments, **environment))
        return opened[-1]

    yield start
    for each in opened:
        each.close()
