"""Helpers that turn one step of a word problem into solution lines with words in front."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from . import steps


def told(rng: Random, a: int, op: str, b: int, labels: Sequence[str] = ()) -> list[str]:
    """Lines for `a op b`; a one-line step may carry a label such as `Apples left: `."""
    if op in "+*" and rng.random() < 0.25:
        a, b = b, a
    lines = steps.compute(rng, a, op, b)
    if labels and rng.random() < 0.7:
        label = rng.choice(labels)
        if len(lines) == 1:
            lines = [f"{label}: {lines[0]}"]
        else:
            lines = [*lines[:-1], f"{label}: {lines[-1]}"]
    return lines


def join(rng: Random, sentences: Sequence[str], question: str, first: bool = False) -> str:
    """A paragraph; rarely the question comes first."""
    if first and rng.random() < 0.08:
        return " ".join([question, *sentences])
    return " ".join([*sentences, question])
