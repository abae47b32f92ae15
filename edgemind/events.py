"""What a stream (`edgemind.Mind.stream`) yields, in the order in which it may.

Consume it with `match`. The last event of every stream is `Finished`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from edgemind.types import Answer, Completion, Route, Spent


@dataclass(frozen=True, slots=True)
class Routed:
    """The first look is over: this is how the prompt will be answered."""

    route: Route


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of the draft, as it is made. `kind` tells the answer from the thought before it."""

    text: str
    kind: Literal["answer", "reasoning"] = "answer"


@dataclass(frozen=True, slots=True)
class Sampled:
    """Sample number `index` (the draft is 0) is finished."""

    index: int
    completion: Completion


@dataclass(frozen=True, slots=True)
class Checked:
    """The vote after a sample: (answer, votes) pairs, the leader first, and whether it is over."""

    votes: tuple[tuple[str, int], ...]
    decided: str | None = None


@dataclass(frozen=True, slots=True)
class Revised:
    """The model corrected an answer that a verifier objected to; `kept` if it is better now."""

    objection: str
    completion: Completion
    kept: bool


@dataclass(frozen=True, slots=True)
class Escalated:
    """The draft was not good enough: more thinking follows, along this route."""

    route: Route
    confidence: float


@dataclass(frozen=True, slots=True)
class Growing:
    """A sample that is being drawn: its number, tokens so far, and the end of what it says."""

    index: int
    tokens: int
    end: str


@dataclass(frozen=True, slots=True)
class Progress:
    """A sign of life while samples are being drawn (several times a second)."""

    running: int
    spent: Spent
    growing: tuple[Growing, ...] = ()


@dataclass(frozen=True, slots=True)
class Finished:
    """The last event of every stream."""

    answer: Answer


Event = Routed | Text | Sampled | Checked | Revised | Escalated | Progress | Finished
