"""Temperatures: Celsius and Fahrenheit both ways, rises and falls, also below zero."""

from __future__ import annotations

from random import Random

from .. import decimals, steps
from ..base import Draft, Family, Split, skill
from ..decimals import Decimal

_TO_F = Family(
    train=("What is {c} degrees Celsius in Fahrenheit?", "Convert {c} C to F.", "{c} C in F?",
           "Convert {c} degrees Celsius to Fahrenheit.", "It is {c} degrees Celsius. How many "
           "degrees Fahrenheit is that?", "How many degrees Fahrenheit are {c} degrees Celsius?"),
    valid=("Give {c} degrees Celsius in Fahrenheit.",),
    held=("What does {c} C make in Fahrenheit?", "In Fahrenheit, how warm is {c} degrees Celsius?"),
)  # fmt: skip
_TO_C = Family(
    train=("What is {f} degrees Fahrenheit in Celsius?", "Convert {f} F to C.", "{f} F in C?",
           "Convert {f} degrees Fahrenheit to Celsius.", "It is {f} degrees Fahrenheit. How many "
           "degrees Celsius is that?", "How many degrees Celsius are {f} degrees Fahrenheit?"),
    valid=("Give {f} degrees Fahrenheit in Celsius.",),
    held=("What does {f} F make in Celsius?", "In Celsius, how warm is {f} degrees Fahrenheit?"),
)  # fmt: skip
_MOVE = Family(
    train=("It is {c} degrees. It gets {a} degrees warmer and then {b} degrees colder. How many "
           "degrees is it now?", "The temperature is {c} degrees, rises by {a} and falls by {b}. "
           "What is it now?"),
    valid=("From {c} degrees it goes up {a} and down {b}. What is the temperature?",),
    held=("At first it is {c} degrees. It rises by {a} degrees, then drops by {b}. What is it?",),
)  # fmt: skip
_GAP = Family(
    train=("In the morning it was {c} degrees, at noon {d} degrees. By how much did it rise?",
           "What is the difference between {c} degrees and {d} degrees?"),
    valid=("How many degrees are between {c} and {d} degrees?",),
    held=("It was {c} degrees and is {d} degrees now. By how many degrees did it rise?",),
)  # fmt: skip


def _to_fahrenheit(celsius: int) -> tuple[list[str], int]:
    result = celsius * 9 // 5 + 32
    lines = [steps.line(celsius, "/", 5), steps.line(celsius // 5, "*", 9)]
    return [*lines, steps.line(celsius * 9 // 5, "+", 32)], result


@skill("temperature", weight=0.8)
def make_temperature(rng: Random, level: int, split: Split) -> Draft:
    """Changes and round Celsius; below zero and from Fahrenheit; with a change first."""
    low, high = ((0, 20), (-8, 24), (-12, 40))[level]
    celsius = 5 * rng.randint(low, high)
    kinds = (("f", "f", "move"), ("f", "c", "move", "gap"), ("c", "both", "any", "any"))[level]
    kind = rng.choice(kinds)
    if kind == "move":
        start = rng.randint(2 if not level else -15, 25)
        up, down = rng.randint(2, 20), rng.randint(2, 20 if level else 2)
        text = _MOVE.say(rng, split, c=start, a=up, b=down)
        lines = [steps.line(start, "+", up), steps.line(start + up, "-", down)]
        return Draft(text, tuple(lines), str(start + up - down), f"move{start}+{up}-{down}")
    if kind == "gap":
        cold, warm = -rng.randint(1, 20), rng.randint(1, 30)
        text = _GAP.say(rng, split, c=cold, d=warm)
        lines = [f"From {cold} to 0: {-cold}", steps.line(-cold, "+", warm)]
        return Draft(text, tuple(lines), str(warm - cold), f"gap{cold}{warm}")
    if kind == "c":
        fahrenheit = celsius * 9 // 5 + 32
        text = _TO_C.say(rng, split, f=fahrenheit)
        lines = [steps.line(fahrenheit, "-", 32), steps.line(fahrenheit - 32, "/", 9),
                 steps.line(celsius // 5, "*", 5)]  # fmt: skip
        return Draft(text, tuple(lines), str(celsius), f"F{fahrenheit}")
    if kind == "any":
        degrees = Decimal(rng.randint(1, 99))
        scaled = degrees * Decimal(18, 1)
        lines = decimals.compute(rng, degrees, "*", Decimal(18, 1))
        lines += decimals.compute(rng, scaled, "+", Decimal(32))
        text = _TO_F.say(rng, split, c=degrees)
        return Draft(text, tuple(lines), str(scaled + Decimal(32)), f"C{degrees}")
    if kind == "both":
        start, change = celsius - 5 * rng.randint(1, 6), rng.randint(1, 20)
        text = f"It is {start} degrees Celsius and gets {celsius - start} degrees warmer. "
        ask = rng.choice(("How many degrees Fahrenheit is that?", "What is that in Fahrenheit?"))
        lines, result = _to_fahrenheit(celsius)
        lines.insert(0, steps.line(start, "+", celsius - start))
        if rng.random() < 0.3:
            text += f"Then it gets {change} degrees Fahrenheit colder. "
            ask = "How many degrees Fahrenheit is it now?"
            lines.append(steps.line(result, "-", change))
            result -= change
            return Draft(text + ask, tuple(lines), str(result), f"both{start}to{celsius}-{change}")
        return Draft(text + ask, tuple(lines), str(result), f"both{start}to{celsius}")
    lines, result = _to_fahrenheit(celsius)
    return Draft(_TO_F.say(rng, split, c=celsius), tuple(lines), str(result), f"C{celsius}")
