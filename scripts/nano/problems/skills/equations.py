"""Linear equations in one unknown: one step, two steps, the unknown on both sides, in words."""

from __future__ import annotations

from random import Random

from .. import steps
from ..base import Draft, Family, Split, skill
from ..words import people

_SOLVE = Family(
    train=("Solve {e}.", "Solve for {v}: {e}", "{e}. What is {v}?", "Find {v} if {e}.",
           "If {e}, what is {v}?", "{e}, {v} = ?", "What is {v} when {e}?", "{e}",
           "Work out {v}: {e}", "Solve the equation {e}.", "which {v} makes {e} true?",
           "{e} find {v}"),
    valid=("Determine {v} from {e}.",),
    held=("Which value of {v} solves {e}?", "Given {e}, find the value of {v}.",
          "Tell me {v} if {e}."),
)  # fmt: skip
_PLUS = Family(
    train=("I think of a number and add {a}. I get {c}. What is the number?",
           "A number plus {a} is {c}. What is the number?",
           "{n} had some money and got {a} dollars more. Now it is {c}. How much was it before?",
           "Which number plus {a} makes {c}?"),
    valid=("If I add {a} to a number I get {c}. Which number is it?",),
    held=("{n} adds {a} to a number and gets {c}. What was the number?",),
)  # fmt: skip
_TIMES = Family(
    train=("I multiply a number by {a} and get {c}. What is the number?",
           "{a} times a number is {c}. What is the number?", "Which number times {a} makes {c}?"),
    valid=("If I take a number {a} times I get {c}. Which number is it?",),
    held=("{n} multiplies a number by {a} and gets {c}. What was the number?",),
)  # fmt: skip
_BOTH = Family(
    train=("I multiply a number by {a}, add {b} and get {c}. What is the number?",
           "{a} times a number plus {b} is {c}. What is the number?",
           "{n} thinks of a number, takes it times {a} and adds {b}. The result is {c}. Which "
           "number was it?", "Which number times {a} plus {b} makes {c}?"),
    valid=("If I take a number {a} times and add {b} I get {c}. Which number is it?",),
    held=("{n} takes a number times {a}, then adds {b}, and gets {c}. What was the number?",),
)  # fmt: skip
_LETTERS = "xxxxxynabtz"


def _term(rng: Random, factor: int, letter: str, tight: bool) -> str:
    if factor == 1:
        return letter
    return f"{factor}{letter}" if tight else f"{factor} * {letter}"


def _signed(number: int) -> str:
    return f"+ {number}" if number >= 0 else f"- {-number}"


def _one(rng: Random, level: int, split: Split, letter: str, tight: bool) -> Draft:
    """x + a = b, x - a = b, a - x = b, ax = b, x / a = b."""
    kind = rng.choice("+-m*/")
    top = (40, 99, 300)[level]
    x, a = rng.randint(1, top), rng.randint(2, top)
    (name,) = people(rng, split, 1)
    if kind in "*/":
        a = rng.randint(2, 12)
        x = rng.randint(2, 12) * (a if kind == "/" else 1)
    if kind == "+":
        c, lines = x + a, steps.compute(rng, x + a, "-", a)
        shape, words = f"{letter} + {a} = {c}", _PLUS
    elif kind == "-":
        x, c = x + a, x
        shape, words, lines = f"{letter} - {a} = {c}", None, steps.compute(rng, c, "+", a)
    elif kind == "m":
        c, a = a, a + x
        shape, words, lines = f"{a} - {letter} = {c}", None, steps.compute(rng, a, "-", c)
    elif kind == "*":
        c, words = a * x, _TIMES
        shape, lines = f"{_term(rng, a, letter, tight)} = {c}", steps.divide(rng, c, a)
    else:
        c = x // a
        shape, words, lines = f"{letter} / {a} = {c}", None, steps.multiply(rng, c, a)
    key = f"{kind}{a}={c}"
    if words and rng.random() < 0.35:
        return Draft(words.say(rng, split, a=a, c=c, n=name), tuple(lines), str(x), key)
    if rng.random() < 0.2:
        left, right = shape.split(" = ")
        shape = f"{right} = {left}"
    return Draft(_SOLVE.say(rng, split, e=shape, v=letter), tuple(lines), str(x), key)


