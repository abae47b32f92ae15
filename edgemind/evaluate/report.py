"""What an evaluation found, in figures and in words.

Reached from `edgemind eval`. The oracle router is computed here: for each question the cheapest
policy that is right, or the cheapest of all where none is. It bounds what any router between these
policies can reach.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from edgemind.defaults import AUTO
from edgemind.evaluate.harness import ORACLE
from edgemind.evaluate.plots import Point
from edgemind.evaluate.replay import Replayed, cheapest
from edgemind.evaluate.results import Result
from edgemind.evaluate.statistics import Interval, mean, paired_means, paired_shares, share


class Unit(StrEnum):
    """What a policy's cost is reckoned in, for each question."""

    tokens = "tokens"
    seconds = "seconds"
    joules = "joules"


BASES = ("direct", "majority")
"""Policies that others are compared with, where they took part."""


@dataclass(frozen=True, slots=True)
class Summary:
    """One policy over all questions; costs are means for each question."""

    policy: str
    questions: int
    accuracy: Interval
    tokens: Interval
    seconds: Interval
    joules: Interval
    samples: Interval
    refused: int


@dataclass(frozen=True, slots=True)
class Difference:
    """`policy` minus `base` over the same questions."""

    policy: str
    base: str
    accuracy: Interval
    tokens: Interval
    seconds: Interval
    joules: Interval


@dataclass(frozen=True, slots=True)
class Report:
    """Every policy, the oracle last, and their differences."""

    policies: tuple[Summary, ...]
    differences: tuple[Difference, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain values for `json.dumps`."""
        return asdict(self)


def oracle(results: Iterable[Result], unit: Unit = Unit.tokens) -> list[Result]:
    """One result for each question, in the order of the questions."""
    best: dict[int, Result] = {}
    for result in results:
        held = best.get(result.question)
        if held is None or _rank(result, unit) < _rank(held, unit):
            best[result.question] = result
    return [replace(best[number], policy=ORACLE) for number in sorted(best)]


def _rank(result: Result, unit: Unit) -> tuple[bool, bool, float]:
    return not result.right, result.finish == "refused", float(getattr(result, unit))


def report(results: Sequence[Result], policies: Sequence[str], unit: Unit = Unit.tokens) -> Report:
    """The report on the questions that every policy has answered."""
    by_policy = {
        policy: {result.question: result for result in results if result.policy == policy}
        for policy in policies
    }
    common = set.intersection(*(set(rows) for rows in by_policy.values()))
    rows = {
        policy: [found[number] for number in sorted(common)] for policy, found in by_policy.items()
    }
    if len(policies) > 1:
        rows[ORACLE] = oracle((row for found in rows.values() for row in found), unit)
    pairs = [
        (policy, base)
        for base in BASES
        for policy in rows
        if base in rows and policy not in ("direct", base)
    ]
    if AUTO in rows and ORACLE in rows:
        pairs.append((ORACLE, AUTO))
    return Report(
        tuple(_summary(policy, found) for policy, found in rows.items()),
        tuple(_difference(policy, base, rows[policy], rows[base]) for policy, base in pairs),
    )


def _summary(policy: str, rows: Sequence[Result]) -> Summary:
    return Summary(
        policy,
        len(rows),
        share([row.right for row in rows]),
        mean([row.tokens for row in rows]),
        mean([row.seconds for row in rows]),
        mean([row.joules for row in rows]),
        mean([row.samples for row in rows]),
        sum(row.finish == "refused" for row in rows),
    )


def _difference(
    policy: str, base: str, rows: Sequence[Result], others: Sequence[Result]
) -> Difference:
    return Difference(
        policy,
        base,
        paired_shares([row.right for row in rows], [row.right for row in others]),
        *(
            paired_means([getattr(row, unit) for row in rows], [getattr(o, unit) for o in others])
            for unit in Unit
        ),
    )


def policies_text(found: Report) -> str:
    """Accuracy and cost of each policy as an aligned table."""
    rows = [
        (
            each.policy,
            f"{100 * each.accuracy.value:.1f}",
            f"{100 * each.accuracy.low:.1f}–{100 * each.accuracy.high:.1f}",
            f"{each.samples.value:.2f}",
            f"{each.tokens.value:.0f}",
            f"{each.seconds.value:.3f}",
            f"{each.joules.value:.2f}",
        )
        for each in found.policies
    ]
    return table(("policy", "right %", "95 %", "samples", "tokens", "seconds", "joules"), rows)


def report_text(found: Report) -> str:
    """The whole report as aligned tables."""
    parts = [policies_text(found)]
    if found.differences:
        rows = [
            (
                f"{each.policy} − {each.base}",
                f"{100 * each.accuracy.value:+.1f}",
                f"{100 * each.accuracy.low:+.1f} to {100 * each.accuracy.high:+.1f}",
                f"{each.tokens.value:+.0f}",
                f"{each.seconds.value:+.3f}",
                f"{each.joules.value:+.2f}",
            )
            for each in found.differences
        ]
        head = ("difference", "points", "95 %", "tokens", "seconds", "joules")
        parts.append(table(head, rows))
    refused = [f"{each.policy} {each.refused}" for each in found.policies if each.refused]
    if refused:
        parts.append("questions that got no answer at all: " + ", ".join(refused))
    return "\n\n".join(parts)


def replay_text(results: Sequence[Replayed]) -> str:
    """Replayed policies as an aligned table."""
    head = ("rule", "right %", "95 %", "lost, points", "95 %", "samples", "same answer %")
    rows = [
        (
            each.policy,
            f"{100 * each.accuracy.value:.2f}",
            f"{100 * each.accuracy.low:.1f}–{100 * each.accuracy.high:.1f}",
            f"{100 * each.lost.value:+.3f}",
            f"{100 * each.lost.low:+.2f} to {100 * each.lost.high:+.2f}",
            f"{each.samples.value:.2f}",
            f"{100 * each.same:.1f}",
        )
        for each in results
    ]
    return table(head, rows)


def beside(rule: Replayed, betas: Sequence[Replayed]) -> str:
    """How a rule compares with one Beta threshold, chosen with hindsight, at equal loss."""
    rival = cheapest(betas, rule)
    if rival is None:
        return f"no Beta threshold loses as little as {rule.policy}"
    return (
        f"the cheapest Beta threshold that loses no more than {rule.policy}: {rival.policy}, "
        f"{rival.samples.value:.2f} samples"
    )


def points(found: Report, unit: Unit) -> list[Point]:
    """Every policy as a point of the plot."""
    return [Point(each.policy, getattr(each, unit).value, each.accuracy) for each in found.policies]


def replayed_points(results: Sequence[Replayed]) -> list[Point]:
    """Every replayed policy as a point of the plot; its cost is samples.

    The intervals are those of the difference from the majority of all samples: what the questions
    have in common would hide it.
    """
    return [
        Point(
            each.policy,
            each.samples.value,
            Interval(
                each.accuracy.value,
                each.accuracy.value + each.lost.value - each.lost.high,
                each.accuracy.value + each.lost.value - each.lost.low,
            ),
        )
        for each in results
    ]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns with blanks between, the first to the left and the others to the right."""
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    lines = []
    for row in (head, *rows):
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)
