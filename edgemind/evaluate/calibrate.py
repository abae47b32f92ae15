"""Fits the router to one model: asks it questions with known answers, and looks at what it was.

Reached from `edgemind calibrate`. Every question gets a draft and a vote's worth of samples; from
these come P(wrong | prompt), P(right | draft), P(a vote mends the draft), P(right | vote), the
price of a sample, the bar at which a draft goes to a vote, and the floor under which a sample is
given up. All shares are judged out of fold.
"""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from itertools import accumulate

from edgemind.engines.base import common_prefix
from edgemind.evaluate.datasets import Problem
from edgemind.evaluate.fitting import Pattern
from edgemind.evaluate.fitting import fit as fit_urns
from edgemind.events import Sampled
from edgemind.router.calibration import DEFAULT, KNOWN, Calibration
from edgemind.router.fit import Fit, fit
from edgemind.router.router import draft_signals, vote_signals
from edgemind.router.signals import prompt_signals
from edgemind.runtime import Mind
from edgemind.strategies.stopping import PRICE, Rule
from edgemind.strategies.tally import Tally, own_rules
from edgemind.types import Ballot, Completion, Sampling, Stopping
from edgemind.verify.answers import canonical

LOSS = 0.0025
"""Share of right answers that price and bar may cost against drawing every sample of everything."""
PRICES = (PRICE, 0.002, 0.004, 0.008, 0.012, 0.02, 0.03)
"""Prices of a sample that are tried."""
MOSTS = (6, 8, 10, 12, 16, 32)
"""Most samples of a vote that are tried: one that is split after so many is seldom right."""
KEPT_RIGHT = 0.99
"""Share of right samples that the floor has to leave alone."""
LEAST = 30
"""Fewer questions say nothing."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One question: all its samples (the draft first), and which are right.

    The first n samples take `tokens[n - 1]` tokens: what several say alike is evaluated once
    (`edgemind.engines.trails`).
    """

    problem: Problem
    samples: tuple[Completion, ...]
    right: tuple[bool, ...]
    tokens: tuple[float, ...]

    def vote(self, rules: tuple[Rule, ...] = (), most: int | None = None) -> Vote:
        """How a vote that ends by these rules comes out; without any, the vote of all samples.

        Of at most `most` samples, where that is given.
        """
        tally = Tally(min(most or len(self.samples), len(self.samples)), rules)
        for sample in self.samples:
            tally.add(sample)
            if tally.decided():
                break
        winner = tally.winner() or self.samples[0]
        tokens = self.tokens[tally.drawn - 1]
        return Vote(winner, tally.ballot(), self.problem.right(winner), tokens)

    @property
    def apart(self) -> int:
        """Tokens of all samples, were each evaluated by itself."""
        return sum(sample.signals.tokens for sample in self.samples)

    @property
    def pattern(self) -> Pattern:
        """The votes of each answer, and of the right one."""
        votes: dict[str, int] = {}
        gold: str | None = None
        for sample, right in zip(self.samples, self.right, strict=True):
            if sample.answer is not None:
                key = sample.key or canonical(sample.answer)
                votes[key] = votes.get(key, 0) + 1
                gold = key if right else gold
        return tuple(sorted(votes.values(), reverse=True)), votes[gold] if gold else None


@dataclass(frozen=True, slots=True)
class Vote:
    """A vote that is over, and the tokens of the samples that it drew."""

    winner: Completion
    ballot: Ballot
    right: bool
    tokens: float


def ask_all(mind: Mind, problems: Sequence[Problem], width: int, seed: int) -> Iterator[Asked]:
    """Every question with `width` samples; each has seeds of its own."""
    for number, problem in enumerate(problems):
        sampling = Sampling(seed=seed + 1000 * number)
        events = mind.stream(problem.chat, strategy="majority", width=width, sampling=sampling)
        samples = tuple(event.completion for event in events if isinstance(event, Sampled))
        right = tuple(problem.right(sample) for sample in samples)
        yield Asked(problem, samples, right, tuple(accumulate(_costs(samples))))


def _costs(samples: Sequence[Completion]) -> Iterator[float]:
    """What each sample takes beyond what an earlier one said alike, by the share of its text."""
    said: list[str] = []
    for sample in samples:
        text = sample.reasoning + sample.text
        alike = max((common_prefix(text, other) for other in said), default=0)
        yield sample.signals.tokens * (1 - alike / max(1, len(text)))
        said.append(text)


