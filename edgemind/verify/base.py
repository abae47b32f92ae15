"""The verifier seam: evidence from outside the model, with a score and located objections.

A verifier is one module of this package. It knows nothing of models, branches or budgets, but for
the seconds that it may take: what is left of the prompt's limit. One that runs something else and
waits for it is also told when the answer is no longer wanted (`Stoppable`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

from edgemind.types import Verdict

USUAL_SECONDS = 10.0
"""For a verifier that runs something, where no limit was set."""


Stopped = Callable[[], bool]
"""Whether the answer was stopped, or its limits are used up; asked again and again."""


def never() -> bool:
    """Nothing stops it."""
    return False


class Verifier(Protocol):
    """Judges one text. Never raises for what the text holds: that is what a verdict is for."""

    def __call__(self, text: str, seconds: float) -> Verdict:
        """The verdict on `text`, within `seconds` (infinite where there is no limit)."""


@runtime_checkable
class Stoppable(Protocol):
    """A verifier that may take long and can be ended on the way."""

    def judge_unless_stopped(self, text: str, seconds: float, stopped: Stopped) -> Verdict:
        """As the call itself; nothing is judged once `stopped()`, and nothing is left running."""


def judge(
    verifiers: Sequence[Verifier],
    text: str,
    left: Callable[[], float] = lambda: math.inf,
    stopped: Stopped = never,
) -> Verdict:
    """All verdicts as one: the lowest score, every objection, in the verifiers' order.

    `left()` are the seconds that are left at that moment: what one verifier takes the next has not.
    """
    verdicts = [
        verifier.judge_unless_stopped(text, left(), stopped)
        if isinstance(verifier, Stoppable)
        else verifier(text, left())
        for verifier in verifiers
    ]
    return Verdict(
        min((verdict.score for verdict in verdicts), default=1.0),
        tuple(objection for verdict in verdicts for objection in verdict.objections),
    )
