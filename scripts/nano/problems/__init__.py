"""Seeded arithmetic problems with worked solutions, in three disjoint splits.

`generate` makes one problem; `mixture` draws skill and level as well. Reached from make_data.py,
the trainer and the evaluation. A new skill is one new file in `skills/`.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from random import Random

from . import skills
from .base import LEVELS, SKILLS, Draft, Problem, Split, bucket
from .dress import dress
from .echo import echoed, in_its_case
from .selection import FIRST_SKILLS, choose, weigh

__all__ = [
    "FIRST_SKILLS",
    "LEVELS",
    "SKILLS",
    "Problem",
    "Split",
    "choose",
    "generate",
    "mixture",
    "scored_skills",
    "stratified",
    "weigh",
]

for _module in sorted(info.name for info in pkgutil.iter_modules(skills.__path__)):
    importlib.import_module(f"{skills.__name__}.{_module}")


def scored_skills(among: Collection[str] | None = None) -> list[str]:
    """Skills whose answers can be marked, sorted; of `among` only, if it is given."""
    names = SKILLS if among is None else among
    return sorted(name for name in names if SKILLS[name].scored)


def _owned(draft: Draft, split: Split) -> bool:
    return draft.key is None or bucket(draft.key) is split


def generate(rng: Random, skill: str, level: int, split: Split) -> Problem:
    """One problem of a skill; level is 0 (easy), 1 (middle) or 2 (hard)."""
    if skill not in SKILLS:
        raise ValueError(f"unknown skill {skill!r}; there are {', '.join(sorted(SKILLS))}")
    make = SKILLS[skill].make
    draft = make(rng, level, split)
    while not _owned(draft, split):
        draft = make(rng, level, split)
    prompt = dress(rng, draft.prompt, split, draft.keep) if draft.dress else draft.prompt
    lines = echoed(prompt, draft.steps)
    answer = in_its_case(prompt, draft.answer)
    if answer:
        lines.append(f"#### {answer}")
    return Problem(prompt, "\n".join(lines), answer, skill, LEVELS[level], draft.history)


def mixture(
    rng: Random,
    split: Split,
    levels: Sequence[float] = (1.0, 1.0, 1.0),
    weights: Mapping[str, float] | None = None,
) -> Problem:
    """One problem of a skill drawn by weight and a level drawn by `levels`.

    `weights` names the skills and their shares; without it all skills take part.
    """
    shares = weights or {name: entry.weight for name, entry in SKILLS.items()}
    name = rng.choices(list(shares), list(shares.values()))[0]
    level = rng.choices(range(len(LEVELS)), levels)[0]
    return generate(rng, name, level, split)


def stratified(
    split: Split,
    seed: int,
    skills_wanted: Sequence[str] = (),
    levels: Sequence[int] = (0, 1, 2),
    chats: bool = True,
) -> Iterator[Problem]:
    """Different problems without end, skills and levels in turn; the same for the same seed.

    A level that stands several times in `levels` gets as many problems. Without `chats` problems
    that lean on earlier turns are left out.
    """
    for name in skills_wanted:
        if name not in SKILLS:
            raise ValueError(f"unknown skill {name!r}; there are {', '.join(sorted(SKILLS))}")
    seen: set[tuple[object, ...]] = set()
    numbers: Counter[tuple[str, int]] = Counter()
    while True:
        for level in levels:
            for name in skills_wanted or scored_skills():
                rng = Random(f"{split.value}/{seed}/{name}/{level}/{numbers[name, level]}")
                numbers[name, level] += 1
                problem = generate(rng, name, level, split)
                identity = (problem.history, problem.prompt)
                if identity not in seen and (chats or not problem.history):
                    seen.add(identity)
                    yield problem
