"""Problems for the tests of tests/nano: made once for each skill, level and split."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import cache
from random import Random

from problems import SKILLS, Problem, Split, generate
from problems.base import Family

# Rejection makes small splits dear: a draw belongs to validation one time in twenty.
# NANO_SAMPLES=20 makes twenty times as many.
_TIMES = int(os.environ.get("NANO_SAMPLES", "1"))
COUNTS = {Split.TRAIN: 180 * _TIMES, Split.VALIDATION: 20 * _TIMES, Split.HELD_OUT: 40 * _TIMES}
CELLS = [(skill, level, split) for skill in SKILLS for level in range(3) for split in Split]


@cache
def sample(skill: str, level: int, split: Split) -> tuple[Problem, ...]:
    """Problems of one cell, the same in every test."""
    seed = f"sample/{split.value}/{skill}/{level}"
    return tuple(
        generate(Random(f"{seed}/{number}"), skill, level, split) for number in range(COUNTS[split])
    )


def everything(split: Split | None = None) -> Iterator[Problem]:
    """All of them, or those of a split."""
    for skill, level, one in CELLS:
        if split in (None, one):
            yield from sample(skill, level, one)


def normal(text: str) -> str:
    """A prompt without case, blanks and closing marks."""
    return re.sub(r"\s+", " ", text.lower()).strip(" .?!")


def identity(problem: Problem) -> tuple[str, ...]:
    """Everything that the model sees, normalised."""
    turns = [part for turn in problem.history for part in turn]
    return (*map(normal, turns), normal(problem.prompt))


def families(module: object) -> Iterator[tuple[str, Family]]:
    """Every family of wordings in a module, with the name of its variable."""

    def inside(name: str, value: object) -> Iterator[tuple[str, Family]]:
        if isinstance(value, Family):
            yield name, value
        elif isinstance(value, dict):
            for key, entry in value.items():
                yield from inside(f"{name}[{key}]", entry)
        elif isinstance(value, (list, tuple)):
            for place, entry in enumerate(value):
                yield from inside(f"{name}[{place}]", entry)

    for name, value in vars(module).items():
        if not name.startswith("__"):
            yield from inside(name, value)
