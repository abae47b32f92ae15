"""Fits the router to one model: asks it questions with known answers, and looks at what it was.

Reached from `edgemind calibrate`. Every question gets a draft and a vote's worth of samples; from
these come P(wrong | prompt), P(right | draft), P(right | vote), the bar at which a draft is
accepted, and the floor under which a sample is given up. All shares are judged out of fold.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from edgemind.evaluate.datasets import Problem
from edgemind.router.calibration import DEFAULT, KNOWN, Calibration
from edgemind.router.fit import Fit, fit
from edgemind.router.router import draft_signals, vote_signals
from edgemind.router.signals import prompt_signals
from edgemind.runtime import Mind
from edgemind.strategies.tally import Tally
from edgemind.types import Ballot, Completion, Sampled, Sampling

LOSS = 0.005
"""Share of right answers that the bar may cost against voting on everything."""
KEPT_RIGHT = 0.99
"""Share of right samples that the floor has to leave alone."""
LEAST = 30
"""Fewer questions say nothing."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One question: all its samples (the draft first), which are right, and its vote."""

    problem: Problem
    samples: tuple[Completion, ...]
    right: tuple[bool, ...]
    winner: Completion
    ballot: Ballot
    voted_right: bool

    @property
    def vote_tokens(self) -> int:
        """Tokens of the samples that the vote drew."""
        return sum(sample.signals.tokens for sample in self.samples[: self.ballot.drawn])


def ask_all(mind: Mind, problems: Sequence[Problem], width: int, seed: int) -> Iterator[Asked]:
    """Every question with `width` samples; each has seeds of its own."""
    for number, problem in enumerate(problems):
        sampling = Sampling(seed=seed + 1000 * number)
        events = mind.stream(problem.chat, strategy="majority", width=width, sampling=sampling)
        samples = tuple(event.completion for event in events if isinstance(event, Sampled))
        tally = Tally(width)
        for sample in samples:
            tally.add(sample)
            if tally.decided():
                break
        winner = tally.winner() or samples[0]
        right = tuple(problem.right(sample) for sample in samples)
        yield Asked(problem, samples, right, winner, tally.ballot(), problem.right(winner))


@dataclass(frozen=True, slots=True)
class Report:
    """What `calibrate` found: the calibration, and what its three models are worth."""

    calibration: Calibration
    hard: Fit
    correct: Fit
    agreed: Fit
    direct: float
    voted: float
    adaptive: float
    tokens: float
    dropped: float

    def lines(self) -> list[str]:
        """For a person, a line each."""

        def model(name: str, found: Fit) -> str:
            return f"{name}: AUROC {found.auroc:.3f}, expected calibration error {found.error:.3f}"

        kept = self.calibration
        return [
            f"{kept.problems} questions; one pass {100 * self.direct:.1f} % right, "
            f"a vote on every one {100 * self.voted:.1f} %",
            model("P(wrong) from the prompt", self.hard),
            model("P(right) from the draft", self.correct),
            model("P(right) from the vote", self.agreed),
            f"a draft is accepted from P = {kept.accept:.2f} on: {100 * self.adaptive:.1f} % right "
            f"with {100 * self.tokens:.0f} % of the tokens of voting on every one",
            "no sample is given up"
            if kept.floor is None
            else f"samples under {kept.floor:.2f} are given up: {100 * self.dropped:.1f} % of the "
            "wrong ones, at most 1 % of the right ones",
        ]


def calibrate(asked: Sequence[Asked]) -> Report:
    """Fit everything to what was asked. Needs at least `LEAST` questions."""
    drafts_right = [one.right[0] for one in asked]
    hard = fit(
        [prompt_signals(one.problem.chat[-1].content) for one in asked],
        [not right for right in drafts_right],
        sorted(KNOWN["hard"]),
        DEFAULT.hard.weights,
    )
    correct = fit(
        [draft_signals(one.samples[0]) for one in asked],
        drafts_right,
        [*DEFAULT.correct.weights],
        DEFAULT.correct.weights,
    )
    agreed = fit(
        [vote_signals(one.winner, one.ballot) for one in asked],
        [one.voted_right for one in asked],
        [*DEFAULT.agreed.weights],
        DEFAULT.agreed.weights,
    )
    accept, adaptive, tokens = _bar(asked, [float(p) for p in correct.probabilities])
    floor, dropped = _floor(asked)
    count = len(asked)
    made = Calibration(
        hard.model, correct.model, agreed.model, accept, floor, _digest(asked), count,
        round(correct.error, 4), round(correct.auroc, 4),
    )  # fmt: skip
    return Report(
        made, hard, correct, agreed, sum(drafts_right) / count,
        sum(one.voted_right for one in asked) / count, adaptive, tokens, dropped,
    )  # fmt: skip


def _bar(asked: Sequence[Asked], chances: Sequence[float]) -> tuple[float, float, float]:
    """The lowest bar that costs at most `LOSS`; what it brings, and at what share of the tokens."""
    voted = sum(one.voted_right for one in asked)
    whole = sum(one.vote_tokens for one in asked)
    best = (1.0, voted / len(asked), 1.0)
    for bar in [number / 100 for number in range(99, 4, -1)]:
        taken = [chance >= bar for chance in chances]
        right = sum(
            one.right[0] if draft else one.voted_right
            for one, draft in zip(asked, taken, strict=True)
        )
        spent = sum(
            one.samples[0].signals.tokens if draft else one.vote_tokens
            for one, draft in zip(asked, taken, strict=True)
        )
        if right < voted - LOSS * len(asked):
            break
        best = (bar, right / len(asked), spent / whole if whole else 1.0)
    return best


def _floor(asked: Sequence[Asked]) -> tuple[float | None, float]:
    """The floor that leaves `KEPT_RIGHT` of the right samples alone, and what it drops of others.

    None where there is too little to go by, or where it drops hardly more wrong than right ones.
    """
    drawn = [pair for one in asked for pair in zip(one.samples[1:], one.right[1:], strict=True)]
    good = sorted(sample.signals.lowest_window for sample, right in drawn if right)
    bad = [sample.signals.lowest_window for sample, right in drawn if not right]
    if len(good) < 100 or len(bad) < 20:
        return None, 0.0
    floor = good[int((1 - KEPT_RIGHT) * len(good))]
    dropped = sum(value < floor for value in bad) / len(bad)
    return (round(floor, 4), dropped) if dropped > 5 * (1 - KEPT_RIGHT) else (None, 0.0)


def _digest(asked: Sequence[Asked]) -> str:
    """SHA-256 of the questions and answers, in order."""
    rows = [[dataclasses.astuple(m)[:2] for m in one.problem.chat] for one in asked]
    golds = [one.problem.gold for one in asked]
    return hashlib.sha256(json.dumps([rows, golds]).encode()).hexdigest()
