"""Percentages: a share of a number, what share it is, more and less by a share, and backwards."""

from __future__ import annotations

from random import Random

from .. import decimals, steps
from ..base import Draft, Family, Split, skill
from ..decimals import Decimal
from ..words import people, place, things

_OF = Family(
    train=("What is {p}% of {n}?", "{p}% of {n}", "Find {p}% of {n}.", "How much is {p}% of {n}?",
           "Calculate {p} percent of {n}.", "{p} percent of {n}?", "Work out {p}% of {n}.",
           "Of {n} {t}, {p}% are red. How many are red?", "what's {p} % of {n}",
           "There are {n} people in the {s}, {p}% of them children. How many children are there?",
           "{w} saves {p}% of {n} dollars. How many dollars is that?"),
    valid=("Take {p}% of {n}.",),
    held=("How many are {p} percent of {n}?", "{w} owns {p}% of {n} {t}. How many {t} is that?"),
)  # fmt: skip
_SHARE = Family(
    train=("What percent of {n} is {a}?", "{a} is what percent of {n}?",
           "What percentage of {n} is {a}?", "{a} out of {n} in percent?",
           "{w} has {a} of {n} points. What percent is that?",
           "Express {a} of {n} as a percentage.",
           "{a} of the {n} {t} are old. What percent are old?"),
    valid=("How many percent of {n} is {a}?",),
    held=("{w} found {a} of {n} {t}. What percentage is that?", "{a} of {n} is how many percent?"),
)  # fmt: skip
_UP = Family(
    train=("Increase {n} by {p}%.", "What is {n} plus {p}%?", "{n} grows by {p}%. What is it now?",
           "A price of {n} dollars rises by {p}%. What is the new price?",
           "{w} earned {n} dollars and now gets {p}% more. How much does {w} earn now?",
           "{n} + {p}% of {n}", "Add {p}% to {n}."),
    valid=("Raise {n} by {p}%.",),
    held=("The rent of {n} dollars goes up {p}%. How much is it now?", "Make {n} larger by {p}%."),
)  # fmt: skip
_DOWN = Family(
    train=("Decrease {n} by {p}%.", "What is {n} minus {p}%?", "Take {p}% off {n}.",
           "A coat for {n} dollars is {p}% off. What does it cost?",
           "{n} falls by {p}%. What is left?",
           "{w} gets a {p}% discount on {n} dollars. How much does {w} pay?",
           "{n} - {p}% of {n}", "The {s} had {n} visitors and now has {p}% fewer. How many now?"),
    valid=("Lower {n} by {p}%.",),
    held=("A lamp for {n} dollars is reduced by {p}%. What is the new price?",
          "Make {n} smaller by {p}%."),
)  # fmt: skip
_BACK = Family(
    train=("{p}% of a number is {a}. What is the number?", "{a} is {p}% of what number?",
           "If {p}% of it is {a}, what is the whole?", "{a} {t} are {p}% of all. How many in all?",
           "{w} spent {p}% of the money, which was {a} dollars. How much was it?"),
    valid=("Of which number is {a} {p}%?",),
    held=("{a} is {p} percent of which number?", "{w} has {a} {t}, {p}% of all. How many in all?"),
)  # fmt: skip
_BEFORE = Family(
    train=("After a {p}% discount a coat costs {a} dollars. What was the price before?",
           "A price fell by {p}% to {a}. What was it before?",
           "{w} lost {p}% and has {a} left. How much was it at first?"),
    valid=("Reduced by {p}% a bag costs {a} dollars. What did it cost?",),
    held=("Now {a}, that is {p}% less than before. What was it before?",),
)  # fmt: skip
_GROWN = Family(
    train=("After a rise of {p}% a ticket costs {a} dollars. What was the price before?",
           "A number grew by {p}% to {a}. What was it before?",
           "{w} has {a} dollars, {p}% more than last year. How much was it last year?"),
    valid=("Raised by {p}% the rent is {a}. What was it?",),
    held=("Now {a}, that is {p}% more than before. What was it before?",),
)  # fmt: skip
_TWICE = Family(
    train=("A price of {n} dollars rises by {p}% and then falls by {q}%. What is it now?",
           "Increase {n} by {p}% and decrease the result by {q}%.",
           "{w} has {n} points, gets {p}% more and then loses {q}%. How many now?"),
    valid=("Add {p}% to {n}, then take off {q}%.",),
    held=("{n} goes up {p}% and then down {q}%. What is it now?",),
)  # fmt: skip


