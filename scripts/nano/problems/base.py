"""Problem, Split and the registry of skills, used by every file in problems/skills/.

A skill is one file in `skills/` with one function under `@skill("name")`; its file is found and
imported by itself (see `problems/__init__.py`).
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from random import Random
from typing import TypeVar

T = TypeVar("T")


class Split(Enum):
    """Disjoint families: names, objects, phrasings and numbers of one split stay in it."""

    TRAIN = "train"
    VALIDATION = "validation"
    HELD_OUT = "heldout"


LEVELS = ("easy", "middle", "hard")


@dataclass(frozen=True, slots=True)
class Problem:
    """One question with a worked solution whose last line is `#### answer`.

    `answer` is empty for small talk, which nobody can mark. `history` holds the earlier turns of
    a chat as (user, assistant) pairs.
    """

    prompt: str
    solution: str
    answer: str
    skill: str
    level: str
    history: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """What a skill returns: `key` names the numbers, so that splits never share a problem.

    A key of None leaves the split to the phrasing (single-digit facts must all be learnt).
    `dress` allows greetings and slips around the prompt; the words in `keep` are never misspelt.
    """

    prompt: str
    steps: tuple[str, ...]
    answer: str
    key: str | None = None
    history: tuple[tuple[str, str], ...] = ()
    dress: bool = True
    keep: tuple[str, ...] = ()


SkillFunction = Callable[[Random, int, Split], Draft]


@dataclass(frozen=True, slots=True)
class Skill:
    """A registered skill; `weight` is its share of a mixture before levels are drawn."""

    name: str
    make: SkillFunction
    weight: float
    scored: bool


SKILLS: dict[str, Skill] = {}


def skill(
    name: str, weight: float = 1.0, scored: bool = True
) -> Callable[[SkillFunction], SkillFunction]:
    """Register a function(rng, level 0..2, split) -> Draft under `name`."""

    def register(function: SkillFunction) -> SkillFunction:
        if name in SKILLS:
            raise ValueError(f"skill {name!r} is registered twice")
        SKILLS[name] = Skill(name, function, weight, scored)
        return function

    return register


def bucket(key: str) -> Split:
    """Which split owns these numbers: 5 % validation, 10 % held out, the rest training."""
    slot = zlib.crc32(key.encode()) % 20
    if slot == 0:
        return Split.VALIDATION
    return Split.HELD_OUT if slot <= 2 else Split.TRAIN


@dataclass(frozen=True, slots=True)
class Family:
    """Wordings of one thing: `held` and `valid` never occur in training.

    Outside training half of the draws still come from the common wordings: a problem mixes new
    sentences with known ones, around names, things and numbers that are all new.
    """

    train: tuple[str, ...]
    valid: tuple[str, ...] = ()
    held: tuple[str, ...] = ()

    def pick(self, rng: Random, split: Split) -> str:
        own = {Split.TRAIN: (), Split.VALIDATION: self.valid, Split.HELD_OUT: self.held}[split]
        if own and rng.random() < 0.5:
            return rng.choice(own)
        return rng.choice(self.train)

    def say(self, rng: Random, split: Split, **words: object) -> str:
        """A wording with its places filled in."""
        return self.pick(rng, split).format(**words)


def part(split: Split, items: Sequence[T]) -> Sequence[T]:
    """A split's own part of a list of at least ten: the fifth of every ten is held out, the
    tenth is validation."""
    if split is Split.VALIDATION:
        return items[9::10]
    if split is Split.HELD_OUT:
        return items[4::10]
    return [item for place, item in enumerate(items) if place % 10 not in (4, 9)]
