"""Means of lists and of short stories, the missing number behind a mean, range and median."""

from __future__ import annotations

from random import Random

from .. import steps
from ..base import Draft, Family, Split, skill
from ..narrate import told
from ..words import people, things

_MEAN = Family(
    train=("What is the average of {x}?", "Find the mean of {x}.", "Average of {x}?",
           "Calculate the average of {x}.", "What is the mean of the numbers {x}?",
           "{n} scored {x} points. What is the average?", "mean of {x}",
           "On {c} days {n} sold {x} {t}. How many is that per day on average?",
           "The temperatures were {x} degrees. What is their average?"),
    valid=("Compute the mean of {x}.",),
    held=("Tell me the average of {x}.", "{n} read {x} pages on {c} days. What is the average?"),
)  # fmt: skip
_MEDIAN = Family(
    train=("What is the median of {x}?", "Find the median of {x}.", "median of {x}",
           "{n} noted {x}. What is the median?"),
    valid=("Give the median of {x}.",),
    held=("Which number is the median of {x}?",),
)  # fmt: skip
_RANGE = Family(
    train=("What is the range of {x}?", "Find the range of {x}.",
           "How far apart are the largest and the smallest of {x}?"),
    valid=("Give the range of {x}.",),
    held=("What is the difference between the largest and the smallest of {x}?",),
)  # fmt: skip
_MISSING = Family(
    train=("The average of {c} numbers is {m}. {k} of them are {x}. What is the last one?",
           "The mean of {x} and one more number is {m}. Find that number.",
           "{n} has the results {x}. Which result is needed next for an average of {m}?"),
    valid=("With one more number {x} have the mean {m}. Which number is it?",),
    held=("{n} scored {x}. What must {n} score next so that the average is {m}?",),
)  # fmt: skip
_AFTER = Family(
    train=("The average of {c} numbers is {m}. Another number, {x}, is added to the list. What is "
           "the new average?", "{n} has an average of {m} in {c} tests and gets {x} in the next "
           "one. What is the average now?"),
    valid=("{c} numbers have the mean {m}. With {x} as well, what is the mean?",),
    held=("In {c} games {n} scored {m} on average, and then {x}. What is the average of all?",),
)  # fmt: skip


def _sum(rng: Random, numbers: list[int]) -> list[str]:
    order = list(numbers)
    if rng.random() < 0.2:
        order.reverse()
    return steps.sum_up(rng, order)


def _mean(rng: Random, level: int, split: Split, words: dict[str, str]) -> Draft:
    count = rng.randint(*((2, 3), (3, 5), (5, 7))[level])
    top = (20, 50, 120)[level]
    numbers = [rng.randint(1, top) for _ in range(count)]
    rest = sum(numbers) % count
    numbers[rng.randrange(count)] += (count - rest) % count
    mean = sum(numbers) // count
    joined = _listed(rng, numbers)
    text = _MEAN.say(rng, split, x=joined, c=count, **words)
    lines = [*_sum(rng, numbers), *told(rng, sum(numbers), "/", count, ("Average",))]
    return Draft(text, tuple(lines), str(mean), f"mean{numbers}")


def _listed(rng: Random, numbers: list[int]) -> str:
    """`3, 5 and 7`, or commas only."""
    if rng.random() < 0.5 and len(numbers) > 1:
        return ", ".join(map(str, numbers[:-1])) + f" and {numbers[-1]}"
    return ", ".join(map(str, numbers))


def _place(rng: Random, level: int, split: Split, words: dict[str, str]) -> Draft:
    count = rng.choice((3, 5) if level == 1 else (5, 7))
    numbers = rng.sample(range(1, (20, 60, 100)[level]), count)
    ranked = sorted(numbers)
    if rng.random() < 0.6:
        middle = ranked[count // 2]
        lines = ["In order: " + ", ".join(map(str, ranked)), f"{count} + 1 = {count + 1}",
                 f"Place: {count + 1} / 2 = {(count + 1) // 2}"]  # fmt: skip
        text = _MEDIAN.say(rng, split, x=_listed(rng, numbers), **words)
        return Draft(text, tuple(lines), str(middle), f"median{numbers}")
    text = _RANGE.say(rng, split, x=_listed(rng, numbers), **words)
    lines = [f"Largest: {ranked[-1]}", f"Smallest: {ranked[0]}"]
    lines += steps.subtract(rng, ranked[-1], ranked[0])
    return Draft(text, tuple(lines), str(ranked[-1] - ranked[0]), f"range{numbers}")


def _missing(rng: Random, split: Split, words: dict[str, str]) -> Draft:
    count = rng.randint(3, 5)
    numbers = [rng.randint(5, 60) for _ in range(count - 1)]
    mean = (sum(numbers) + rng.randint(5, 60)) // count
    last = mean * count - sum(numbers)
    while last < 1:
        mean += 1
        last = mean * count - sum(numbers)
    text = _MISSING.say(rng, split, c=count, k=count - 1, m=mean, x=_listed(rng, numbers), **words)
    lines = [*told(rng, count, "*", mean, ("All together",)), *_sum(rng, numbers)]
    lines += told(rng, mean * count, "-", sum(numbers), ("Missing", "The last one"))
    return Draft(text, tuple(lines), str(last), f"missing{numbers}{mean}")


def _after(rng: Random, split: Split, words: dict[str, str]) -> Draft:
    count, mean = rng.randint(2, 9), rng.randint(5, 40)
    new = rng.randint(2, 60)
    new += (-(count * mean + new)) % (count + 1)
    total = count * mean + new
    text = _AFTER.say(rng, split, c=count, m=mean, x=new, **words)
    lines = told(rng, count, "*", mean, ("Sum",))
    lines += told(rng, count * mean, "+", new, ("New sum",))
    lines.append(f"{count} + 1 = {count + 1}")
    lines += told(rng, total, "/", count + 1, ("Average",))
    return Draft(text, tuple(lines), str(total // (count + 1)), f"after{count}x{mean}+{new}")


@skill("average")
def make_average(rng: Random, level: int, split: Split) -> Draft:
    """Two or three numbers; up to five, median and range; long lists and missing numbers."""
    (name,), (thing,) = people(rng, split, 1), things(rng, split)
    words = {"n": name, "t": thing[1]}
    if level == 2 and rng.random() < 0.55:
        return (_missing if rng.random() < 0.5 else _after)(rng, split, words)
    if level and rng.random() < 0.35:
        return _place(rng, level, split, words)
    return _mean(rng, level, split, words)
