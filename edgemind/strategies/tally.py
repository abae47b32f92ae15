"""Counting votes, the rules that end a vote early, and the loop that draws its samples.

Sources: majority voting, Wang et al. 2022 (arXiv 2203.11171); the Beta stop, Aggarwal et al. 2023
(Adaptive-Consistency, EMNLP); the certain stop is arithmetic.
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


def beta_confidence(first: int, second: int) -> float:
    """P(the leader of two answers with these votes is the more likely one), uniform prior.

    The integral of the Beta(second + 1, first + 1) density up to one half, which equals
    P(Bin(first + second + 1, 1/2) <= first).
    """
    trials = first + second + 1
    return float(sum(math.comb(trials, k) for k in range(first + 1)) / 2**trials)


@dataclass(slots=True)
class Tally:
    """Votes for canonical answers. A sample without an answer counts, but votes for nothing.

    `width` is the number of samples after which the vote is over in any case; without `early` it
    is never over before.
    """

    width: int
    early: bool = True
    drawn: int = 0
    votes: dict[str, list[Completion]] = field(default_factory=dict)

    def add(self, completion: Completion) -> bool:
        """Count one sample; whether it is the first with its answer."""
        self.drawn += 1
        if completion.answer is None:
            return False
        voters = self.votes.setdefault(canonical(completion.answer), [])
        voters.append(completion)
        return len(voters) == 1

    def ranking(self) -> tuple[tuple[str, int], ...]:
        """(answer, votes), the most votes first; of equals, the one that came first."""
        counts = [(answer, len(voters)) for answer, voters in self.votes.items()]
        return tuple(sorted(counts, key=lambda pair: -pair[1]))

    def decided(self) -> str | None:
        """Why the vote is over, or None while it is not."""
        return self._rule(*self._top_two(), self.width - self.drawn)

    def wave(self) -> int:
        """The fewest further samples that can end the vote: if all of them agree."""
        first, second = self._top_two()
        left = self.width - self.drawn
        for more in range(1, left):
            if self._rule(first + more, second, left - more):
                return more
        return left

    def winner(self) -> Completion | None:
        """The first sample with the most votes, None where no sample had an answer."""
        ranking = self.ranking()
        return self.votes[ranking[0][0]][0] if ranking else None

    def agreement(self) -> float:
        """The leader's share of all samples with an answer."""
        ranking = self.ranking()
        return ranking[0][1] / sum(votes for _, votes in ranking) if ranking else 0.0

    def confidence(self) -> float:
        """`beta_confidence` of the leader against the second."""
        return beta_confidence(*self._top_two()) if self.votes else 0.0

    def _top_two(self) -> tuple[int, int]:
        counts = [votes for _, votes in self.ranking()] + [0, 0]
        return counts[0], counts[1]

    def _rule(self, first: int, second: int, left: int) -> str | None:
        if left <= 0:
            return "all samples drawn"
        if self.early and first - second > left:
            return "certain"
        if self.early and beta_confidence(first, second) >= BETA_THRESHOLD:
            return "beta"
        return None


def poll(run: Run, tally: Tally) -> Generator[Event, None, Outcome]:
    """Draw the draft, then wave after wave of samples, until the tally is decided.

    Whatever is still running then is dropped, and so is the memory of every sample that is not
    the first with its answer.
    """
    draft = yield from run.draft()
    tally.add(draft)
    while not run.cut and not tally.decided():
        with closing(run.samples(tally.wave())) as wave:
            for event in wave:
                yield event
                if isinstance(event, Sampled):
                    if not tally.add(event.completion):
                        run.release(event.completion)
                    yield Checked(tally.ranking(), tally.decided())
                    if tally.decided():
                        break
    return Outcome(tally.winner() or draft, tally.drawn, tally.agreement(), tally.confidence())
