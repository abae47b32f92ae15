"""Recordings of a model that does not exist, made from urns with a seed."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path

from edgemind.strategies.urns import Prior, Urn

# Easy, middling, hopeless, and with a favourite error.
MODEL: Prior = (
    Urn(0.3, 0.9, 0.0, 3.0),
    Urn(0.3, 0.45, 0.5, 3.0),
    Urn(0.25, 0.03, 0.7, 6.0),
    Urn(0.15, 0.3, 0.0, 0.4),
)


def samples(urn: Urn, count: int, chance: random.Random) -> list[str | None]:
    """Answers of one question: "1" is right, other numbers are wrong."""
    wrong: list[int] = []
    answers: list[str | None] = []
    for _ in range(count):
        if chance.random() < urn.right:
            answers.append("1")
            continue
        weights = [votes - urn.discount for votes in wrong]
        weights.append(urn.strength + urn.discount * len(wrong))
        [found] = chance.choices(range(len(weights)), weights)
        if found == len(wrong):
            wrong.append(0)
        wrong[found] += 1
        answers.append(str(found + 2))
    return answers


def record(
    path: Path, questions: int, *, seed: int = 1, count: int = 8, gaps: float = 0.02
) -> Path:
    """Write a recording; a share of `gaps` of its answers is missing."""
    chance = random.Random(seed)
    rows = []
    for number in range(questions):
        [urn] = chance.choices(MODEL, [urn.weight for urn in MODEL])
        answers = samples(urn, count, chance)
        answers = [None if chance.random() < gaps else answer for answer in answers]
        rows.append({"id": number, "gold": "1", "answers": answers})
    return write(path, rows)


def write(path: Path, rows: Sequence[object]) -> Path:
    """JSON lines; text stands as it is."""
    lines = (row if isinstance(row, str) else json.dumps(row) for row in rows)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path
