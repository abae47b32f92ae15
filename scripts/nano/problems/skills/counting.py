"""Counting in lists: numbers above a bound, even ones, a word's or number's occurrences, words."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from ..base import Draft, Family, Split, skill
from ..words import people, things

_ABOVE = Family(
    train=("How many of {x} are greater than {k}?", "How many numbers in {x} are above {k}?",
           "Count the numbers over {k}: {x}", "{x}: how many are more than {k}?"),
    valid=("Of {x}, how many exceed {k}?",),
    held=("How many of the numbers {x} are larger than {k}?",),
)  # fmt: skip
_BELOW = Family(
    train=("How many of {x} are less than {k}?", "How many numbers in {x} are below {k}?",
           "Count the numbers under {k}: {x}", "{x}: how many are smaller than {k}?"),
    valid=("Of {x}, how many stay under {k}?",),
    held=("How many of the numbers {x} are lower than {k}?",),
)  # fmt: skip
_EVEN = Family(
    train=("How many of {x} are even?", "Count the even numbers in {x}.",
           "{x}: how many are even?"),
    valid=("How many even numbers are there in {x}?",),
    held=("Of the numbers {x}, how many are even?",),
)  # fmt: skip
_ODD = Family(
    train=("How many of {x} are odd?", "Count the odd numbers in {x}.", "{x}: how many are odd?"),
    valid=("How many odd numbers are there in {x}?",),
    held=("Of the numbers {x}, how many are odd?",),
)  # fmt: skip
_SAME = Family(
    train=("How many times does {k} occur in {x}?", "Count {k} in this list: {x}",
           "How often is {k} in {x}?", "{x}: how many times {k}?"),
    valid=("How often does {k} stand in {x}?",),
    held=("In the list {x}, how many times do you see {k}?",),
)  # fmt: skip
_ITEMS = Family(
    train=("How many words are in this list: {x}?", "How many entries does {x} have?",
           "Count the items: {x}", "{n} has {x}. How many things is that?"),
    valid=("How many things are listed: {x}?",),
    held=("{n} packs {x}. How many things are packed?",),
)  # fmt: skip


def _marked(items: list[str], wanted: Callable[[str], bool]) -> tuple[list[str], int]:
    """`12 yes 1, 5 no, 9 yes 2`."""
    shown, count = [], 0
    for item in items:
        hit = wanted(item)
        count += hit
        shown.append(f"{item} yes {count}" if hit else f"{item} no")
    return [", ".join(shown)], count


@skill("counting", weight=0.8)
def make_counting(rng: Random, level: int, split: Split) -> Draft:
    """Four or five entries; up to eight; up to twelve."""
    count = rng.randint(*((4, 5), (6, 8), (9, 12))[level])
    kind = rng.choice(("above", "below", "even", "odd", "same", "word", "items"))
    (name,) = people(rng, split, 1)
    if kind in ("word", "items"):
        count = min(count, 9)
        chosen = [one for one, _ in things(rng, split, count if kind == "items" else 3)]
        if kind == "items":
            names = ", ".join(chosen)
            text = _ITEMS.say(rng, split, x=names, n=name)
            numbered = ", ".join(f"{item} {place}" for place, item in enumerate(chosen, 1))
            return Draft(text, (numbered,), str(count), keep=tuple(chosen))
        items = [rng.choice(chosen) for _ in range(count)]
        target = rng.choice(chosen)
        lines, total = _marked(items, lambda item: item == target)
        text = _SAME.say(rng, split, x=", ".join(items), k=target)
        return Draft(text, tuple(lines), str(total), keep=tuple(chosen))
    top = (30, 99, 300)[level]
    numbers = [rng.randint(1, 9 if kind == "same" else top) for _ in range(count)]
    items = [str(number) for number in numbers]
    listed = ", ".join(items)
    bound = rng.choice(numbers) + rng.choice((-1, 0, 1)) if rng.random() < 0.5 else top // 2
    if kind == "above":
        lines, total = _marked(items, lambda item: int(item) > bound)
        text = _ABOVE.say(rng, split, x=listed, k=bound)
    elif kind == "below":
        lines, total = _marked(items, lambda item: int(item) < bound)
        text = _BELOW.say(rng, split, x=listed, k=bound)
    elif kind == "same":
        target = rng.choice(items)
        lines, total = _marked(items, lambda item: item == target)
        text = _SAME.say(rng, split, x=listed, k=target)
    else:
        remainder = int(kind == "odd")
        lines, total = _marked(items, lambda item: int(item) % 2 == remainder)
        text = (_ODD if remainder else _EVEN).say(rng, split, x=listed)
    return Draft(text, tuple(lines), str(total), f"{kind}{listed}?{bound}")
