"""What several test modules share: a clock and a meter that move only when told, short runs."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import pytest

from edgemind.budget import Ledger, Watchdog
from edgemind.costs.model import CostModel
from edgemind.engines.base import Branch
from edgemind.engines.scripted import Line, ScriptedEngine
from edgemind.events import Event, Finished, Sampled, Text
from edgemind.prompt import Prompt
from edgemind.run import Run
from edgemind.runtime import Mind
from edgemind.thoughts import THINK
from edgemind.types import Answer, Budget, Completion, Sampling, Token
from edgemind.usage.account import Usage

T = TypeVar("T")
PROMPT = "What is 2+2?"
SURE, UNSURE = -0.0001, -2.0
"""Log-probabilities of drafts that the router accepts, and does not."""


class Clock:
    """Seconds that pass only when a test says so."""

    def __init__(self, now: float = 100.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class FakeMeter:
    """A constant power over a fake clock, on top of a counter that did not start at zero."""

    source = "measured:fake"

    def __init__(self, clock: Clock, watts: float = 2.0) -> None:
        self._clock = clock
        self.watts = watts
        self.reads = 0

    def joules(self) -> float:
        self.reads += 1
        return 5000.0 + self.watts * self._clock.now


class Calm:
    """Conditions of a cool machine on the mains, until a test says otherwise."""

    def __init__(self) -> None:
        self.power = "mains"
        self.hot = False
        self.shortage = 0.0

    def power_source(self) -> str:
        return self.power

    def throttled(self) -> bool:
        return self.hot

    def short_of_memory(self) -> float:
        return self.shortage


class StillWatchdog(Watchdog):
    """A watchdog whose thread ends at once: interruptions come from the test alone."""

    def _watch(self) -> None:
        return


@pytest.fixture
def still_watchdog(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs have a `StillWatchdog`."""
    monkeypatch.setattr("edgemind.stepping.Watchdog", StillWatchdog)


class TimedEngine(ScriptedEngine):
    """A scripted engine whose steps take time, and which tells of each step before it runs.

    `seconds` are the times of the steps, round and round.
    """

    def __init__(
        self,
        lines: Sequence[Line | Sequence[str]],
        clock: Clock,
        seconds: Sequence[float] = (1.0,),
        **options: object,
    ) -> None:
        super().__init__(lines, **options)  # type: ignore[arg-type]
        self.clock = clock
        self.seconds = seconds
        self.before_step: Callable[[int], None] = lambda width: None

    def step(self, branches: Sequence[Branch]) -> list[Token]:
        self.before_step(len(branches))
        tokens = super().step(branches)
        self.clock.now += self.seconds[(len(self.step_widths) - 1) % len(self.seconds)]
        return tokens


def prompt(
    engine: ScriptedEngine, text: str = PROMPT, opened: bool = False, **sampling: object
) -> Prompt:
    """A prompt for `Run`, as `Mind` would make it."""
    drawn = Sampling(**{"seed": 7, **sampling})  # type: ignore[arg-type]
    tokens = tuple(engine.vocabulary.encode(text, False))

    def revision(completion: Completion, objection: str) -> tuple[tuple[int, ...], bool]:
        said = engine.vocabulary.encode(f"{completion.text}<|end|>{objection}", True)
        return (*tokens, *said), opened

    def instructed(instruction: str) -> tuple[tuple[int, ...], bool]:
        told = engine.vocabulary.encode(f" {instruction}", False)
        return (*tokens[:-1], *told, *tokens[-1:]), opened

    return Prompt(tokens, opened, THINK, drawn, drawn, revision, instructed=instructed)


@contextmanager
def running(
    engine: ScriptedEngine,
    budget: Budget = Budget(),  # noqa: B008 (frozen)
    asked: Prompt | None = None,
    clock: Clock | None = None,
    costs: CostModel | None = None,
) -> Iterator[Run]:
    """A run over a scripted engine, closed at the end; nothing of it may stay behind."""
    clock = clock or Clock()
    ledger = Ledger(budget, clock, FakeMeter(clock))
    costs = costs or CostModel(engine.info.bytes)
    run = Run(engine, ledger, costs, asked or prompt(engine))
    try:
        yield run
    finally:
        run.close()
    assert engine.branches == []


def drain(generator: Generator[Event, None, T]) -> tuple[list[Event], T]:
    """All events, and the value that the generator returned."""
    events: list[Event] = []
    while True:
        try:
            events.append(next(generator))
        except StopIteration as stop:
            return events, stop.value


def streamed(events: Sequence[Event], kind: str = "answer") -> str:
    """The streamed text of one kind."""
    return "".join(e.text for e in events if isinstance(e, Text) and e.kind == kind)


def indexes(events: Sequence[Event]) -> list[int]:
    """Numbers of the samples that were reported, in order."""
    return [event.index for event in events if isinstance(event, Sampled)]


def scripted_mind(
    engine: ScriptedEngine, clock: Clock | None = None, usage: Usage | None = None
) -> Mind:
    """A `Mind` over a scripted engine with a fake clock and meter."""
    clock = clock or Clock()
    return Mind(engine, clock=clock, meter=FakeMeter(clock), conditions=Calm(), usage=usage)


def engine_of(*texts: str, logprob: float = SURE, **options: object) -> ScriptedEngine:
    """A scripted engine whose samples say these texts, a character at a time."""
    lines = [Line(tuple(text), (logprob,)) for text in texts]
    return ScriptedEngine(lines, **options)  # type: ignore[arg-type]


def finished(events: Sequence[Event]) -> Answer:
    """The answer that ended a stream."""
    last = events[-1]
    assert isinstance(last, Finished)
    return last.answer
