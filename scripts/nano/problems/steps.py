"""Worked arithmetic: each function returns lines `a op b = c` that end in the result.

Every line is a step that a small model can do in one go: sums of at most three digits, a digit
times a round number, a table fact. Several decompositions are valid and chosen at random, so
that sampled solutions part ways and voting has something to count.
"""

from __future__ import annotations

from random import Random


def line(a: int, op: str, b: int) -> str:
    """One true line; `/` must be exact."""
    if op == "+":
        return f"{a} + {b} = {a + b}"
    if op == "-":
        return f"{a} - {b} = {a - b}"
    if op == "*":
        return f"{a} * {b} = {a * b}"
    if op == "/" and b and a % b == 0:
        return f"{a} / {b} = {a // b}"
    raise ValueError(f"{a} {op} {b} is no exact step")


def parts(number: int) -> list[int]:
    """347 -> [300, 40, 7]; zeros are left out."""
    digits = str(number)
    return [int(d) * 10 ** (len(digits) - 1 - i) for i, d in enumerate(digits) if d != "0"]


def _simple(number: int) -> bool:
    return len(parts(number)) <= 1


def add(rng: Random, a: int, b: int) -> list[str]:
    """a + b. Long sums are cut: by place value, or by adding the parts one after another."""
    effort = min(len(parts(a)), len(parts(b)))
    chance = 0.6 if effort == 2 else 0.3
    if a + b < 100 or effort <= 1 or (max(a, b) < 1000 and rng.random() < chance):
        return [line(a, "+", b)]
    if rng.random() < 0.5:
        lines, total = [], a
        for piece in parts(b):
            lines.append(line(total, "+", piece))
            total += piece
        return lines
    unit = 10 ** (len(str(min(a, b))) - 1)
    (high_a, low_a), (high_b, low_b) = divmod(a, unit), divmod(b, unit)
    if not low_a or not low_b:
        return [line(a, "+", b - low_b), *([line(a + b - low_b, "+", low_b)] if low_b else [])]
    high_a, high_b = high_a * unit, high_b * unit
    lines = [line(high_a, "+", high_b), *add(rng, low_a, low_b)]
    return [*lines, line(high_a + high_b, "+", low_a + low_b)]


def subtract(rng: Random, a: int, b: int) -> list[str]:
    """a - b for a >= b, directly or one part of b after another."""
    direct = a < 100 or _simple(b) or b < 10
    if direct or (a < 1000 and rng.random() < 0.3):
        return [line(a, "-", b)]
    pieces = parts(b)
    if rng.random() < 0.3 and b % 10 >= 6 and b > 20:
        # 532 - 178: take 180, give 2 back.
        rounded = b + 10 - b % 10
        if rounded <= a:
            middle = a - rounded
            return [*subtract(rng, a, rounded), line(middle, "+", rounded - b)]
    lines, rest = [], a
    for piece in pieces:
        lines.append(line(rest, "-", piece))
        rest -= piece
    return lines


def multiply(rng: Random, a: int, b: int) -> list[str]:
    """a * b with written-out partial products, cutting the factor with more digits first."""
    if (a <= 12 and b <= 12) or min(a, b) <= 1 or (_simple(a) and _simple(b)):
        return [line(a, "*", b)]
    if a in (10, 100, 1000) or b in (10, 100, 1000):
        return [line(a, "*", b)]
    if (a < 100 and b < 10 and rng.random() < 0.3) or (b < 100 and a < 10 and rng.random() < 0.3):
        return [line(a, "*", b)]
    cut_second = _simple(a) or (not _simple(b) and rng.random() < 0.75)
    fixed, other = (a, b) if cut_second else (b, a)
    pieces = parts(other)
    if rng.random() < 0.2:
        pieces = pieces[::-1]
    lines: list[str] = []
    products = []
    for piece in pieces:
        left, right = (fixed, piece) if cut_second else (piece, fixed)
        lines += _part_product(rng, left, right)
        products.append(fixed * piece)
    return lines + sum_up(rng, products)


def _part_product(rng: Random, a: int, b: int) -> list[str]:
    """A product one side of which is a digit followed by zeros."""
    digits, round_side = (a, b) if _simple(b) else (b, a)
    if digits < 100:
        # 23 * 40 through 23 * 4, when the digit alone is not the whole factor.
        head = int(str(round_side)[0])
        if round_side >= 10 and head > 1 and not _simple(digits) and rng.random() < 0.5:
            return [line(digits, "*", head), line(digits * head, "*", round_side // head)]
        return [line(a, "*", b)]
    return multiply(rng, a, b)


def sum_up(rng: Random, numbers: list[int]) -> list[str]:
    """Lines that add the numbers from left to right."""
    lines, total = [], numbers[0]
    for number in numbers[1:]:
        lines += add(rng, total, number)
        total += number
    return lines


def divide(rng: Random, a: int, b: int) -> list[str]:
    """a / b, exact: a table fact, or multiples taken away until a table fact is left."""
    quotient = a // b
    if (b <= 12 and quotient <= 12) or b == 1 or quotient == 1 or b in (10, 100, 1000):
        return [line(a, "/", b)]
    lines, found, rest = [], [], a
    for piece in parts(quotient):
        if rest == b * piece and piece <= 12 and (b <= 12 or rng.random() < 0.3):
            lines.append(line(rest, "/", b))
        else:
            lines.append(line(b, "*", piece))
        if rest != b * piece:
            lines.append(line(rest, "-", b * piece))
        found.append(piece)
        rest -= b * piece
    if len(found) == 1:
        return lines if "/" in lines[-1] else [*lines, line(a, "/", b)]
    return lines + sum_up(rng, found)


def compute(rng: Random, a: int, op: str, b: int) -> list[str]:
    """Lines for `a op b`, of which the last one ends in the result."""
    return {"+": add, "-": subtract, "*": multiply, "/": divide}[op](rng, a, b)
