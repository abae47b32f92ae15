"""Counting votes, weighing them, and the loop that draws its samples.

The rules that end a vote early are in `stopping`. Sources: majority voting, Wang et al. 2022 (arXiv
2203.11171); votes weighted by confidence, Taubenfeld et al. 2025 (CISC, arXiv 2502.06233), and by
a verifier, Li et al. 2022 (arXiv 2206.02336). Figures are in docs/log.md.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import lru_cache

from edgemind.events import Checked, Event, Sampled
from edgemind.run import Run
from edgemind.strategies.base import Outcome, begin
from edgemind.strategies.stopping import (
    AllDrawn,
    Beta,
    Certain,
    CostAware,
    Counts,
    Rule,
    Windowed,
    Worth,
    first_to_fire,
)
from edgemind.strategies.urns import Urn
from edgemind.types import Ballot, Completion, Route, Stopping
from edgemind.verify.answers import canonical

DOUBTFUL = 0.1
"""What a sample counts whose own arithmetic is false."""
CHEAP_WIDTH = 4
"""Branches that cost little more than one in a batched step (`scripts/bench_steps.py`)."""
WAVE = 8
"""Samples of a wave that is not as narrow as could be."""
SHARPNESS = 4.0
"""How fast a vote loses weight as the mean log-probability of its tokens falls."""


def weight(completion: Completion) -> float:
    """What a vote counts, from 0 to 1: surer samples more, those with false arithmetic little."""
    sound = 1.0 if not completion.objections else DOUBTFUL
    return sound * math.exp(min(0.0, SHARPNESS * completion.signals.mean_logprob))


ALL_DRAWN, CERTAIN = AllDrawn(), Certain()
EARLY: tuple[Rule, ...] = (Worth(), Beta(), Windowed())
"""Rules besides arithmetic that end a vote, asked in this order."""


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

    `width` is the number of samples after which the vote is over in any case; without `rules` it
    is never over before. `streak` samples in a row, up to now, gave the answer `latest`.
    `apart` as for `Run.samples`, `alike` as `Run.alike`.
    """

    width: int
    rules: tuple[Rule, ...] = EARLY
    drawn: int = 0
    answered: int = 0
    latest: str | None = None
    streak: int = 0
    apart: bool = False
    alike: bool = False
    candidates: dict[str, Candidate] = field(default_factory=dict)

    def add(self, completion: Completion) -> Completion | None:
        """Count one sample; the sample, this or an earlier one, that is of no more use now."""
        self.drawn += 1
        if completion.answer is None or completion.finish == "dropped":
            self.latest, self.streak = None, 0
            return completion
        key = completion.key or canonical(completion.answer)
        self.answered += 1
        self.streak = self.streak + 1 if key == self.latest else 1
        self.latest = key
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
        did not, the answers differ, and a vote that trickles on would take longer than a wider
        batch. Where samples are alike, the first wave is such a one too.
        """
        left = self.width - self.drawn
        fewest = next((more for more in range(1, left) if self._rule(more)), left)
        return fewest if self.drawn <= 1 and not self.alike else min(left, max(fewest, WAVE))

    def winner(self) -> Completion | None:
        """The leader's best sample, None where no sample had an answer."""
        leader, _ = self._top_two()
        return leader.best if leader else None

    def agreement(self) -> float:
        """The leader's share of all samples with an answer."""
        leader, _ = self._top_two()
        return leader.votes / sum(c.votes for c in self.candidates.values()) if leader else 0.0

    def ballot(self) -> Ballot:
        """How the vote went."""
        leader, _ = self._top_two()
        total = sum(candidate.weight for candidate in self.candidates.values())
        weight = leader.weight / total if leader and total else 0.0
        return Ballot(self.drawn, len(self.candidates), self.agreement(), weight)

    def _top_two(self) -> tuple[Candidate | None, Candidate | None]:
        ranked = sorted(self.candidates.values(), key=lambda candidate: -candidate.weight)
        return ranked[0] if ranked else None, ranked[1] if len(ranked) > 1 else None

    def _rule(self, more: int) -> str | None:
        """Which rule would end the vote after `more` sound samples for the leader."""
        if self.drawn + more >= self.width:
            return ALL_DRAWN.name
        if not self.rules:
            return None
        if CERTAIN(self._weighed(more)):  # a sample that gives no answer weighs nothing
            return CERTAIN.name
        counts = self._sound(more)
        return None if counts is None else first_to_fire(self.rules, counts)

    def _weighed(self, more: int) -> Counts:
        leader, _ = self._top_two()
        votes = [c.weight + more * (c is leader) for c in self.candidates.values()] or [more]
        return self._counts(votes, more)

    def _sound(self, more: int) -> Counts | None:
        """Counts of sound samples only; None while these name another leader than the weights."""
        leader, _ = self._top_two()
        votes = [c.sound + more * (c is leader) for c in self.candidates.values()] or [more]
        if leader is not None and leader.sound + more < max(votes):
            return None
        return self._counts(votes, more)

    def _counts(self, votes: Sequence[float], more: int) -> Counts:
        """Counts as they would be after `more` samples for the leader."""
        leader, _ = self._top_two()
        latest = self.candidates.get(self.latest or "")
        streak = more + (self.streak if latest is leader else 0)
        ordered = tuple(sorted((vote for vote in votes if vote), reverse=True))
        unparsed = self.drawn - self.answered
        return Counts(ordered, self.drawn + more, self.width, unparsed, streak)


def rules_for(run: Run, route: Route) -> tuple[Rule, ...]:
    """The model's own rules or the usual ones, and the price where a person named a worth."""
    rules = EARLY if route.stopping is None else own_rules(route.stopping)
    if route.worth is None:
        return rules
    return (*rules, CostAware(route.worth, run.price(CHEAP_WIDTH).seconds))


@lru_cache(maxsize=16)
def own_rules(stopping: Stopping) -> tuple[Rule, ...]:
    """`EARLY` with what is known of one model."""
    prior = tuple(Urn(*row) for row in stopping.urns)
    return (Worth(stopping.price, prior), *EARLY[1:])


def poll(
    run: Run, route: Route, tally: Tally, roles: Sequence[str] = ()
) -> Generator[Event, None, Outcome]:
    """Count what there is, then draw wave after wave of samples, until the tally is decided.

    With `roles` a wave is one sample for each of them, told so. Whatever is still running at the
    end is dropped, and so is the memory of every sample but the best one of each answer.
    """
    outcome = yield from begin(run, route)
    tally.alike = run.alike and not tally.apart
    for completion in run.finished:
        tally.add(completion)
    while not run.cut and not tally.decided():
        count = min(len(roles), tally.width - tally.drawn) if roles else tally.wave()
        with closing(run.samples(count, route.floor, roles, tally.apart)) as wave:
            for event in wave:
                yield event
                if isinstance(event, Sampled):
                    if (useless := tally.add(event.completion)) is not None:
                        run.release(useless)
                    yield Checked(tally.ranking(), tally.decided())
                    if tally.decided():
                        break
    winner = tally.winner() or outcome.winner
    return Outcome(winner, tally.drawn, tally.agreement(), tally.ballot())
