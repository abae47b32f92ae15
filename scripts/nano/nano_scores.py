"""What a set of answers is worth: shares, votes and their intervals; used by evaluate.py.

Intervals are 95 %: Wilson's for shares, a bootstrap over problems for means and differences.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from nano_answer import answer_of, is_refusal, sound
from problems import LEVELS, Problem

DOUBTFUL = 0.1
"""What a sample counts in the checked vote if a line of its arithmetic is false."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One problem, the greedy answer to it and the sampled ones, as texts."""

    problem: Problem
    greedy: str
    samples: tuple[str, ...]

    def right(self, text: str) -> bool:
        """Whether a text ends in the right answer."""
        return answer_of(text) == self.problem.answer

    def majority(self, count: int, checked: bool = False) -> bool:
        """Whether the vote of the first `count` samples is right."""
        votes = [
            (answer_of(text), 1.0 if not checked or sound(text) else DOUBTFUL)
            for text in self.samples[:count]
        ]
        return majority(votes) == self.problem.answer


def majority(votes: Sequence[tuple[str | None, float]]) -> str | None:
    """The weightiest answer, the earliest among equals; unread answers do not vote."""
    weights: dict[str, float] = defaultdict(float)
    for answer, weight in votes:
        if answer is not None:
            weights[answer] += weight
    return max(weights, key=lambda answer: weights[answer]) if weights else None


def wilson(right: int, count: int) -> tuple[float, float]:
    """95 % interval of a share."""
    if not count:
        return 0.0, 1.0
    z, share = 1.96, right / count
    centre = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count**2))
    half /= 1 + z * z / count
    return centre - half, centre + half


def bootstrap(values: Sequence[float], seed: int = 0, rounds: int = 1000) -> tuple[float, float]:
    """95 % interval of a mean over problems."""
    rng = Random(seed)
    means = sorted(sum(rng.choices(values, k=len(values))) / len(values) for _ in range(rounds))
    return means[int(0.025 * rounds)], means[int(0.975 * rounds) - 1]


def _share(flags: Sequence[bool]) -> list[float]:
    low, high = wilson(sum(flags), len(flags))
    return [round(100 * x, 1) for x in (sum(flags) / len(flags), low, high)]


def _mean(values: Sequence[float]) -> list[float]:
    return [round(100 * x, 1) for x in (sum(values) / len(values), *bootstrap(values))]


def _difference(better: Sequence[bool], than: Sequence[bool]) -> list[float]:
    """Of two ways to answer the same problems, in points."""
    return _mean([float(a) - float(b) for a, b in zip(better, than, strict=True)])


def summary(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Percentages with intervals of one group of problems."""
    greedy = [o.right(o.greedy) for o in outcomes]
    row: dict[str, Any] = {
        "problems": len(outcomes),
        "greedy": _share(greedy),
        "refused": round(100 * sum(is_refusal(o.greedy) for o in outcomes) / len(outcomes), 2),
    }
    most = len(outcomes[0].samples)
    if most:
        rights = [[o.right(text) for text in o.samples] for o in outcomes]
        row["mean"] = _mean([sum(flags) / most for flags in rights])
        half = max(1, most // 2)
        row["half"] = _share([o.majority(half) for o in outcomes])
        votes = [o.majority(most) for o in outcomes]
        row["full"] = _share(votes)
        row["gain"] = _difference(votes, greedy)
        checked = [o.majority(most, checked=True) for o in outcomes]
        row["checked"] = _share(checked)
        row["check_gain"] = _difference(checked, votes)
        row["oracle"] = _share([any(flags) for flags in rights])
    return row


def table(outcomes: Sequence[Outcome]) -> dict[str, dict[str, Any]]:
    """Summaries of all, of each level, of each skill and of each pair."""
    groups: dict[str, list[Outcome]] = {"all": list(outcomes)}
    for outcome in outcomes:
        level, skill = outcome.problem.level, outcome.problem.skill
        for key in (level, skill, f"{skill}/{level}"):
            groups.setdefault(key, []).append(outcome)
    order = ["all", *[level for level in LEVELS if level in groups]]
    order += sorted((key for key in groups if key not in order), key=_place)
    return {key: summary(groups[key]) for key in order}


def _place(key: str) -> tuple[str, int]:
    """Each skill, then its levels from easy to hard."""
    skill, _, level = key.partition("/")
    return skill, LEVELS.index(level) + 1 if level else 0


def markdown(rows: dict[str, dict[str, Any]], samples: int) -> str:
    """The table of the model card."""

    def cell(numbers: Sequence[float] | None) -> str:
        if numbers is None:
            return "–"
        return f"{numbers[0]:.1f} ({numbers[1]:.1f} … {numbers[2]:.1f})"

    lines = [
        f"| group | problems | greedy % | mean of {samples} % | majority of {max(1, samples // 2)} "
        f"% | majority of {samples} % | majority − greedy | checked majority of {samples} % | "
        f"checked − majority | oracle of {samples} % |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    columns = ("greedy", "mean", "half", "full", "gain", "checked", "check_gain", "oracle")
    for key, row in rows.items():
        cells = [cell(row.get(name)) for name in columns]
        lines.append(f"| {key} | {row['problems']} | {' | '.join(cells)} |")
    return "\n".join(lines)
