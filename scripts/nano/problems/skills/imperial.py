"""Imperial units: inches, feet, yards, miles, ounces, pounds, cups, gallons; and to metric.

Factors between imperial units must be known; a factor to metric stands in the question.
"""

from __future__ import annotations

from random import Random

from .. import decimals
from ..base import Draft, Family, Split, skill
from ..decimals import Decimal
from ..narrate import told
from ..words import people

# (one large, large, small, factor)
_PAIRS = (
    ("foot", "feet", "inches", 12),
    ("yard", "yards", "feet", 3),
    ("pound", "pounds", "ounces", 16),
    ("gallon", "gallons", "quarts", 4),
    ("quart", "quarts", "pints", 2),
    ("pint", "pints", "cups", 2),
    ("stone", "stone", "pounds", 14),
    ("dozen", "dozen", "eggs", 12),
    ("mile", "miles", "yards", 1760),
    ("mile", "miles", "feet", 5280),
    ("week", "weeks", "days", 7),
)
_ONE = {"inches": "inch", "feet": "foot", "ounces": "ounce", "eggs": "egg"}
# (one, many, metric unit, factor)
_METRIC = (
    ("inch", "inches", "cm", Decimal(254, 2)),
    ("foot", "feet", "cm", Decimal(30)),
    ("mile", "miles", "km", Decimal(16, 1)),
    ("pound", "pounds", "kg", Decimal(45, 2)),
    ("ounce", "ounces", "g", Decimal(28)),
    ("gallon", "gallons", "litres", Decimal(38, 1)),
    ("yard", "yards", "m", Decimal(9, 1)),
)
_CONVERT = Family(
    train=("How many {v} are {a}?", "Convert {a} to {v}.", "What is {a} in {v}?", "{a} in {v}?",
           "Change {a} into {v}.", "{a} = ? {v}", "Write {a} in {v}.", "Express {a} in {v}.",
           "How many {v} are there in {a}?", "{n} needs {a}. How many {v} is that?"),
    valid=("Turn {a} into {v}.",),
    held=("What do {a} make in {v}?", "Give {a} in {v}.", "{n} bought {a}. How many {v} is that?"),
)  # fmt: skip
_PLUS = Family(
    train=("{n} has {a} and gets {b} more. How many {v} is that?", "Add {a} and {b}. Give the "
           "answer in {v}.", "What is {a} plus {b} in {v}?", "First {a}, then {b}. How many {v} in "
           "all?"),
    valid=("How many {v} are {a} and {b}?",),
    held=("{n} uses {a} and then {b}. How many {v} in all?",),
)  # fmt: skip
_MINUS = Family(
    train=("{n} has {a} and uses {b}. How many {v} are left?", "Take {b} away from {a}. Give the "
           "answer in {v}.", "What is {a} minus {b} in {v}?"),
    valid=("How many {v} are {a} less {b}?",),
    held=("From {a} {n} takes {b}. How many {v} are left?",),
)  # fmt: skip
_TO_METRIC = Family(
    train=("One {o} is {f} {u}. How many {u} are {a}?", "If one {o} is {f} {u}, how many {u} are "
           "{a}?", "Convert {a} to {u}. One {o} is {f} {u}."),
    valid=("{a} in {u}, with {f} {u} to the {o}?",),
    held=("Take one {o} as {f} {u}. What are {a} in {u}?",),
)  # fmt: skip
_FROM_METRIC = Family(
    train=("One {o} is {f} {u}. How many {v} are {a} {u}?", "If one {o} is {f} {u}, how many {v} "
           "are {a} {u}?", "Convert {a} {u} to {v}. One {o} is {f} {u}."),
    valid=("{a} {u} in {v}, with {f} {u} to the {o}?",),
    held=("Take one {o} as {f} {u}. How many {v} are {a} {u}?",),
)  # fmt: skip


def _amount(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _metric(rng: Random, level: int, split: Split) -> Draft:
    one, many, unit, factor = rng.choice(_METRIC)
    count = rng.randint(2, (10, 12, 40)[level])
    words = {"o": one, "v": many, "u": unit, "f": factor}
    result = factor * Decimal(count)
    if level and rng.random() < 0.4:
        text = _FROM_METRIC.say(rng, split, a=result, **words)
        lines = decimals.compute(rng, result, "/", factor)
        return Draft(text, tuple(lines), str(count), f"{unit}{one}{count}back")
    text = _TO_METRIC.say(rng, split, a=_amount(count, one, many), **words)
    lines = decimals.compute(rng, Decimal(count), "*", factor)
    return Draft(text, tuple(lines), str(result), f"{unit}{one}{count}")


@skill("imperial", weight=1.1)
def make_imperial(rng: Random, level: int, split: Split) -> Draft:
    """One conversion; mixed amounts and to metric; conversion inside a sum."""
    if rng.random() < (0.15, 0.3, 0.3)[level]:
        return _metric(rng, level, split)
    one, large, small, factor = rng.choice([pair for pair in _PAIRS if level < 2 or pair[3] < 20])
    (name,) = people(rng, split, 1)
    count = rng.randint(2, (10, 12, 20)[level])
    if factor > 1000:
        count = rng.randint(2, 3 + 3 * level)
    whole, key = count * factor, f"{large}{small}{count}"
    big = _amount(count, one, large)
    up = told(rng, count, "*", factor, (f"In {small}", small.capitalize()))
    if level == 0 or (level == 1 and (rng.random() < 0.3 or factor == 2)):
        if rng.random() < 0.4 + 0.3 * level:
            text = _CONVERT.say(rng, split, a=f"{whole} {small}", v=large, n=name)
            lines = told(rng, whole, "/", factor, (f"In {large}", large.capitalize()))
            return Draft(text, tuple(lines), str(count), key + "back")
        return Draft(_CONVERT.say(rng, split, a=big, v=small, n=name), tuple(up), str(whole), key)
    rest = rng.randint(1, min(factor - 1, 500))
    little = _amount(rest, _ONE.get(small, small[:-1]), small)
    key += f"r{rest}"
    if level == 1:
        text = _CONVERT.say(rng, split, a=f"{big} and {little}", v=small, n=name)
        lines = [*up, *told(rng, whole, "+", rest, ("Together",))]
        return Draft(text, tuple(lines), str(whole + rest), key)
    first, op = whole + rest, rng.choice("+-")
    lines = [*up, *told(rng, whole, "+", rest, ("First",))]
    more = rng.randint(1, max(1, count - 1))
    bit = rng.randint(1, min(factor - 1, 500))
    second = more * factor + bit
    if op == "-" and second >= first:
        op = "+"
    lines += told(rng, more, "*", factor, (f"In {small}",))
    lines += told(rng, more * factor, "+", bit, ("Second",))
    lines += told(rng, first, op, second, ("In all",) if op == "+" else ("Left",))
    other = f"{_amount(more, one, large)} and {_amount(bit, _ONE.get(small, small[:-1]), small)}"
    family = _PLUS if op == "+" else _MINUS
    text = family.say(rng, split, a=f"{big} and {little}", b=other, v=small, n=name)
    result = first + second if op == "+" else first - second
    return Draft(text, tuple(lines), str(result), f"{key}{op}{more}r{bit}")
