"""How hard to think: three looks, at the prompt, at the draft, at how a vote went.

All three are logistic models with few weights (`calibration.py`), so that a decision can be
explained signal by signal. It decides; it executes nothing.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping

from edgemind.router.calibration import DEFAULT, Calibration
from edgemind.router.signals import prompt_signals, votable
from edgemind.types import Ballot, Completion, Route

CERTAINLY_HARD = 0.98
MARGIN_CAP = 10.0
LOWEST_MEAN = -0.5
"""Winners less probable than this were not seen: what holds among surer ones goes no further."""
LEAST_DOUBT = 1e-4
"""Less than this is none: floats of models differ by as much."""


def draft_signals(draft: Completion) -> Mapping[str, float]:
    """Signal → value for a finished draft."""
    signals = draft.signals
    return {
        "answer_logprob": signals.answer_logprob,
        "answer_margin": min(signals.answer_margin, MARGIN_CAP),
        "lowest_window": signals.lowest_window,
        "weakest": _log(-signals.lowest_window),
        "early_doubt": _log(signals.early_doubt),
        "late_doubt": _log(signals.late_doubt),
        "mean_logprob": signals.mean_logprob,
        "length": math.log1p(signals.tokens),
        "cut": float(draft.finish != "stop" or draft.answer is None),
        "objections": float(bool(draft.objections)),
    }


def _log(doubt: float) -> float:
    """Between a doubt of 0.001 and one of 0.01 lies as much as between 0.1 and 1."""
    return math.log(LEAST_DOUBT + doubt)


def vote_signals(winner: Completion, ballot: Ballot) -> Mapping[str, float]:
    """Signal → value for a vote that is over."""
    return {
        "share": ballot.share,
        "weight": ballot.weight,
        "distinct": math.log1p(ballot.distinct),
        "drawn": math.log1p(ballot.drawn),
        "mean_logprob": max(LOWEST_MEAN, winner.signals.mean_logprob),
        "objections": float(bool(winner.objections)),
    }


class Router:
    """Looks at prompts, drafts and votes with one model's calibration."""

    def __init__(self, calibration: Calibration = DEFAULT) -> None:
        self.calibration = calibration

    def first(self, prompt: str, width: int) -> Route:
        """Before a token: one pass, which may escalate; a vote at once; or one pass for good."""
        signals = prompt_signals(prompt)
        difficulty, reasons = self.calibration.hard.explain(signals)
        if not votable(signals):
            reason = "answers in free text cannot be voted on"
            return Route("direct", 1, reason, difficulty, reasons, votable=False)
        if width == 1:
            return Route("direct", 1, "width 1", difficulty, reasons)
        hard = difficulty >= CERTAINLY_HARD
        strategy, reason = ("vote", "looks hard") if hard else ("direct", "one pass first")
        known = self.calibration
        most = width if known.most is None else min(width, known.most)
        return Route(
            strategy, most, reason, difficulty, reasons,
            floor=known.floor, stopping=known.stopping,
        )  # fmt: skip

    def confidence(self, winner: Completion, ballot: Ballot | None) -> float:
        """P(right) of what a route came to."""
        if ballot is not None and ballot.drawn > 1:
            return self.calibration.agreed.explain(vote_signals(winner, ballot))[0]
        return self.calibration.correct.explain(draft_signals(winner))[0]

    def next(self, route: Route, winner: Completion) -> Route | None:
        """Where to go on after `route` came to `winner`; None to accept it.

        A draft that a vote may mend goes to one, whose winner is revised if a verifier objects to
        it. Revising the draft first costs fewer tokens, but a model that was not trained to revise
        makes the arithmetic hold and the answer wrong (docs/log.md).
        """
        if route.strategy == "vote":
            if not winner.objections:
                return None
            reason = "a verifier objects to the winner"
            return dataclasses.replace(route, strategy="refine", reason=reason, inner=route)
        if route.width == 1 or (route.inner is not None and route.inner.strategy == "vote"):
            return None
        gain, reasons = self.calibration.gain.explain(draft_signals(winner))
        if gain < self.calibration.least_gain:
            return None
        reason = f"a vote mends it with P = {gain:.2f}"
        return dataclasses.replace(
            route,
            strategy="vote",
            reason=reason,
            reasons=reasons,
            inner=route if route.strategy == "refine" else None,
        )
