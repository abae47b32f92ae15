"""Comparing and sorting numbers: whole, negative and decimal ones.

A sorted list is written `3 < 7 < 12`, because the order of a bare list carries no meaning for
edgemind.verify.
"""

from __future__ import annotations

from random import Random

from ..base import Draft, Family, Split, skill
from ..decimals import Decimal
from ..words import people

_TWO = {
    True: Family(
        train=("Which is larger, {a} or {b}?", "Which number is larger: {a} or {b}?",
               "What is more, {a} or {b}?", "{a} or {b}, which is bigger?", "Is {a} or {b} larger?",
               "Name the greater one of {a} and {b}.", "max of {a} and {b}"),
        valid=("Which one is the larger number, {a} or {b}?",),
        held=("Which is the greater number, {a} or {b}?", "Of {a} and {b}, which is larger?"),
    ),
    False: Family(
        train=("Which is smaller, {a} or {b}?", "Which number is smaller: {a} or {b}?",
               "What is less, {a} or {b}?", "{a} or {b}, which is lower?", "Is {a} or {b} smaller?",
               "Name the lesser one of {a} and {b}.", "min of {a} and {b}"),
        valid=("Which one is the smaller number, {a} or {b}?",),
        held=("Which is the lesser number, {a} or {b}?", "Of {a} and {b}, which is smaller?"),
    ),
}  # fmt: skip
_END = {
    True: Family(
        train=("What is the largest of {x}?", "Find the largest number: {x}", "max({x})",
               "Which of {x} is the largest?", "Which is the highest of {x}?",
               "{n} scored {x}. What was the best score?"),
        valid=("Give the maximum of {x}.",),
        held=("Tell me the largest of {x}.", "Which number is the biggest in {x}?"),
    ),
    False: Family(
        train=("What is the smallest of {x}?", "Find the smallest number: {x}", "min({x})",
               "Which of {x} is the smallest?", "Which is the lowest of {x}?",
               "{n} measured {x}. What was the lowest value?"),
        valid=("Give the minimum of {x}.",),
        held=("Tell me the smallest of {x}.", "Which number is the least in {x}?"),
    ),
}  # fmt: skip
_SECOND = {
    True: Family(
        train=("What is the second largest of {x}?", "Which of {x} is the second largest?",
               "Find the second highest number of {x}."),
        valid=("Name the second largest of {x}.",),
        held=("Tell me the second largest number in {x}.",),
    ),
    False: Family(
        train=("What is the second smallest of {x}?", "Which of {x} is the second smallest?",
               "Find the second lowest number of {x}."),
        valid=("Name the second smallest of {x}.",),
        held=("Tell me the second smallest number in {x}.",),
    ),
}  # fmt: skip
_SORT = {
    False: Family(
        train=("Sort {x} from smallest to largest.", "Put {x} in ascending order.",
               "Sort these numbers: {x}", "Order {x} from low to high.", "sort {x}",
               "Arrange {x} in increasing order.", "{n} wants {x} in order, smallest first."),
        valid=("Write {x} in rising order.",),
        held=("List {x} starting with the smallest.", "Bring {x} into ascending order."),
    ),
    True: Family(
        train=("Sort {x} from largest to smallest.", "Put {x} in descending order.",
               "Order {x} from high to low.", "Arrange {x} in decreasing order.",
               "sort {x} descending", "{n} wants {x} in order, largest first."),
        valid=("Write {x} in falling order.",),
        held=("List {x} starting with the largest.", "Bring {x} into descending order."),
    ),
}  # fmt: skip


def _number(rng: Random, level: int, kind: str) -> Decimal:
    if kind == "whole":
        return Decimal(rng.randint(1, (99, 999, 9999)[level]))
    if kind == "negative":
        return Decimal(rng.randint((-9, -60, -200)[level], (20, 60, 200)[level]))
    places = rng.randint(1, (1, 2, 3)[level])
    number = Decimal.of(rng.randint(1, 10 ** (places + 1) - 1), places)
    if kind == "mixed" and rng.random() < 0.4:
        return Decimal(-number.units, number.places)
    return number