def share_of(rng: Random, percent: int, number: Decimal) -> tuple[list[str], Decimal]:
    """Lines for percent % of a number: over 1 %, over 10 %, or as a product."""
    result = (number * Decimal(percent)).shifted(-2)
    roll = rng.random()
    if percent == 50:
        return decimals.compute(rng, number, "/", Decimal(2)), result
    if percent == 25 and not number.places and number.units % 4 == 0 and roll < 0.6:
        return steps.divide(rng, number.units, 4), result
    if percent == 10:
        return decimals.compute(rng, number, "/", Decimal(10)), result
    if percent % 10 == 0 and roll < 0.6:
        first = number.shifted(-1)
        lines = decimals.compute(rng, number, "/", Decimal(10))
        return [*lines, *decimals.compute(rng, first, "*", Decimal(percent // 10))], result
    if not number.places and number.units % 100 == 0:
        first = number.shifted(-2)
        lines = decimals.compute(rng, number, "/", Decimal(100))
        return [*lines, *decimals.compute(rng, first, "*", Decimal(percent))], result
    if percent % 10 == 5 and percent < 100 and roll < 0.6:
        ten = number.shifted(-1)
        half = Decimal.of(ten.units * 5, ten.places + 1)
        lines = [f"10%: {decimals.line(number, '/', Decimal(10))}",
                 f"5%: {decimals.line(ten, '/', Decimal(2))}"]  # fmt: skip
        if percent == 5:
            return lines, half
        tens = ten * Decimal(percent // 10)
        if percent > 15:
            lines += decimals.compute(rng, ten, "*", Decimal(percent // 10))
        return [*lines, *decimals.compute(rng, tens, "+", half)], result
    lines = decimals.compute(rng, number, "*", Decimal(percent))
    whole = number * Decimal(percent)
    return [*lines, decimals.line(whole, "/", Decimal(100))], result


def _percent(rng: Random, level: int) -> int:
    if level == 0:
        return rng.choice((10, 20, 25, 30, 40, 50, 60, 70, 80, 90, 75, 5))
    return rng.choice((5, 10, 15, 20, 25, 30, 35, 40, 45, 60, 75, 80, rng.randint(1, 99)))


def _whole(rng: Random, level: int, percent: int) -> int:
    """A number of which so many percent are whole, or nearly so at the hard level."""
    number = rng.randint(1, (10, 20, 40)[level]) * 20
    if level and rng.random() < 0.5:
        number = rng.randint(4, 300)
    while level < 2 and number * percent % 100:
        number = rng.randint(1, 100) * (20 if percent % 5 == 0 else 100)
    return number


@skill("percent", weight=1.3)
def make_percent(rng: Random, level: int, split: Split) -> Draft:
    """Round shares; what share, more and less; backwards and two changes in a row."""
    (name,), (thing,) = people(rng, split, 1), things(rng, split)
    words = {"w": name, "t": thing[1], "s": place(rng, split)}
    percent = _percent(rng, level)
    number = _whole(rng, level, percent)
    kinds = (("of",), ("of", "share", "up", "down"), ("of", "up", "down", "back", "changed",
             "twice"))[level]  # fmt: skip
    kind = rng.choice(kinds)
    key = f"{kind}{percent}%{number}"
    whole = Decimal(number)
    part_lines, part = share_of(rng, percent, whole)
    if kind in ("up", "down"):
        op = "+" if kind == "up" else "-"
        family = _UP if kind == "up" else _DOWN
        text = family.say(rng, split, p=percent, n=number, **words)
        lines = [*part_lines, *decimals.told(rng, whole, op, part, "New")]
        return Draft(text, tuple(lines), str(decimals.value(whole, op, part)), key)
    if kind == "of":
        counted = number * percent % 100 == 0
        text = _OF.say(rng, split, p=percent, n=number, **words)
        while not counted and ("many" in text):
            text = _OF.say(rng, split, p=percent, n=number, **words)
        return Draft(text, tuple(part_lines), str(part), key)
    if kind == "share":
        amount = part.at(2) // 100
        lines = steps.multiply(rng, amount, 100) + steps.divide(rng, amount * 100, number)
        text = _SHARE.say(rng, split, a=amount, n=number, **words)
        return Draft(text, tuple(lines), str(percent), key)
    if kind == "twice":
        return _twice(rng, split, words)
    # Backwards: the share or the changed number is known, the whole is asked for.
    number = rng.randint(2, 40) * 20
    percent = rng.choice((5, 10, 15, 20, 25, 30, 40, 60, 75, 80))
    if kind == "back":
        known, rate, family = number * percent // 100, percent, _BACK
    elif rng.random() < 0.5:
        known, rate, family = number * (100 - percent) // 100, 100 - percent, _BEFORE
    else:
        known, rate, family = number * (100 + percent) // 100, 100 + percent, _GROWN
    text = family.say(rng, split, p=percent, a=known, **words)
    lines = [] if rate == percent else [f"100 {'-' if rate < 100 else '+'} {percent} = {rate}"]
    lines.append(f"{known} is {rate}%.")
    lines += steps.multiply(rng, known, 100) + steps.divide(rng, known * 100, rate)
    return Draft(text, tuple(lines), str(number), f"{family.held[0][:5]}{percent}%{known}")


def _twice(rng: Random, split: Split, words: dict[str, str]) -> Draft:
    first, second = rng.choice((10, 20, 25, 50)), rng.choice((10, 20, 25, 50))
    number = Decimal(rng.randint(1, 20) * 40)
    lines, part = share_of(rng, first, number)
    lines += decimals.told(rng, number, "+", part, "Then")
    grown = number + part
    more, part = share_of(rng, second, grown)
    lines += more + decimals.told(rng, grown, "-", part, "Now")
    text = _TWICE.say(rng, split, p=first, q=second, n=number, **words)
    return Draft(text, tuple(lines), str(grown - part), f"{number}+{first}%-{second}%")
