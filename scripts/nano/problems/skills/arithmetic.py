"""One operation on two whole numbers: add, subtract, multiply, divide."""

from __future__ import annotations

from random import Random

from .. import steps
from ..base import Draft, Family, Split, skill

_SIGN = Family(
    train=(
        "What is {e}?", "{e}", "{e}?", "{e} =", "{e} = ?", "Calculate {e}.", "Compute {e}.",
        "How much is {e}?", "Work out {e}.", "Find {e}.", "What's {e}", "Tell me what {e} is.",
        "Evaluate {e}.", "What does {e} equal?", "I want to know {e}.", "Give me {e}.",
        "What do I get for {e}?", "Do {e} for me.", "Can you work out {e}?", "Solve {e}",
        "What is the value of {e}?", "{e}, what is it?", "So how much is {e}?",
    ),
    valid=("What number is {e}?", "Please find {e}."),
    held=("What is the answer to {e}?", "Can you tell me what {e} is?", "{e} is how much?",
          "How much do I get for {e}?"),
)  # fmt: skip
_WORDS = {
    "+": Family(
        train=(
            "What is {a} plus {b}?", "Add {a} and {b}.", "What is the sum of {a} and {b}?",
            "Add {b} to {a}.", "{a} plus {b}", "How much is {a} plus {b}?",
            "What do you get if you add {b} to {a}?", "Increase {a} by {b}.",
            "Find the sum of {a} and {b}.", "What is {b} more than {a}?",
        ),
        valid=("What is the total of {a} and {b}?",),
        held=("Work out {a} plus {b}.", "Tell me the sum of {a} and {b}."),
    ),
    "-": Family(
        train=(
            "What is {a} minus {b}?", "Subtract {b} from {a}.", "{a} minus {b}",
            "What is the difference between {a} and {b}?", "Take {b} away from {a}.",
            "How much is {a} minus {b}?", "What is left of {a} if you take away {b}?",
            "Decrease {a} by {b}.", "What is {b} less than {a}?",
        ),
        valid=("Find the difference between {a} and {b}.",),
        held=("Work out {a} minus {b}.", "What do you get if you subtract {b} from {a}?"),
    ),
    "*": Family(
        train=(
            "What is {a} times {b}?", "Multiply {a} by {b}.", "{a} times {b}",
            "What is the product of {a} and {b}?", "How much is {a} times {b}?",
            "Multiply {a} and {b}.", "What do you get if you multiply {a} by {b}?",
        ),
        valid=("Find the product of {a} and {b}.",),
        held=("Work out {a} times {b}.", "Tell me the product of {a} and {b}."),
    ),
    "/": Family(
        train=(
            "What is {a} divided by {b}?", "Divide {a} by {b}.", "{a} divided by {b}",
            "How much is {a} divided by {b}?", "How many times does {b} go into {a}?",
            "What do you get if you divide {a} by {b}?",
        ),
        valid=("Find {a} divided by {b}.",),
        held=("Work out {a} divided by {b}.", "Tell me how often {b} goes into {a}."),
    ),
}  # fmt: skip
_GLYPHS = {"+": ("+",), "-": ("-", "-", "\u2212"), "*": ("*", "*", "x", "\u00d7"),
           "/": ("/", "/", ":", "\u00f7")}  # fmt: skip


def glyph(rng: Random, op: str) -> str:
    """How people type an operator."""
    return rng.choice(_GLYPHS[op])


def expression(rng: Random, a: int, op: str, b: int) -> str:
    """`17*23`, `17 x 23`…"""
    gap = " " if rng.random() < 0.7 else ""
    return f"{a}{gap}{glyph(rng, op)}{gap}{b}"


def _draft(rng: Random, split: Split, a: int, op: str, b: int) -> Draft:
    if rng.random() < 0.55:
        prompt = _SIGN.pick(rng, split).format(e=expression(rng, a, op, b))
    else:
        prompt = _WORDS[op].pick(rng, split).format(a=a, b=b)
    lines = steps.compute(rng, a, op, b)
    table = op in "*/" and b <= 12 and (a <= 12 or a // b <= 12)
    result = {"+": a + b, "-": a - b, "*": a * b, "/": a // b}[op]
    small = max(a, b, result) < 30
    key = None if table or small else f"{a}{op}{b}"
    return Draft(prompt, tuple(lines), str(result), key)


@skill("add", weight=0.8)
def make_add(rng: Random, level: int, split: Split) -> Draft:
    """Two digits; three digits; three and four digits."""
    low, high = ((2, 99), (50, 999), (300, 4999))[level]
    return _draft(rng, split, rng.randint(low, high), "+", rng.randint(low, high))


@skill("subtract", weight=0.8)
def make_subtract(rng: Random, level: int, split: Split) -> Draft:
    """Two digits; three digits; three and four digits; never below zero."""
    low, high = ((2, 99), (50, 999), (300, 4999))[level]
    a, b = sorted((rng.randint(low, high), rng.randint(low, high)), reverse=True)
    return _draft(rng, split, a, "-", b)


@skill("multiply", weight=1.1)
def make_multiply(rng: Random, level: int, split: Split) -> Draft:
    """Tables and two digits by one; two by two; three by one or two."""
    if level == 0:
        a, b = rng.randint(2, 12), rng.randint(2, 12)
        if rng.random() < 0.5:
            a = rng.randint(11, 99)
            b = rng.randint(2, 9)
    elif level == 1:
        a, b = rng.randint(11, 99), rng.randint(11, 99)
    else:
        a, b = rng.randint(101, 999), rng.choice((rng.randint(3, 9), rng.randint(11, 99)))
    if rng.random() < 0.4:
        a, b = b, a
    return _draft(rng, split, a, "*", b)


@skill("divide", weight=1.0)
def make_divide(rng: Random, level: int, split: Split) -> Draft:
    """Table facts; two- and three-digit numbers by a digit; by one or two digits."""
    if level == 0:
        b, quotient = rng.randint(2, 12), rng.randint(2, 12)
        if rng.random() < 0.3:
            b, quotient = rng.randint(2, 9), rng.randint(11, 25)
    elif level == 1:
        b, quotient = rng.randint(2, 9), rng.randint(12, 120)
    else:
        b = rng.randint(11, 40)
        quotient = rng.randint(11, 60)
        if rng.random() < 0.3:
            b, quotient = rng.randint(3, 9), rng.randint(101, 400)
    return _draft(rng, split, b * quotient, "/", b)
