"""What is kept of an answer beside its words: how it came about and what it cost.

Made of an `Answer`, written as JSON beside a conversation's messages (`edgemind.history`,
`edgemind.transcript`), and read back with distrust. What it says in words is
`edgemind.wording.receipt`.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from edgemind.types import Answer, Budget, Finish, Route

LARGEST = 1e15
"""No amount in a receipt reaches this, nor is it no number at all."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """An answer's receipt; the fields mean what they do in `Answer` and `Spent`.

    `route` is the strategy, or the whole route where it is a tree (`refine(vote of 8)`).
    """

    route: str
    samples: int
    tokens: int
    seconds: float
    joules: float
    energy_source: str
    confidence: float
    agreement: float
    finish: Finish
    budget: Budget

    @classmethod
    def of(cls, answer: Answer) -> Receipt:
        """The receipt of an answer."""
        spent = answer.spent
        return cls(
            named(answer.route),
            answer.samples,
            spent.tokens,
            spent.seconds,
            spent.joules,
            spent.energy_source,
            answer.confidence,
            answer.agreement,
            answer.finish,
            answer.budget,
        )

    def values(self) -> dict[str, Any]:
        """Its fields, as JSON has them; `read_receipt` takes them."""
        return dataclasses.asdict(self)

    def to_json(self) -> str:
        """The same as text, in one line."""
        return json.dumps(self.values(), ensure_ascii=False)


def named(route: Route) -> str:
    """A route as receipts name it: the strategy, or the whole route where it is a tree."""
    return route.describe() if route.inner is not None else route.strategy


def read_receipt(values: object) -> Receipt:
    """A receipt from a JSON object of someone's file. Raises `ValueError` where it is none."""
    if not isinstance(values, Mapping) or not isinstance(limits := values.get("budget"), Mapping):
        raise ValueError("not a receipt")
    if (finish := _read(values, "finish", str)) not in get_args(Finish):
        raise ValueError("not a receipt: finish")
    nothing = type(None)
    return Receipt(
        route=_read(values, "route", str),
        samples=_read(values, "samples", int),
        tokens=_read(values, "tokens", int),
        seconds=_read(values, "seconds", float, int),
        joules=_read(values, "joules", float, int),
        energy_source=_read(values, "energy_source", str),
        confidence=_read(values, "confidence", float, int),
        agreement=_read(values, "agreement", float, int),
        finish=finish,
        budget=Budget(
            _read(limits, "seconds", float, int, nothing),
            _read(limits, "joules", float, int, nothing),
            _read(limits, "tokens", int, nothing),
        ),
    )


def _read(values: Mapping[str, Any], name: str, *kinds: type) -> Any:
    value = values.get(name)
    fits = isinstance(value, kinds) and not isinstance(value, bool)
    if not fits or (isinstance(value, int | float) and not abs(value) < LARGEST):
        raise ValueError(f"not a receipt: {name}")
    return value
