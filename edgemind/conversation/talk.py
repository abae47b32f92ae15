"""One conversation: its turns, how it is answered, and what of it still fits the context.

Both loops of `edgemind chat` drive it, the plain one and the interactive one, and the window.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Protocol

from edgemind.defaults import AUTO, WIDTH
from edgemind.errors import ContextFull
from edgemind.events import Escalated, Event, Routed
from edgemind.runtime import Mind
from edgemind.transcript import Transcript, Turn
from edgemind.types import Answer, Budget, Chat, Message, Sampling
from edgemind.usage.account import Usage
from edgemind.verify.base import Verifier

ANOTHER_TEMPERATURE = 0.8
"""For another answer to the same prompt, where no temperature was set: a first try is greedy."""


class Face(Protocol):
    """What shows a stream of events to the person; the switches are those of `/show`."""

    thoughts: bool
    receipt: bool
    explain: bool

    def show(self, events: Iterable[Event], budget: Budget) -> Answer:
        """Consume a whole stream; the answer that ended it."""

    def note(self, text: str) -> None:
        """A line beside the answers."""


class Keeper(Protocol):
    """What keeps a talk in the history while it goes on."""

    def begun(self) -> None:
        """Another conversation was begun; what turns it has are kept with its first new one."""

    def added(self, talk: Talk) -> None:
        """A turn ended with an answer."""

    def taken_back(self, talk: Talk) -> None:
        """The last turn is gone."""


@dataclass(slots=True)
class Talk:
    """A conversation with a model. The `keeper` is told what becomes of it."""

    mind: Mind
    face: Face
    budget: Budget = field(default_factory=Budget)
    strategy: str = AUTO
    width: int = WIDTH
    worth: float | None = None
    sampling: Sampling = field(default_factory=Sampling)
    verifiers: tuple[Verifier, ...] = ()
    best_effort: bool = False
    system: str | None = None
    usage: Usage | None = None
    keeper: Keeper | None = None
    chosen: str | Path | None = None
    """What the model was opened by; None for the bundled one."""
    turns: list[Turn] = field(default_factory=list)
    dropped: int = 0
    """So many of the oldest turns are no longer sent, since the context has no room for them."""
    stopped: bool = False
    """`stop` was called, and no stream has heard of it yet."""
    routes: list[Routed | Escalated] = field(default_factory=list)
    """How the last prompt was routed, look by look."""

    def say(self, prompt: str, *, again: bool = False) -> Answer:
        """Ask, show the answer and keep the turn.

        Where the context is full, the oldest turns are left out one by one until the prompt fits,
        and that is said. `again` draws another answer where nothing says how to draw it. Raises
        `BudgetTooSmall`, `ConfigError` and `ContextFull`.
        """
        return self._ended(prompt, self.face.show(self._events(prompt, again), self.budget))

    def _ended(self, prompt: str, answer: Answer) -> Answer:
        """The one place where a turn ends: an answer without a word is no turn."""
        if answer.text:
            turn = Turn(prompt, answer.text, answer.reasoning or None, answer)
            self.turns.append(turn)
            if self.keeper is not None:
                self.keeper.added(self)
        return answer

    @property
    def last(self) -> Answer | None:
        """The last turn's answer, where it was given here."""
        return self.turns[-1].answer if self.turns else None

    def undo(self) -> Turn | None:
        """Take the last turn back."""
        if not self.turns:
            return None
        turn = self.turns.pop()
        self.dropped = min(self.dropped, len(self.turns))
        if self.keeper is not None:
            self.keeper.taken_back(self)
        return turn

    def begin(self, turns: Iterable[Turn] = ()) -> None:
        """Another conversation, with these turns behind it."""
        self.turns[:] = turns
        self.dropped = 0
        self.routes.clear()
        if self.usage is not None:
            self.usage.conversation = os.urandom(16).hex()
        if self.keeper is not None:
            self.keeper.begun()

    def transcript(self) -> Transcript:
        """All of it, to be written."""
        return Transcript(self.mind.model, self.system, (*self.turns,))

    def stop(self) -> None:
        """End the answer with what there is of it; also one that has not quite begun."""
        self.stopped = True
        self.mind.stop()

    def close(self) -> None:
        """Free the model."""
        self.mind.close()

    def messages(self, first: int = 0) -> list[Message]:
        """The conversation as messages, from the turn `first` on."""
        found = [Message("system", self.system)] if self.system else []
        for turn in self.turns[first:]:
            found.extend(turn.messages)
        return found

    def _events(self, prompt: str, again: bool) -> Generator[Event, None, None]:
        """The events of answering; the routes among them are kept for `/why`."""
        asked = Message("user", prompt)
        before = self.dropped
        while True:
            events = self._stream((*self.messages(self.dropped), asked), again)
            try:
                # Whether the prompt fits is known when something other than its route comes.
                first: list[Event] = [next(events)]
                while isinstance(first[-1], Routed):
                    first.append(next(events))
                break
            except ContextFull:
                if self.dropped >= len(self.turns):
                    self.dropped = before
                    raise
                self.dropped += 1
        try:
            if self.dropped > before:
                self.face.note(dropped_words(self.dropped - before))
            self.routes.clear()
            for event in chain(first, events):
                if isinstance(event, Routed | Escalated):
                    self.routes.append(event)
                yield event
        finally:
            events.close()

    def _stream(self, chat: Chat, again: bool) -> Generator[Event, None, None]:
        sampling = self.sampling
        if again:
            warm = ANOTHER_TEMPERATURE if sampling.temperature is None else sampling.temperature
            sampling = replace(sampling, seed=None, temperature=warm)
        events = self.mind.stream(
            chat,
            budget=self.budget,
            strategy=self.strategy,
            width=self.width,
            worth=self.worth,
            sampling=sampling,
            verify=self.verifiers,
            best_effort=self.best_effort,
        )
        try:
            for event in events:
                if self.stopped:
                    self.stopped = False
                    self.mind.stop()
                yield event
        finally:
            events.close()


def dropped_words(count: int) -> str:
    """What is said when the context has no room for the oldest turns."""
    what = "the oldest turn was" if count == 1 else f"the {count} oldest turns were"
    return f"the context is full: {what} dropped (the model no longer sees it)"
