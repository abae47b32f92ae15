"""The model's side of the window: what its thread does, and the queue of events that comes back.

The window asks `Feed.take` for what has come in since it last drew: a token makes no signal of its
own, and however fast a model is, the window draws as often as it wants to. No Qt.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from edgemind.config import load_config
from edgemind.conversation.effort import Effort
from edgemind.conversation.talk import Talk
from edgemind.defaults import AUTO
from edgemind.desktop.shelf import Conversation
from edgemind.errors import ContextFull
from edgemind.events import Event, Finished
from edgemind.folders import data_folder
from edgemind.transcript import Turn
from edgemind.types import Answer, Budget, Sampling
from edgemind.usage.account import FILE, Usage


@dataclass(frozen=True, slots=True)
class Note:
    """A line beside the answers."""

    text: str


class Feed:
    """Takes a stream's events in the model's thread, and gives them to the window's."""

    def __init__(self) -> None:
        self.thoughts = self.receipt = True
        self.explain = False
        self._queue: deque[Event | Note] = deque()

    def show(self, events: Iterable[Event], budget: Budget) -> Answer:
        """Consume a whole stream; the answer that ended it."""
        for event in events:
            self._queue.append(event)
            if isinstance(event, Finished):
                return event.answer
        raise AssertionError("a stream ends with Finished")

    def note(self, text: str) -> None:
        """A line beside the answers."""
        self._queue.append(Note(text))

    def take(self) -> list[Event | Note]:
        """What has come in since this was last asked for."""
        found = []
        while self._queue:
            found.append(self._queue.popleft())
        return found


@dataclass(frozen=True, slots=True)
class Opening:
    """How models are opened: the options of `edgemind desktop`."""

    model: str | Path | None = None
    threads: int | None = None
    gpu_layers: int = 0
    variant: str | None = None
    provider: str = "cpu"
    system: str | None = None


@dataclass(slots=True)
class ModelSide:
    """The open model and the conversation that it is in. All but `stop` in the model's thread."""

    opening: Opening
    feed: Feed = field(default_factory=Feed)
    talk: Talk | None = None
    _there: Conversation | None = None
    _usage: Usage | None = None

    def open(
        self, model: str | Path | None, *, first: bool = False
    ) -> tuple[str, Path, tuple[str, ...]]:
        """Open a model; the one before is closed when the new one is there.

        Its name, where it is, and what is not as it was asked for.

        Raises what `edgemind.load` raises; then the old one goes on.
        """
        from edgemind.catalog.bundled import bundled_model
        from edgemind.choosing import model_path
        from edgemind.loading import load

        path = bundled_model() if model is None else model_path(model)

        if self._usage is None:
            self._usage = self._record()
        mind = load(
            path,
            threads=self.opening.threads,
            gpu_layers=self.opening.gpu_layers,
            usage=self._usage,
            variant=self.opening.variant if first else None,  # of the model that was named
            provider=self.opening.provider if first else "cpu",
        )
        before = self.talk
        self.talk, self._there = Talk(mind, self.feed, usage=self._usage), None
        if before is not None:
            before.close()
        return mind.model, path, mind.notices

    def say(self, conversation: Conversation, prompt: str, effort: Effort, again: bool) -> Turn:
        """Answer a prompt in a conversation; its turn, which has no text where nothing came.

        Raises what `Talk.say` raises.
        """
        talk = self.talk
        assert talk is not None
        if conversation is not self._there:
            talk.begin(conversation.turns or [])
            self._there = conversation
        else:
            talk.turns[:] = conversation.turns or []  # one may have been taken back
            talk.dropped = min(talk.dropped, len(talk.turns))
        config = load_config()
        talk.budget, talk.width = effort.budget, effort.width
        talk.system = conversation.system or self.opening.system or config.system
        talk.worth = config.worth
        talk.strategy = config.strategy or AUTO
        talk.sampling = Sampling(temperature=config.temperature)
        try:
            answer = talk.say(prompt, again=again)
        except ContextFull:
            self._there = None
            raise
        return Turn(prompt, answer.text, answer.reasoning or None, answer)

    def begin(self) -> None:
        """A prompt is on its way: what is stopped from now on is its answer. From any thread."""
        if self.talk is not None:
            self.talk.stopped = False

    def stop(self) -> None:
        """End the answer with what there is of it. From any thread."""
        if self.talk is not None:
            self.talk.stop()

    def close(self) -> None:
        """Free the model."""
        if self.talk is not None:
            self.talk.close()

    def _record(self) -> Usage:
        """The person's record, as the command line keeps it; its lines go beside the answers."""
        config = load_config()
        return Usage(
            data_folder() / FILE if config.usage.record else None,
            config,
            warn=self.feed.note,
            notice=self.feed.note,
        )