def _two(rng: Random, level: int, split: Split, letter: str, tight: bool) -> Draft:
    """ax + b = c, a(x + b) = c, x / a + b = c."""
    x, a = rng.randint(1, 15 if level == 1 else 30), rng.randint(2, 9 if level == 1 else 12)
    b = rng.choice((1, 1, -1)) * rng.randint(1, 40)
    if level == 2 and rng.random() < 0.3:
        x = -x
    kind = rng.choice(("sum", "sum", "bracket", "quotient"))
    (name,) = people(rng, split, 1)
    if kind == "bracket":
        if x + b < 1:
            b = abs(b) + abs(x)
        c = a * (x + b)
        shape = (
            f"{a}({letter} {_signed(b)}) = {c}" if tight else f"{a} * ({letter} {_signed(b)}) = {c}"
        )
        lines = [*steps.divide(rng, c, a), f"{letter} {_signed(b)} = {x + b}"]
        lines.append(steps.line(x + b, "-" if b > 0 else "+", abs(b)))
    elif kind == "quotient":
        x *= a
        c = x // a + b
        shape = f"{letter} / {a} {_signed(b)} = {c}"
        lines = [steps.line(c, "-" if b > 0 else "+", abs(b)), f"{letter} / {a} = {c - b}",
                 steps.line(c - b, "*", a)]  # fmt: skip
    else:
        c = a * x + b
        shape = f"{_term(rng, a, letter, tight)} {_signed(b)} = {c}"
        lines = _undo(rng, a, b, c, letter, tight)
        if b > 0 and rng.random() < 0.3:
            text = _BOTH.say(rng, split, a=a, b=b, c=c, n=name)
            return Draft(text, tuple(lines), str(x), f"sum{a}{b}={c}")
    key = f"{kind}{a},{b}={c}"
    return Draft(_SOLVE.say(rng, split, e=shape, v=letter), tuple(lines), str(x), key)


def _undo(rng: Random, a: int, b: int, c: int, letter: str, tight: bool) -> list[str]:
    """Lines for ax + b = c."""
    op, rest = ("-", c - b) if b > 0 else ("+", c - b)
    if c > abs(b) and rest > 0:
        lines = steps.compute(rng, c, op, abs(b))
    else:
        lines = [steps.line(c, op, abs(b))]
    lines.append(f"{_term(rng, a, letter, tight)} = {rest}")
    if rest > 0:
        return lines + steps.divide(rng, rest, a)
    return [*lines, steps.line(rest, "/", a)]


def _sides(rng: Random, split: Split, letter: str, tight: bool) -> Draft:
    """ax + b = dx + c."""
    d, gap, x = rng.randint(1, 8), rng.randint(2, 8), rng.randint(1, 20)
    if rng.random() < 0.25:
        x = -x
    b = rng.choice((1, 1, -1)) * rng.randint(1, 30)
    a = d + gap
    c = gap * x + b
    left = f"{_term(rng, a, letter, tight)} {_signed(b)}"
    right = f"{_term(rng, d, letter, tight)} {_signed(c)}" if c else _term(rng, d, letter, tight)
    if rng.random() < 0.3:
        left, right = right, left
    lines = [f"{a} - {d} = {gap}"]
    rest = f"= {c}"
    lines.append(f"{_term(rng, gap, letter, tight)} {_signed(b)} {rest}")
    lines += _undo(rng, gap, b, c, letter, tight)
    text = _SOLVE.say(rng, split, e=f"{left} = {right}", v=letter)
    return Draft(text, tuple(lines), str(x), f"sides{a},{b},{d},{c}")


@skill("equation", weight=1.1)
def make_equation(rng: Random, level: int, split: Split) -> Draft:
    """One step; two steps, brackets; both sides, negative solutions."""
    letter, tight = rng.choice(_LETTERS), rng.random() < 0.7
    if level == 0 or (level == 1 and rng.random() < 0.2):
        return _one(rng, level, split, letter, tight)
    if level == 2 and rng.random() < 0.55:
        return _sides(rng, split, letter, tight)
    return _two(rng, level, split, letter, tight)
