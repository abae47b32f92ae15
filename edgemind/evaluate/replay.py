"""Stopping rules over recorded samples: what a vote would have cost, and what it would have lost.

Reached from `edgemind eval --replay` and `scripts/fit_stopping.py`. No model runs: each question's
recorded samples are shuffled with a seed, read one by one, and every rule looks at the same votes.
The yardstick is the majority of all samples in the same order.
"""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from edgemind.evaluate.lines import json_lines, wrong
from edgemind.evaluate.statistics import Interval, mean, paired_means
from edgemind.strategies.stopping import (
    AllDrawn,
    Beta,
    Certain,
    Counts,
    Rule,
    Settled,
    Windowed,
    Worth,
    beta_confidence,
    first_to_fire,
)
from edgemind.verify.answers import canonical

SHUFFLES = 50


@dataclass(frozen=True, slots=True)
class Recording:
    """One question's samples: the answers' canonical keys, None where a sample gave no answer."""

    id: str
    gold: str
    answers: tuple[str | None, ...]

    @property
    def half(self) -> int:
        """0 or 1, by a hash of the id: the same for the same question, whoever answered it."""
        return hashlib.sha256(self.id.encode()).digest()[0] & 1


def read_recordings(path: Path) -> list[Recording]:
    """Recordings from JSON lines with `id`, `gold` and `answers` (strings or null).

    Raises `ConfigError` that names the line.
    """
    key = lru_cache(maxsize=None)(canonical)
    found = []
    for number, row in json_lines(path):
        gold, answers = row.get("gold"), row.get("answers")
        if not isinstance(gold, str) or not key(gold):
            raise wrong(path, number, 'has no "gold" answer')
        if not isinstance(answers, list) or not answers:
            raise wrong(path, number, 'has no "answers": a list of the samples\' answers')
        if not all(answer is None or isinstance(answer, str) for answer in answers):
            raise wrong(path, number, 'has "answers" that are neither text nor null')
        keys = tuple((key(answer) or None) if answer else None for answer in answers)
        found.append(Recording(str(row.get("id", number)), key(gold), keys))
    return found


@dataclass(frozen=True, slots=True)
class Policy:
    """Rules of which the first to fire ends the vote. The last sample ends it in any case."""

    name: str
    rules: tuple[Rule, ...] = ()


def standard_policies() -> tuple[Policy, ...]:
    """Every rule that needs no clock, at its usual setting; the first is the yardstick."""
    certain = Certain()
    return (
        Policy("majority"),
        Policy("certain", (certain,)),
        Policy("beta 0.95", (certain, Beta(0.95))),
        Policy("beta 0.90", (certain, Beta(0.90))),
        Policy("window 4", (certain, Windowed(4))),
        Policy("settled", (certain, Settled())),
        Policy("worth", (certain, Worth())),
    )


def beta_policies(samples: int) -> tuple[Policy, ...]:
    """One policy for each Beta threshold that makes a difference within so many samples.

    Thresholds are named by their value; the certain stop always comes first.
    """
    thresholds = {
        beta_confidence(first, second)
        for first in range(1, samples + 1)
        for second in range(min(first, samples - first) + 1)
    }
    return tuple(
        Policy(f"beta {threshold:.4f}", (Certain(), Beta(threshold)))
        for threshold in sorted(thresholds)
    )


def cheapest(candidates: Sequence[Replayed], rule: Replayed) -> Replayed | None:
    """The candidate with the fewest samples of those that lose no more than `rule` (or nothing)."""
    allowed = max(0.0, rule.lost.value) + 1e-12
    equal = [each for each in candidates if each.lost.value <= allowed]
    return min(equal, key=lambda each: each.samples.value, default=None)


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of a policy; each interval is over questions, whose shuffles are averaged.

    `lost` is the accuracy of the majority of all samples minus this one's (negative: gained),
    `same` the share of votes that end with the majority's answer. `stops` tells how often each
    rule ended the vote.
    """

    policy: str
    questions: int
    accuracy: Interval
    lost: Interval
    samples: Interval
    same: float
    stops: tuple[tuple[str, int], ...]


@dataclass(slots=True)
class _Tally:
    """Sums over the shuffles of each question."""

    right: list[float]
    samples: list[float]
    same: int
    stops: Counter[str]


@dataclass(frozen=True, slots=True)
class _Moment:
    """The vote after a sample: its counts and its leader, the first of equals."""

    counts: Counts
    leader: str | None


def replay(
    recordings: Sequence[Recording],
    policies: Sequence[Policy],
    *,
    shuffles: int = SHUFFLES,
    seed: int = 1,
) -> list[Replayed]:
    """Every policy over the same shuffles of the same recordings, in the order of `policies`."""
    sums = [_Tally([], [], 0, Counter()) for _ in policies]
    judges = [_judge(policy) for policy in policies]
    majority = []
    for recording in recordings:
        histories = [
            _history(_shuffled(recording, seed, number), len(recording.answers))
            for number in range(shuffles)
        ]
        leaders = [history[-1].leader for history in histories]
        majority.append(sum(leader == recording.gold for leader in leaders) / shuffles)
        for tally, judge in zip(sums, judges, strict=True):
            _run(tally, judge, recording.gold, histories)
    return [
        Replayed(
            policy.name,
            len(recordings),
            mean(tally.right),
            paired_means(majority, tally.right),
            mean(tally.samples),
            tally.same / max(1, shuffles * len(recordings)),
            tuple(tally.stops.most_common()),
        )
        for policy, tally in zip(policies, sums, strict=True)
    ]


def _judge(policy: Policy) -> Callable[[Counts], str | None]:
    """Which rule ends the vote at these counts, remembered: they come back all the time."""
    rules = (*policy.rules, AllDrawn())
    return lru_cache(maxsize=None)(lambda counts: first_to_fire(rules, counts))


def _run(
    tally: _Tally,
    judge: Callable[[Counts], str | None],
    gold: str,
    histories: Sequence[Sequence[_Moment]],
) -> None:
    right = samples = 0
    for history in histories:
        for moment in history:
            if (reason := judge(moment.counts)) is not None:
                tally.stops[reason] += 1
                break
        samples += moment.counts.drawn
        right += moment.leader == gold
        tally.same += moment.leader == history[-1].leader
    tally.right.append(right / len(histories))
    tally.samples.append(samples / len(histories))


def _shuffled(recording: Recording, seed: int, number: int) -> list[str | None]:
    answers = list(recording.answers)
    random.Random(f"{seed} {recording.id} {number}").shuffle(answers)
    return answers


def _history(answers: Sequence[str | None], total: int) -> list[_Moment]:
    votes: Counter[str] = Counter()
    history = []
    streak, last = 0, None
    for drawn, answer in enumerate(answers, start=1):
        streak = 0 if answer is None else streak + 1 if answer == last else 1
        last = answer
        if answer is not None:
            votes[answer] += 1
        # Counter.most_common keeps those that came first ahead of their equals.
        ranked = votes.most_common()
        sizes = tuple(count for _, count in ranked)
        unparsed = drawn - sum(sizes)
        counts = Counts(sizes, drawn, total, unparsed, streak)
        history.append(_Moment(counts, ranked[0][0] if ranked else None))
    return history
