"""Counting votes, the rules that end a vote early, and the loop that draws its samples.

Sources: majority voting, Wang et al. 2022 (arXiv 2203.11171); votes weighted by confidence,
Taubenfeld et al. 2025 (CISC, arXiv 2502.06233), and by a verifier, Li et al. 2022 (arXiv
2206.02336); the Beta stop, Aggarwal et al. 2023 (Adaptive-Consistency, EMNLP); the certain stop is
arithmetic. Figures are in docs/log.md.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, field

from edgemind.run import Run
from edgemind.strategies.base import Outcome
from edgemind.types import Checked, Completion, Event, Sampled
from edgemind.verify.answers import canonical

BETA_THRESHOLD = 0.95
DOUBTFUL = 0.1
"""What a sample counts whose own arithmetic is false."""
CHEAP_WIDTH = 4
"""Branches that cost little more than one in a batched step (`scripts/bench_steps.py`)."""
SHARPNESS = 4.0
"""How fast a vote loses weight as the mean log-probability of its tokens falls."""


def beta_confidence(first: int, second: int) -> float:
    """P(the leader of two answers with these votes is the more likely one), uniform prior.

    The integral of the Beta(second + 1, first + 1) density up to one half, which equals
    P(Bin(first + second + 1, 1/2) <= first).
    """
    trials = first + second + 1
    return float(sum(math.comb(trials, k) for k in range(first + 1)) / 2**trials)


def weight(completion: Completion) -> float:
    """What a vote counts, from 0 to 1: surer samples more, those with false arithmetic little."""
    sound = 1.0 if not completion.objections else DOUBTFUL
    return sound * math.exp(min(0.0, SHARPNESS * completion.signals.mean_logprob))


@dataclass(slots=True)
class Candidate:
    """An answer: its first sound sample (else its first), and its votes."""

    best: Completion
    votes: int = 0
    sound: int = 0
    weight: float = 0.0


@dataclass(slots=True)
class Tally:
    """Votes for canonical answers. A sample without an answer counts, but votes for nothing.

    `width` is the number of samples after which the vote is over in any case; without `early` it
    is never over before.
    """

    width: int
    early: bool = True
    drawn: int = 0
    candidates: dict[str, Candidate] = field(default_factory=dict)

    def add(self, completion: Completion) -> Completion | None:
        """Count one sample; the sample, this or an earlier one, that is of no more use now."""
        self.drawn += 1
        if completion.answer is None:
            return completion
        key = completion.key or canonical(completion.answer)
        candidate = self.candidates.setdefault(key, Candidate(completion))
        candidate.votes += 1
        candidate.sound += not completion.objections
        candidate.weight += weight(completion)
        if candidate.best is completion:
            return None
        if candidate.best.objections and not completion.objections:
            candidate.best, completion = completion, candidate.best
        return completion

    def ranking(self) -> tuple[tuple[str, int], ...]:
        """(answer, votes), the weightiest first; of equals, the one that came first."""
        ranked = sorted(self.candidates.items(), key=lambda item: -item[1].weight)
        return tuple((answer, candidate.votes) for answer, candidate in ranked)

    def decided(self) -> str | None:
        """Why the vote is over, or None while it is not."""
        return self._rule(0)

    def wave(self) -> int:
        """How many samples to draw next, together.

        First the fewest that could end the vote, if all are sound and for the leader. Where they
        did not, the answers differ, and a vote that trickles on one by one would take longer than
        a wider batch that a step hardly notices.
        """
        left = self.width - self.drawn
        fewest = next((more for more in range(1, left) if self._rule(more)), left)
        return fewest if self.drawn <= 1 else min(left, max(fewest, CHEAP_WIDTH))

    def winner(self) -> Completion | None:
        """The leader's best sample, None where no sample had an answer."""
        leader, _ = self._top_two()
        return leader.best if leader else None

    def agreement(self) -> float:
        """The leader's share of all samples with an answer."""
        leader, _ = self._top_two()
        return leader.votes / sum(c.votes for c in self.candidates.values()) if leader else 0.0

    def confidence(self) -> float:
        """`beta_confidence` of the leader's sound votes against the second's."""
        leader, second = self._top_two()
        return beta_confidence(leader.sound, second.sound if second else 0) if leader else 0.0

    def _top_two(self) -> tuple[Candidate | None, Candidate | None]:
        ranked = sorted(self.candidates.values(), key=lambda candidate: -candidate.weight)
        return ranked[0] if ranked else None, ranked[1] if len(ranked) > 1 else None

    def _rule(self, more: int) -> str | None:
        """Which rule would end the vote after `more` sound samples for the leader."""
        left = self.width - self.drawn - more
        if left <= 0:
            return "all samples drawn"
        if not self.early:
            return None
        leader, second = self._top_two()
        lead = (leader.weight if leader else 0) - (second.weight if second else 0)
        if lead + more > left:  # no sample weighs more than 1
            return "certain"
        sound = (leader.sound if leader else 0) + more
        if beta_confidence(sound, second.sound if second else 0) >= BETA_THRESHOLD:
            return "beta"
        return None


def poll(run: Run, tally: Tally) -> Generator[Event, None, Outcome]:
    """Draw the draft, then wave after wave of samples, until the tally is decided.

    Whatever is still running then is dropped, and so is the memory of every sample but the best
    one of each answer.
    """
    draft = yield from run.draft()
    tally.add(draft)
    while not run.cut and not tally.decided():
        with closing(run.samples(tally.wave())) as wave:
            for event in wave:
                yield event
                if isinstance(event, Sampled):
                    if (useless := tally.add(event.completion)) is not None:
                        run.release(useless)
                    yield Checked(tally.ranking(), tally.decided())
                    if tally.decided():
                        break
    return Outcome(tally.winner() or draft, tally.drawn, tally.agreement(), tally.confidence())
