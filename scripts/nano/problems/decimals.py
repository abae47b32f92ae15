"""Exact decimal numbers and their worked arithmetic, as steps.py does it for whole numbers.

Long products and quotients go through whole numbers: `2.4 * 13` is `24 * 13` and then `/ 10`.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from . import steps


@dataclass(frozen=True, slots=True)
class Decimal:
    """`units` hundredths, tenths or wholes: units / 10**places, with no needless zero."""

    units: int
    places: int = 0

    @staticmethod
    def of(units: int, places: int = 0) -> Decimal:
        """The shortest form: 450 hundredths are 4.5."""
        while places and units % 10 == 0:
            units, places = units // 10, places - 1
        return Decimal(units, places)

    def at(self, places: int) -> int:
        """Units at so many places, which must not be fewer than the number has."""
        factor: int = 10 ** (places - self.places)
        return self.units * factor

    def __str__(self) -> str:
        if not self.places:
            return str(self.units)
        sign = "-" if self.units < 0 else ""
        whole, rest = divmod(abs(self.units), 10**self.places)
        return f"{sign}{whole}.{rest:0{self.places}d}"

    def fixed(self, places: int = 2) -> str:
        """With all its places: 4.50."""
        sign = "-" if self.units < 0 else ""
        whole, rest = divmod(abs(self.at(places)), 10**places)
        return f"{sign}{whole}.{rest:0{places}d}"

    def __add__(self, other: Decimal) -> Decimal:
        places = max(self.places, other.places)
        return Decimal.of(self.at(places) + other.at(places), places)

    def __sub__(self, other: Decimal) -> Decimal:
        return self + Decimal(-other.units, other.places)

    def __mul__(self, other: Decimal) -> Decimal:
        return Decimal.of(self.units * other.units, self.places + other.places)

    def __lt__(self, other: Decimal) -> bool:
        places = max(self.places, other.places)
        return self.at(places) < other.at(places)

    def shifted(self, power: int) -> Decimal:
        """Times 10**power."""
        if power >= 0:
            return Decimal.of(self.units * 10**power, self.places)
        return Decimal.of(self.units, self.places - power)

    def over(self, other: Decimal) -> Decimal | None:
        """The quotient, if it ends within four places."""
        if not other.units:
            return None
        top = self.units * 10 ** (other.places + 4)
        bottom = other.units * 10**self.places
        return Decimal.of(top // bottom, 4) if top % bottom == 0 else None


def line(a: Decimal, op: str, b: Decimal) -> str:
    """One true line."""
    result = value(a, op, b)
    if result is None:
        raise ValueError(f"{a} {op} {b} is no exact step")
    return f"{a} {op} {b} = {result}"


def value(a: Decimal, op: str, b: Decimal) -> Decimal | None:
    """a op b; None where a quotient does not end."""
    if op == "+":
        return a + b
    if op == "-":
        return a - b
    return a * b if op == "*" else a.over(b)


def _split(number: Decimal) -> list[Decimal]:
    """12.75 -> [12, 0.75]."""
    whole, rest = divmod(number.units, 10**number.places)
    return [part for part in (Decimal(whole), Decimal.of(rest, number.places)) if part.units]


def _along(rng: Random, a: Decimal, op: str, b: Decimal) -> list[str]:
    """a plus or minus the parts of b, one after another."""
    if not a.places and not b.places and a.units >= b.units >= 0:
        return steps.compute(rng, a.units, op, b.units)
    pieces = _split(b)
    easy = max(a.places, b.places) <= 1 and max(a.units, b.units) < 1000
    if len(pieces) <= 1 or not a.units or rng.random() < (0.7 if easy else 0.25):
        return [line(a, op, b)]
    if rng.random() < 0.2:
        pieces.reverse()
    lines = []
    for piece in pieces:
        lines.append(line(a, op, piece))
        a = a + piece if op == "+" else a - piece
    return lines


def _times(rng: Random, a: Decimal, b: Decimal) -> list[str]:
    ten = [number for number in (a, b) if number.units in (10, 100, 1000) and not number.places]
    places = a.places + b.places
    small = max(a.units, b.units) <= 12 and places == 1
    if not places:
        return steps.multiply(rng, a.units, b.units)
    if ten or min(a.units, b.units) <= 1 or (small and rng.random() < 0.6):
        return [line(a, "*", b)]
    lines = steps.multiply(rng, a.units, b.units)
    return [*lines, line(Decimal(a.units * b.units), "/", Decimal(10**places))]


def _over(rng: Random, a: Decimal, b: Decimal) -> list[str]:
    result = a.over(b)
    assert result is not None
    lines = []
    if not b.places and b.units in (10, 100, 1000):
        return [line(a, "/", b)]
    if b.places:
        ten = Decimal(10**b.places)
        lines = [line(a, "*", ten), line(b, "*", ten)]
        a, b = a.shifted(b.places), b.shifted(b.places)
    power = max(result.places, a.places)
    if power:
        lines.append(line(a, "*", Decimal(10**power)))
    whole = a.shifted(power).units
    if b.units > 1 or not lines:
        lines += steps.divide(rng, whole, b.units)
    if power:
        lines.append(line(Decimal(whole // b.units), "/", Decimal(10**power)))
    return lines


def compute(rng: Random, a: Decimal, op: str, b: Decimal) -> list[str]:
    """Lines for `a op b` with numbers >= 0, of which the last one ends in the result."""
    if op in "+-":
        return _along(rng, a, op, b)
    return _times(rng, a, b) if op == "*" else _over(rng, a, b)


def told(rng: Random, a: Decimal, op: str, b: Decimal, label: str = "") -> list[str]:
    """Like narrate.told: `label` may stand before the last line."""
    lines = compute(rng, a, op, b)
    if label and rng.random() < 0.6:
        lines[-1] = f"{label}: {lines[-1]}"
    return lines
