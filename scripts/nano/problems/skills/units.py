"""Converting units (km, m, cm, kg, g, hours, minutes, l, ml) and calculating with them."""

from __future__ import annotations

from random import Random

from ..base import Draft, Family, Split, skill
from ..narrate import told
from ..words import people

# (large, small, factor) with the short forms people type.
_PAIRS = (
    ("kilometres", "metres", "km", "m", 1000),
    ("kilograms", "grams", "kg", "g", 1000),
    ("litres", "millilitres", "l", "ml", 1000),
    ("metres", "centimetres", "m", "cm", 100),
    ("hours", "minutes", "h", "min", 60),
    ("minutes", "seconds", "min", "s", 60),
    ("centimetres", "millimetres", "cm", "mm", 10),
    ("days", "hours", "days", "hours", 24),
)
_CONVERT = Family(
    train=("How many {v} are {a}?", "Convert {a} to {v}.", "What is {a} in {v}?", "{a} in {v}?",
           "Change {a} into {v}.", "How many {v} is {a}?", "{a} = ? {v}", "Write {a} in {v}.",
           "{a} are how many {v}?", "How many {v} are there in {a}?", "Express {a} in {v}."),
    valid=("Turn {a} into {v}.",),
    held=("How many {v} do you get for {a}?", "What do {a} make in {v}?", "Give {a} in {v}."),
)  # fmt: skip
_STORY = {
    "+": Family(
        train=("{n} has {a} and gets {b} more. How many {v} is that?",
               "Add {a} and {b}. Give the answer in {v}.", "What is {a} plus {b} in {v}?",
               "One part is {a} and the other {b}. How many {v} in all?",
               "First {a}, then {b}. What is the total in {v}?",
               "{n} needs {a} for one thing and {b} for another. How many {v} in all?"),
        valid=("How many {v} are {a} and {b}?",),
        held=("{n} uses {a} and then {b}. How many {v} in all?",
              "How much is {a} plus {b} in {v}?"),
    ),
    "-": Family(
        train=("{n} has {a} and uses {b}. How many {v} are left?",
               "Take {b} away from {a}. Give the answer in {v}.", "What is {a} minus {b} in {v}?",
               "Of {a}, {b} are gone. How many {v} are left?",
               "{n} starts with {a} and loses {b}. How many {v} remain?"),
        valid=("How many {v} are {a} less {b}?",),
        held=("From {a} {n} takes {b}. How many {v} are left?",
              "How much is {a} minus {b} in {v}?"),
    ),
}  # fmt: skip


def _amount(number: int, long: str, short: str, brief: bool) -> str:
    if brief:
        return f"{number} {short}"
    return f"{number} {long[:-1] if number == 1 and long.endswith('s') else long}"


@skill("units", weight=1.2)
def make_units(rng: Random, level: int, split: Split) -> Draft:
    """One conversion; a mixed amount or its way back; conversion inside a sum."""
    large, small, short_large, short_small, factor = rng.choice(_PAIRS)
    brief = rng.random() < 0.4
    target = short_small if brief and short_small not in "ms" and len(short_small) > 1 else small
    count = rng.randint(2, (12, 25, 25)[level])
    whole = count * factor
    big = _amount(count, large, short_large, brief)
    up = told(rng, count, "*", factor, (f"In {small}", small.capitalize()))
    key = f"{short_large}{count}"
    if level == 0 or (level == 1 and rng.random() < 0.4):
        if rng.random() < 0.35 + 0.3 * level:
            amount = _amount(whole, small, short_small, brief)
            text = _CONVERT.pick(rng, split).format(a=amount, v=large)
            lines = told(rng, whole, "/", factor, (f"In {large}", large.capitalize()))
            return Draft(text, tuple(lines), str(count), key + "back")
        text = _CONVERT.pick(rng, split).format(a=big, v=target)
        return Draft(text, tuple(up), str(whole), key)
    rest = rng.randint(1, factor - 1)
    if factor >= 100 and rng.random() < 0.7:
        rest = max(rest // 50 * 50, 50)
    little = _amount(rest, small, short_small, brief)
    key += f"r{rest}"
    if level == 1:
        text = _CONVERT.pick(rng, split).format(a=f"{big} and {little}", v=target)
        lines = [*up, *told(rng, whole, "+", rest, ("Together", "In all"))]
        return Draft(text, tuple(lines), str(whole + rest), key)
    (name,) = people(rng, split, 1)
    op = rng.choice("+-")
    first, mixed = whole, rng.random() < 0.5
    lines = list(up)
    if mixed:
        big = f"{big} and {little}"
        lines += told(rng, whole, "+", rest, ("First", "Together"))
        first += rest
    other = rng.randint(2, max(3, min(first - 1, 999)))
    if other > 60 and rng.random() < 0.7:
        other = other // 10 * 10
    second = _amount(other, small, short_small, brief)
    text = _STORY[op].pick(rng, split).format(a=big, b=second, v=target, n=name)
    lines += told(rng, first, op, other, ("Left",) if op == "-" else ("In all",))
    result = first + other if op == "+" else first - other
    return Draft(text, tuple(lines), str(result), f"{key}{op}{other}{mixed}")
