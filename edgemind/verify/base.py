"""The verifier seam: evidence from outside the model, with a score and located objections.

A verifier is one module of this package. It knows nothing of models, branches or budgets, but for
the seconds that it may take: what is left of the prompt's limit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Protocol

from edgemind.types import Verdict

USUAL_SECONDS = 10.0
"""For a verifier that runs something, where no limit was set."""


class Verifier(Protocol):
    """Judges one text. Never raises for what the text holds: that is what a verdict is for."""

    def __call__(self, text: str, seconds: float) -> Verdict:
        """The verdict on `text`, within `seconds` (infinite where there is no limit)."""


def judge(
    verifiers: Sequence[Verifier], text: str, seconds: Callable[[], float] = lambda: math.inf
) -> Verdict:
    """All verdicts as one: the lowest score, every objection, in the verifiers' order.

    `seconds` is asked before each for what is left then.
    """
    verdicts = [verifier(text, seconds()) for verifier in verifiers]
    return Verdict(
        min((verdict.score for verdict in verdicts), default=1.0),
        tuple(objection for verdict in verdicts for objection in verdict.objections),
    )