@dataclass(frozen=True, slots=True)
class Report:
    """What `calibrate` found: the calibration, and what its four models are worth."""

    calibration: Calibration
    hard: Fit
    correct: Fit
    gain: Fit
    agreed: Fit
    direct: float
    voted: float
    plan: Plan
    dropped: float

    def lines(self) -> list[str]:
        """For a person, a line each."""

        def model(name: str, found: Fit) -> str:
            return f"{name}: AUROC {found.auroc:.3f}, expected calibration error {found.error:.3f}"

        kept, plan = self.calibration, self.plan
        return [
            f"{kept.problems} questions; one pass {100 * self.direct:.1f} % right, "
            f"all samples of every one {100 * self.voted:.1f} %",
            model("P(wrong) from the prompt", self.hard),
            model("P(right) from the draft", self.correct),
            model("P(a vote mends it) from the draft", self.gain),
            model("P(right) from the vote", self.agreed),
            f"a draft goes to a vote from P(mended) = {plan.bar:.2f} on, of at most {plan.most} "
            f"samples, each of which has to bring {plan.price:g}: {100 * plan.right:.1f} % right "
            f"with {100 * plan.tokens:.0f} % of the tokens of all samples",
            "no sample is given up"
            if kept.floor is None
            else f"samples under {kept.floor:.2f} are given up: {100 * self.dropped:.1f} % of the "
            "wrong ones, at most 1 % of the right ones",
        ]


def calibrate(asked: Sequence[Asked]) -> Report:
    """Fit everything to what was asked. Needs at least `LEAST` questions."""
    drafts = [draft_signals(one.samples[0]) for one in asked]
    drafts_right = [one.right[0] for one in asked]
    whole = [one.vote() for one in asked]
    hard = fit(
        [prompt_signals(one.problem.chat[-1].content) for one in asked],
        [not right for right in drafts_right],
        sorted(KNOWN["hard"]),
        DEFAULT.hard.weights,
    )
    correct = fit(drafts, drafts_right, [*DEFAULT.correct.weights], DEFAULT.correct.weights)
    mended = [vote.right and not right for vote, right in zip(whole, drafts_right, strict=True)]
    gain = fit(drafts, mended, [*DEFAULT.gain.weights], DEFAULT.gain.weights)
    urns = tuple(astuple(urn) for urn in fit_urns([one.pattern for one in asked]))
    plan = _plan(asked, whole, [float(p) for p in gain.probabilities], urns)
    stopping = Stopping(plan.price, urns)
    votes = [one.vote(own_rules(stopping), plan.most) for one in asked]
    agreed = fit(
        [vote_signals(vote.winner, vote.ballot) for vote in votes],
        [vote.right for vote in votes],
        [*DEFAULT.agreed.weights],
        DEFAULT.agreed.weights,
    )
    floor, dropped = _floor(asked)
    count = len(asked)
    # Where all that were drawn pay, nothing is known of more.
    most = plan.most if plan.most < max(len(one.samples) for one in asked) else None
    made = Calibration(
        hard.model, correct.model, gain.model, agreed.model, plan.bar, floor, stopping, most,
        _digest(asked), count, round(correct.error, 4), round(correct.auroc, 4),
    )  # fmt: skip
    return Report(
        made, hard, correct, gain, agreed, sum(drafts_right) / count,
        sum(vote.right for vote in whole) / count, plan, dropped,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plan:
    """A price, the most samples and a bar; the share of right answers, and of tokens, with them."""

    price: float
    most: int
    bar: float
    right: float
    tokens: float


def _plan(
    asked: Sequence[Asked],
    whole: Sequence[Vote],
    gains: Sequence[float],
    urns: tuple[tuple[float, float, float, float], ...],
) -> Plan:
    """The price, the most samples and the bar that take the fewest tokens and lose at most `LOSS`.

    `whole` are the votes of all samples; without a plan that loses so little, they are the plan.
    """
    count, everything = len(asked), sum(one.apart for one in asked) or 1
    wanted = sum(vote.right for vote in whole) - LOSS * count
    width = max(len(one.samples) for one in asked)
    together = sum(vote.tokens for vote in whole)
    all_voted = best = Plan(
        PRICE, width, 0.0, sum(vote.right for vote in whole) / count, together / everything
    )
    # From the likeliest to be mended on, each question in turn goes to the vote instead.
    order = sorted(range(count), key=lambda number: -gains[number])
    for price, most in itertools.product(PRICES, sorted({min(most, width) for most in MOSTS})):
        rules = own_rules(Stopping(price, urns))
        right = sum(one.right[0] for one in asked)
        tokens: float = sum(one.samples[0].signals.tokens for one in asked)
        bar = 1.0
        for place, number in enumerate(order):
            last = place and gains[number] < gains[order[place - 1]]
            if (last or not place) and right >= wanted:
                break
            vote, one = asked[number].vote(rules, most), asked[number]
            right += vote.right - one.right[0]
            tokens += vote.tokens - one.samples[0].signals.tokens
            bar = gains[number]
        share = tokens / everything
        # A vote may cost nothing, where all samples say the same: it is still none too many.
        if right >= wanted and (
            share < best.tokens or (best is all_voted and share <= best.tokens)
        ):
            # Just under the last one, so that rounding does not shut it out.
            under = max(0.0, round(bar - 5e-5, 4))
            best = Plan(price, most, under, right / count, share)
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
