"""Plants one wrong result into a worked solution and lets it run on, as a slip would.

`STEP` finds a line's arithmetic, `check` says what a verifier objects to first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from random import Random

from nano_edgemind import false_sum, feedback

NUMBER = r"-?\d+(?:\.\d+)?"
STEP = re.compile(rf"({NUMBER}) (\*|/|\+|-) ({NUMBER}) = ({NUMBER})(?![\d./])")


def result(a: str, op: str, b: str) -> Fraction | None:
    """The exact value of `a op b`; None for a division by zero."""
    left, right = Fraction(a), Fraction(b)
    if op == "/":
        return left / right if right else None
    return {"+": left + right, "-": left - right, "*": left * right}[op]


def show(value: Fraction) -> str | None:
    """A finite decimal as people write it; None if it does not end within six places."""
    places = next((n for n in range(7) if (value * 10**n).denominator == 1), None)
    if places is None:
        return None
    if not places:
        return str(value.numerator)
    units = abs(int(value * 10**places))
    whole, rest = divmod(units, 10**places)
    return f"{'-' if value < 0 else ''}{whole}.{rest:0{places}d}"


def check(lines: Sequence[str]) -> str | None:
    """The objection to the first line whose arithmetic does not hold."""
    for number, line in enumerate(lines, 1):
        for found in STEP.finditer(line):
            a, op, b, given = found.groups()
            value = result(a, op, b)
            right = None if value is None else show(value)
            if right is not None and Fraction(given) != Fraction(right):
                return feedback([false_sum(number, f"{a} {op} {b}", right, given)])
    return None


def slip(rng: Random, number: str) -> str:
    """A near miss: one off, ten off, a digit changed, two digits swapped."""
    while True:
        roll = rng.randrange(4)
        digits = number.lstrip("-")
        at = rng.choice([place for place, sign in enumerate(digits) if sign != "."])
        if roll == 0:
            wrong = digits[:at] + rng.choice("0123456789") + digits[at + 1 :]
        elif roll == 1 and digits[at : at + 2].isdigit() and at + 1 < len(digits):
            wrong = digits[:at] + digits[at + 1] + digits[at] + digits[at + 2 :]
        else:
            places = len(digits.partition(".")[2])
            unit = Fraction(rng.choice((1, 1, 2, 10)), 10**places)
            value = Fraction(digits) + rng.choice((1, -1)) * unit
            shown = show(value) if value > 0 else None
            wrong = shown or digits
        leading = len(wrong) > 1 and wrong[0] == "0" and wrong[1] != "."
        if not leading and Fraction(wrong) != Fraction(digits) and not wrong.endswith(".0"):
            return ("-" if number.startswith("-") else "") + (show(Fraction(wrong)) or wrong)


def plant(rng: Random, lines: Sequence[str], answer: str) -> tuple[list[str], str] | None:
    """A draft with one false line and its answer; None if there is nothing to get wrong.

    Later lines that use the wrong number are worked out with it, so that exactly one line is
    false; where this leads nowhere they stay as they are.
    """
    places = [place for place, line in enumerate(lines) if STEP.search(line)]
    if not places:
        return None
    chosen = rng.choice(places)
    found = STEP.search(lines[chosen])
    assert found
    right = found.group(4)
    wrong = slip(rng, right)
    line = lines[chosen]
    drafted = [*lines[:chosen], line[: found.start(4)] + wrong + line[found.end(4) :]]
    changed = {right: wrong}
    for later in lines[chosen + 1 :]:
        drafted.append(_redo(later, changed))
    return drafted, _answer(lines, drafted, answer, changed)


def _answer(
    lines: Sequence[str], drafted: Sequence[str], answer: str, changed: dict[str, str]
) -> str:
    """What the draft's last line with the answer says now."""
    for line, now in zip(reversed(lines), reversed(drafted), strict=True):
        before, after = STEP.search(line), STEP.search(now)
        if before and after and before.group(4) == answer:
            return after.group(4)
    return changed.get(answer, answer)


def _redo(line: str, changed: dict[str, str]) -> str:
    """A later line with the numbers that changed; `changed` learns its new result."""
    found = STEP.search(line)
    if not found:
        return line
    a, op, b, given = found.groups()
    left, right = changed.get(a, a), changed.get(b, b)
    if (left, right) == (a, b):
        return line
    value = result(left, op, right)
    shown = None if value is None else show(value)
    if shown is None or (op == "/" and "." not in given and "." in shown):
        return line
    changed[given] = shown
    return f"{line[: found.start()]}{left} {op} {right} = {shown}{line[found.end() :]}"