def _numbers(rng: Random, level: int, count: int) -> list[Decimal]:
    """Different numbers of one kind, often close to each other."""
    kinds = (("whole", "whole", "decimal", "negative"), ("whole", "decimal", "negative"),
             ("decimal", "negative", "mixed", "mixed"))[level]  # fmt: skip
    kind = rng.choice(kinds)
    found = [_number(rng, level, kind)]
    while len(found) < count:
        number = _number(rng, level, kind)
        if kind != "whole" and rng.random() < 0.3:
            # 0.5 and 0.45: the same digits with one more behind them.
            near = rng.choice(found)
            if near.places < 3:
                digit = rng.randint(1, 9)
                sign = -1 if near.units < 0 else 1
                number = Decimal.of(near.units * 10 + sign * digit, near.places + 1)
                if kind == "negative":
                    number = Decimal(-near.units)
        if number not in found:
            found.append(number)
    rng.shuffle(found)
    return found


def _listed(numbers: list[Decimal]) -> str:
    return ", ".join(map(str, numbers))


def _padded(a: Decimal, b: Decimal) -> list[str]:
    """`0.5 is 0.50.` where the places differ."""
    places = max(a.places, b.places)
    return [f"{x} is {x.fixed(places)}." for x in (a, b) if x.places != places]


def _compare(a: Decimal, b: Decimal) -> str:
    return f"{a} {'<' if a < b else '>'} {b}"


def _selection(numbers: list[Decimal], largest: bool, count: int) -> list[str]:
    """Take the smallest (or largest) one after another, naming what is left."""
    left, lines = list(numbers), []
    name = "Largest" if largest else "Smallest"
    for _ in range(count):
        chosen = _extreme(left, largest)
        left.remove(chosen)
        rest = f"; left: {_listed(left)}" if left else ""
        lines.append(f"{name}: {chosen}{rest}")
    return lines


def _extreme(numbers: list[Decimal], largest: bool) -> Decimal:
    best = numbers[0]
    for number in numbers[1:]:
        if (best < number) is largest:
            best = number
    return best


@skill("ranking", weight=1.1)
def make_ranking(rng: Random, level: int, split: Split) -> Draft:
    """Two or three numbers; up to five; up to six with signs and decimals."""
    largest = rng.random() < 0.5
    (name,) = people(rng, split, 1)
    kind = rng.choice((("two", "two", "end", "sort"), ("two", "end", "second", "sort", "sort"),
                       ("end", "second", "sort", "sort", "sort"))[level])  # fmt: skip
    if kind == "two":
        a, b = _numbers(rng, level, 2)
        text = _TWO[largest].say(rng, split, a=a, b=b)
        lines = [*_padded(a, b), _compare(a, b)]
        return Draft(text, tuple(lines), str(_extreme([a, b], largest)), f"{a}?{b}")
    count = rng.randint(*((3, 3), (4, 5), (5, 6))[level])
    numbers = _numbers(rng, level, count)
    words = {"x": _listed(numbers), "n": name}
    key = f"{kind}{words['x']}"
    if kind == "end":
        best = numbers[0]
        lines = []
        for number in numbers[1:]:
            lines.append(_compare(best, number))
            best = _extreme([best, number], largest)
        return Draft(_END[largest].say(rng, split, **words), tuple(lines), str(best), key)
    if kind == "second":
        lines = _selection(numbers, largest, 2)
        answer = lines[-1].split(": ")[1].split(";")[0]
        return Draft(_SECOND[largest].say(rng, split, **words), tuple(lines), answer, key)
    lines = _selection(numbers, largest, count)
    ranked = [line.split(": ")[1].split(";")[0] for line in lines]
    answer = (" > " if largest else " < ").join(ranked)
    return Draft(_SORT[largest].say(rng, split, **words), tuple(lines), answer, key)
