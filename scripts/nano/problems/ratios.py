"""Worked steps on fractions, all of them in whole numbers: `2/3 + 1/4` through 3 * 4, 2 * 4, …"""

from __future__ import annotations

from fractions import Fraction
from math import gcd
from random import Random

from . import steps


def show(number: Fraction) -> str:
    """`5/6`, or `2` for a whole one."""
    return str(number)


def shorten(rng: Random, top: int, bottom: int) -> list[str]:
    """Lines that bring top/bottom to lowest terms; none if it is there already."""
    common = gcd(top, bottom)
    lines: list[str] = []
    if bottom == 1:
        return lines
    if common == bottom:
        return steps.divide(rng, top, bottom)
    while common > 1:
        factor = common
        if common > 12 or rng.random() < 0.3:
            factor = rng.choice([d for d in range(2, 13) if common % d == 0] or [common])
        lines += steps.divide(rng, top, factor)
        lines += steps.divide(rng, bottom, factor)
        top, bottom, common = top // factor, bottom // factor, common // factor
        lines.append(f"That is {top}/{bottom}.")
    return lines


def combine(rng: Random, a: Fraction, op: str, b: Fraction) -> list[str]:
    """Lines for a op b up to lowest terms; the result must not be negative."""
    if op == "*":
        return product(rng, a.numerator, a.denominator, b.numerator, b.denominator)
    if op == "/":
        if b.denominator == 1:
            return product(rng, a.numerator, a.denominator, 1, b.numerator)
        turned = f"Turn {show(b)} over: {b.denominator}/{b.numerator}."
        return [turned, *product(rng, a.numerator, a.denominator, b.denominator, b.numerator)]
    lines: list[str] = []
    common = a.denominator * b.denominator // gcd(a.denominator, b.denominator)
    if common not in (a.denominator, b.denominator) and rng.random() < 0.3:
        common = a.denominator * b.denominator
    tops = []
    for number in (a, b):
        factor, top = common // number.denominator, number.numerator
        if factor > 1:
            if number.denominator > 1:
                lines.append(f"{number.denominator} * {factor} = {common}")
            lines += steps.multiply(rng, top, factor)
            lines.append(f"{show(number)} is {top * factor}/{common}.")
        tops.append(top * factor)
    result = tops[0] + tops[1] if op == "+" else tops[0] - tops[1]
    lines += steps.compute(rng, tops[0], op, tops[1])
    if common > 1 and result:
        lines.append(f"That is {result}/{common}.")
        lines += shorten(rng, result, common)
    return lines


def product(rng: Random, a: int, b: int, c: int, d: int) -> list[str]:
    """Lines for a/b * c/d."""
    lines = [*steps.multiply(rng, a, c)]
    if b > 1 or d > 1:
        lines += steps.multiply(rng, b, d)
        lines.append(f"That is {a * c}/{b * d}.")
    return lines + shorten(rng, a * c, b * d)
