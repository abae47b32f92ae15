"""Fractions: lowest terms, a part of a number, sums, products and quotients, which is larger."""

from __future__ import annotations

from fractions import Fraction
from random import Random

from .. import ratios, steps
from ..base import Draft, Family, Split, skill
from ..words import people, things

_ASK = Family(
    train=("What is {e}?", "{e}", "{e} =", "Calculate {e}.", "Work out {e} as a fraction.",
           "Compute {e}.", "How much is {e}?", "{e} = ?", "Find {e} in lowest terms.", "{e}?",
           "Solve {e}", "What does {e} give?", "Add up or reduce: {e}", "what's {e}"),
    valid=("What fraction is {e}?",),
    held=("Please work out {e}.", "What is the value of {e} in lowest terms?",
          "Tell me what {e} comes to."),
)  # fmt: skip
_REDUCE = Family(
    train=("Simplify {e}.", "Reduce {e} to lowest terms.", "Write {e} in lowest terms.",
           "What is {e} in its simplest form?", "Simplify the fraction {e}.", "{e} simplified?",
           "Cancel {e} as far as possible.", "Make {e} as simple as you can."),
    valid=("Bring {e} to lowest terms.",),
    held=("What is the simplest form of {e}?", "Shorten the fraction {e}."),
)  # fmt: skip
_PART = Family(
    train=("What is {f} of {n}?", "{f} of {n}", "Find {f} of {n}.", "How much is {f} of {n}?",
           "{p} has {n} {t} and gives away {f} of them. How many {t} are given away?",
           "{f} of the {n} {t} belong to {p}. How many is that?",
           "There are {n} {t}. {p} takes {f} of them. How many {t} does {p} take?",
           "Calculate {f} of {n}."),
    valid=("Work out {f} of {n}.",),
    held=("{p} sells {f} of {n} {t}. How many {t} are sold?", "How many is {f} of {n}?"),
)  # fmt: skip
_LEFT = Family(
    train=("{p} has {n} {t} and loses {f} of them. How many are left?",
           "Of {n} {t}, {f} are gone. How many {t} remain?",
           "{p} gives away {f} of {n} {t}. How many {t} does {p} keep?"),
    valid=("{p} uses {f} of {n} {t}. How many are left?",),
    held=("{p} sells {f} of {n} {t}. How many {t} does {p} have left?",),
)  # fmt: skip
_LARGER = Family(
    train=("Which is larger, {a} or {b}?", "Which fraction is larger: {a} or {b}?",
           "What is more, {a} or {b}?", "Which is the bigger one, {a} or {b}?",
           "{a} or {b}: which is larger?"),
    valid=("Name the larger fraction: {a} or {b}.",),
    held=("Which one is greater, {a} or {b}?",),
)  # fmt: skip


def _proper(rng: Random, bottom: int) -> Fraction:
    return Fraction(rng.randint(1, bottom - 1), bottom)


def _reduce(rng: Random, level: int, split: Split) -> Draft:
    base = _proper(rng, rng.randint(2, (9, 15, 20)[level]))
    factor = rng.randint(2, (9, 12, 24)[level])
    top, bottom = base.numerator * factor, base.denominator * factor
    text = f"{top}/{bottom}"
    lines = ratios.shorten(rng, top, bottom)
    return Draft(_REDUCE.say(rng, split, e=text), tuple(lines), str(base), "cut" + text)


def _part(rng: Random, level: int, split: Split) -> Draft:
    part = _proper(rng, rng.randint(2, (6, 10, 12)[level]))
    share = rng.randint(2, (10, 20, 60)[level])
    number = part.denominator * share
    (name,), (thing,) = people(rng, split, 1), things(rng, split)
    lines = steps.divide(rng, number, part.denominator)
    result = share * part.numerator
    if part.numerator > 1:
        lines += steps.multiply(rng, share, part.numerator)
    left = level > 0 and rng.random() < 0.4
    family = _LEFT if left else _PART
    prompt = family.say(rng, split, f=part, n=number, p=name, t=thing[1])
    if left:
        lines += steps.subtract(rng, number, result)
        result = number - result
    return Draft(prompt, tuple(lines), str(result), f"{part}of{number}{left}")


def _larger(rng: Random, level: int, split: Split) -> Draft:
    top = (6, 9, 13)[level]
    a, b = _proper(rng, rng.randint(2, top)), _proper(rng, rng.randint(2, top))
    while a == b:
        b = _proper(rng, rng.randint(2, top))
    left = steps.multiply(rng, a.numerator, b.denominator)
    right = steps.multiply(rng, b.numerator, a.denominator)
    cross = (a.numerator * b.denominator, b.numerator * a.denominator)
    sign = ">" if a > b else "<"
    lines = [*left, *right, f"{cross[0]} {sign} {cross[1]}, so {a} {sign} {b}."]
    return Draft(_LARGER.say(rng, split, a=a, b=b), tuple(lines), str(max(a, b)),
                 f"max{min(a, b)}{max(a, b)}")  # fmt: skip


def _operate(rng: Random, level: int, split: Split) -> Draft:
    if level == 0:
        bottom = rng.randint(3, 12)
        tops = sorted(rng.choices(range(1, bottom), k=2), reverse=True)
        op = rng.choice("+-") if tops[0] > tops[1] else "+"
        text = f"{tops[0]}/{bottom} {op} {tops[1]}/{bottom}"
        result = tops[0] + tops[1] if op == "+" else tops[0] - tops[1]
        lines = steps.compute(rng, tops[0], op, tops[1])
        lines.append(f"That is {result}/{bottom}.")
        lines += ratios.shorten(rng, result, bottom)
        answer = str(Fraction(result, bottom))
        return Draft(_ASK.say(rng, split, e=text), tuple(lines), answer, text)
    top = (0, 8, 12)[level]
    a, b = _proper(rng, rng.randint(2, top)), _proper(rng, rng.randint(2, top))
    if level == 2 and rng.random() < 0.3:
        a = Fraction(rng.randint(2, 9))
    op = rng.choice("+-*" if level == 1 else "+-*/")
    if op == "-" and a <= b:
        a, b = max(a, b), min(a, b)
        op = "+" if a == b else "-"
    lines = ratios.combine(rng, a, op, b)
    total = {"+": a + b, "-": a - b, "*": a * b, "/": a / b}[op]
    text = f"{a} {op} {b}"
    if level == 2 and rng.random() < 0.3:
        third = Fraction(rng.randint(1, 4), rng.randint(2, 5))
        inner = f"({text})" if op in "+-" else text
        if op in "+-" and rng.random() < 0.5:
            text, more = f"{inner} * {third}", ratios.combine(rng, total, "*", third)
            total *= third
        else:
            text, more = f"{text} + {third}", ratios.combine(rng, total, "+", third)
            total += third
        lines += more
    return Draft(_ASK.say(rng, split, e=text), tuple(lines), str(total), text)


@skill("fraction", weight=1.3)
def make_fraction(rng: Random, level: int, split: Split) -> Draft:
    """Small, alike denominators; unlike ones; quotients, three terms, large numbers."""
    make = rng.choice((_reduce, _part, _part, _larger, _operate, _operate, _operate))
    return make(rng, level, split)
