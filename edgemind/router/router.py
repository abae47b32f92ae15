"""How hard to think: the first look (at the prompt) and the second (at the draft).

Both are logistic models with few weights, so that a decision can be explained signal by signal.
The weights below were fitted on the bundled model's validation problems by
`scripts/fit_router.py`; they are what any model starts with.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass

from edgemind.router.signals import prompt_signals, votable
from edgemind.types import Completion, Reason, Route


@dataclass(frozen=True, slots=True)
class Logistic:
    """P = 1 / (1 + exp(-(bias + Σ weight × signal)))."""

    bias: float
    weights: Mapping[str, float]

    def explain(self, signals: Mapping[str, float]) -> tuple[float, tuple[Reason, ...]]:
        """The probability, and each signal's contribution to its logit, largest first."""
        reasons = [
            Reason(name, signals[name], signals[name] * weight)
            for name, weight in self.weights.items()
        ]
        logit = self.bias + sum(reason.contribution for reason in reasons)
        reasons.sort(key=lambda reason: -abs(reason.contribution))
        bounded = max(-30.0, min(30.0, logit))
        return 1 / (1 + math.exp(-bounded)), tuple(reasons)


HARD = Logistic(
    -8.45,
    {"length": 1.49, "numbers": 4.18, "digits": 1.35, "operators": -0.15, "constraints": 0.30},
)
CORRECT = Logistic(
    6.49,
    {
        "answer_logprob": 0.50,
        "answer_margin": 0.15,
        "lowest_window": 7.04,
        "mean_logprob": 4.25,
        "length": -1.53,
        "cut": -3.0,  # not fitted: no draft was cut there
        "objections": -5.06,
    },
)
ACCEPT = 0.6
"""A draft that is right with this probability is taken as it is. Chosen on validation problems: the
least tokens at which a vote on the rest still brings all that it can (docs/log.md)."""
CERTAINLY_HARD = 0.98
MARGIN_CAP = 10.0


def draft_signals(draft: Completion) -> Mapping[str, float]:
    """Signal → value for a finished draft."""
    signals = draft.signals
    return {
        "answer_logprob": signals.answer_logprob,
        "answer_margin": min(signals.answer_margin, MARGIN_CAP),
        "lowest_window": signals.lowest_window,
        "mean_logprob": signals.mean_logprob,
        "length": math.log1p(signals.tokens),
        "cut": float(draft.finish != "stop" or draft.answer is None),
        "objections": float(bool(draft.objections)),
    }


class Router:
    """Decides; executes nothing."""

    def __init__(
        self, hard: Logistic = HARD, correct: Logistic = CORRECT, accept: float = ACCEPT
    ) -> None:
        self._hard = hard
        self._correct = correct
        self._accept = accept

    def first(self, prompt: str, width: int) -> Route:
        """Before a token: one pass, which may escalate; a vote at once; or one pass for good."""
        signals = prompt_signals(prompt)
        difficulty, reasons = self._hard.explain(signals)
        if not votable(signals) or width == 1:
            reason = "answers in free text cannot be voted on" if width > 1 else "width 1"
            return Route("direct", 1, reason, difficulty, reasons)
        if difficulty >= CERTAINLY_HARD:
            return Route("vote", width, "looks hard", difficulty, reasons)
        return Route("direct", width, "one pass first", difficulty, reasons)

    def second(self, route: Route, draft: Completion) -> tuple[float, Route | None]:
        """After the draft: P(correct), and the route to escalate to, None to accept it."""
        confidence, reasons = self._correct.explain(draft_signals(draft))
        if route.strategy != "direct" or route.width == 1 or confidence >= self._accept:
            return confidence, None
        reason = f"the draft is right with P = {confidence:.2f}, under {self._accept:.2f}"
        return confidence, dataclasses.replace(
            route, strategy="vote", reason=reason, reasons=reasons
        )
