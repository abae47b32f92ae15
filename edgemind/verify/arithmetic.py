"""Checks every `expression = number` that a text writes out, in exact rationals.

Models show their work as lines like `Apples left: 12 - 5 = 7`. Whether 12 - 5 is 7 needs no second
opinion, so this is evidence from outside the model: the router looks at it, and in a vote a sample
whose arithmetic is false counts little. No `eval`: a small recursive-descent parser over
`+ - * /`, parentheses and percentages.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from edgemind.types import Objection, Verdict
from edgemind.verify.objection import false_sum

MAX_TEXT: Final = 32_768
"""Of a longer text the last so many characters are read."""
MAX_EXPRESSION: Final = 200
MAX_DIGITS: Final = 40

_NUMBER: Final = r"\d+(?:,\d{3})*(?:\.\d+)?"
# A run of numbers, operators and parentheses before an equals sign. Bounded, so that a long run
# without one costs linear time.
_EQUATION: Final = re.compile(
    rf"(?P<left>[\d(][\d\s.,()+*/×÷x·%$−-]{{0,200}}?)\s{{0,9}}=\s{{0,9}}(?P<right>[-−]?\s?\$?{_NUMBER})(?P<unit>\s?%)?"
    r"(?!\d|[.,:]\d|\s*[-−+*/×÷^(]\s*[\d(]|/)"
)
_TOKEN: Final = re.compile(rf"\s*(?:(?P<number>{_NUMBER})|(?P<sign>[-+*/×÷x·%()−]))")
_SIGNS: Final = {"×": "*", "x": "*", "·": "*", "÷": "/", "−": "-"}


@dataclass(frozen=True, slots=True)
class Equation:
    """`left = right` as a text wrote it in its `line` (from 1): what it comes to, and what it says.

    `value` is exact; `claimed` is what was written, which may be rounded where it `holds`.
    `operands` are the numbers of the left side, as they stand there (20 for 20 %).
    """

    line: int
    left: str
    right: str
    value: Fraction
    claimed: Fraction
    operands: tuple[Fraction, ...]
    holds: bool


def check_arithmetic(text: str) -> tuple[Objection, ...]:
    """An objection for each equation in `text` that does not hold, in order.

    A result may be rounded: it is wrong only if it is not the exact value rounded to the decimals
    that it shows. What cannot be read as arithmetic is left alone.
    """
    return tuple(
        false_sum(one.line, one.left, _shown(one.value), one.right)
        for one in equations(text)
        if not one.holds
    )


def arithmetic(text: str, seconds: float = math.inf) -> Verdict:
    """`check_arithmetic` as a verifier: the score is 0 if any equation is false."""
    objections = check_arithmetic(text)
    return Verdict(0.0 if objections else 1.0, objections)


def equations(text: str) -> Iterator[Equation]:
    """Every `expression = number` in `text` that can be read, in order."""
    start = max(0, len(text) - MAX_TEXT)
    for number, line in enumerate(text[start:].splitlines(), 1 + text.count("\n", 0, start)):
        for match in _EQUATION.finditer(line):
            before = line[: match.start("left")].rstrip()
            # "x + 3 = 5", "2^3 = 8", "14:35 + 5 = 20": something that is not a number takes part.
            if before and (before[-1] in "+*/×÷^=.,−-" or _joins(line[match.start("left") - 1])):
                continue
            value = evaluate(match["left"])
            written = match["right"].replace(" ", "").replace("$", "").replace(",", "")
            claimed = Fraction(written.replace("−", "-"))
            if match["unit"]:
                claimed /= 100
            if value is None:
                continue
            operands = re.findall(_NUMBER, match["left"])
            yield Equation(
                line=number,
                left=" ".join(match["left"].split()),
                right=match["right"].strip(),
                value=value,
                claimed=claimed,
                operands=tuple(Fraction(one.replace(",", "")) for one in operands),
                holds=_rounds_to(value, claimed, written, bool(match["unit"])),
            )


def _joins(character: str) -> bool:
    """Whether what follows right after this character belongs to it."""
    return character.isalnum() or character == ":"


def _rounds_to(value: Fraction, claimed: Fraction, written: str, percent: bool) -> bool:
    """Exactly equal, or rounded to the decimals shown; whole numbers are no rounded ones."""
    if value == claimed or (percent and value == claimed * 100):
        return True
    decimals = len(written.partition(".")[2]) + 2 * percent
    return bool(decimals) and abs(value - claimed) * 2 <= Fraction(1, 10**decimals)


def _shown(value: Fraction) -> str:
    if value.denominator == 1:
        return str(value.numerator)
    decimal = f"{float(value):.4f}".rstrip("0")
    return decimal if Fraction(decimal) == value else f"{value.numerator}/{value.denominator}"


def evaluate(expression: str) -> Fraction | None:
    """The exact value, None where `expression` is not one of numbers, `+ - * / % ( )`.

    A single number is no expression: "7 = 7" says nothing.
    """
    if len(expression) > MAX_EXPRESSION:
        return None
    tokens: list[str] = []
    position, text = 0, expression.replace("$", " ").rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None or len(match[0]) > MAX_DIGITS:
            return None
        sign = match["sign"]
        tokens.append(_SIGNS.get(sign, sign) if sign else match["number"].replace(",", ""))
        position = match.end()
    if not any(token in "+-*/%" for token in tokens):
        return None
    parser = _Parser(tokens)
    try:
        value = parser.sum()
    except (_NotArithmetic, ZeroDivisionError):
        return None
    return value if parser.at_end else None


class _NotArithmetic(Exception):
    """The tokens are no expression."""


class _Parser:
    """Sums of products of factors; a percentage is a hundredth."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._next = 0

    @property
    def at_end(self) -> bool:
        """Whether every token was used."""
        return self._next == len(self._tokens)

    def _take(self, wanted: str) -> str | None:
        if not self.at_end and self._tokens[self._next] in wanted:
            self._next += 1
            return self._tokens[self._next - 1]
        return None

    def sum(self) -> Fraction:
        """product (("+" | "-") product)*"""
        value = self._product()
        while sign := self._take("+-"):
            value = value + self._product() if sign == "+" else value - self._product()
        return value

    def _product(self) -> Fraction:
        value = self._factor()
        while sign := self._take("*/"):
            value = value * self._factor() if sign == "*" else value / self._factor()
        return value

    def _factor(self) -> Fraction:
        if self._take("-"):
            return -self._factor()
        if self._take("("):
            value = self.sum()
            if not self._take(")"):
                raise _NotArithmetic
        elif not self.at_end and self._tokens[self._next][0].isdigit():
            value = Fraction(self._tokens[self._next])
            self._next += 1
        else:
            raise _NotArithmetic
        return value / 100 if self._take("%") else value
