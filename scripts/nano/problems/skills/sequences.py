"""Number sequences: the next, a later or a missing term of sequences with one clear rule.

A drawn sequence counts only if the first rule in `RULES` that fits it is the one it was made by,
so every sequence has one answer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from random import Random

from .. import steps
from ..base import Draft, Family, Split, skill

_NEXT = Family(
    train=("What is the next number: {x}, ...?", "{x}, ?", "Which number comes next: {x}?",
           "Continue the sequence {x}.", "What comes after {x}?", "Find the next term of {x}, ...",
           "{x}, ... what is next?", "Give the next number in {x}.", "next number {x}"),
    valid=("Name the next term: {x}.",),
    held=("Which number follows in the sequence {x}?", "What should come next in {x}, ...?"),
)  # fmt: skip
_LATER = Family(
    train=("What is term number {k} of {x}, ...?", "Find the {k}th number of {x}, ...",
           "The sequence {x}, ... goes on. What is its {k}th term?",
           "What is the {k}th term of the sequence {x}, ...?"),
    valid=("Which number is the {k}th in {x}, ...?",),
    held=("If {x}, ... goes on, what is number {k}?",),
)  # fmt: skip
_MISSING = Family(
    train=("Which number is missing: {x}?", "Fill in the gap: {x}", "{x}: what is the gap?",
           "Find the missing number in {x}."),
    valid=("What belongs in the gap of {x}?",),
    held=("What is the missing term of {x}?",),
)  # fmt: skip

Rule = Callable[[Sequence[int]], int | None]


def _differences(terms: Sequence[int]) -> list[int]:
    return [b - a for a, b in pairwise(terms)]


def arithmetic(terms: Sequence[int]) -> int | None:
    """The next term if all differences are alike."""
    gaps = _differences(terms)
    return terms[-1] + gaps[-1] if len(set(gaps)) == 1 else None


def geometric(terms: Sequence[int]) -> int | None:
    """The next term if each is the one before times (or divided by) the same whole number."""
    first, second = terms[0], terms[1]
    if all(terms) and second % first == 0:
        ratio = second // first
        return terms[-1] * ratio if _ratio(terms, ratio) else None
    if all(terms) and first % second == 0:
        ratio = first // second
        falls = _ratio(terms[::-1], ratio) and terms[-1] % ratio == 0
        return terms[-1] // ratio if falls else None
    return None


def _ratio(terms: Sequence[int], ratio: int) -> bool:
    return all(b == a * ratio for a, b in pairwise(terms))


def second(terms: Sequence[int]) -> int | None:
    """The next term if the differences grow by the same amount."""
    gap = arithmetic(_differences(terms))
    return None if gap is None else terms[-1] + gap


def alternating(terms: Sequence[int]) -> int | None:
    """The next term if two differences take turns."""
    gaps = _differences(terms)
    if len(gaps) < 4 or len(set(gaps[::2])) > 1 or len(set(gaps[1::2])) > 1:
        return None
    return terms[-1] + gaps[len(gaps) % 2]


def summing(terms: Sequence[int]) -> int | None:
    """The next term if each is the sum of the two before."""
    fits = all(terms[i] == terms[i - 1] + terms[i - 2] for i in range(2, len(terms)))
    return terms[-1] + terms[-2] if fits else None


RULES: tuple[Rule, ...] = (arithmetic, geometric, second, alternating, summing)


def following(terms: Sequence[int]) -> int | None:
    """The next term by the first rule that fits; None if rules disagree or none fits."""
    found = {term for term in (rule(terms) for rule in RULES) if term is not None}
    return found.pop() if len(found) == 1 else None


def _draw(rng: Random, level: int) -> tuple[Rule, list[int]]:
    rules = ((arithmetic, arithmetic, geometric), (arithmetic, geometric, second, alternating),
             (geometric, second, alternating, summing))[level]  # fmt: skip
    rule = rng.choice(rules)
    sign = -1 if level and rng.random() < 0.3 else 1
    start, step = rng.randint(1, (20, 40, 60)[level]), rng.randint(2, (9, 15, 25)[level])
    if rule is arithmetic:
        start += step * 6 if sign < 0 and rng.random() < 0.5 else 0
        return rule, [start + sign * step * place for place in range(rng.randint(4, 5))]
    if rule is geometric:
        ratio, count = rng.randint(2, (3, 4, 5)[level]), 4
        terms = [rng.randint(1, (5, 6, 12)[level]) * ratio**place for place in range(1)]
        while len(terms) < count:
            terms.append(terms[-1] * ratio)
        return rule, [t * ratio for t in terms][::-1] if sign < 0 else terms
    if rule is second:
        gap, growth = rng.randint(1, 9), sign * rng.randint(1, (0, 4, 6)[level])
        terms = [start]
        for _ in range(4):
            terms.append(terms[-1] + gap)
            gap += growth
        return rule, terms
    if rule is alternating:
        gaps = (step, -rng.randint(1, step + 3) if rng.random() < 0.7 else rng.randint(1, 9))
        terms = [start]
        for place in range(rng.randint(5, 6)):
            terms.append(terms[-1] + gaps[place % 2])
        return rule, terms
    terms = [rng.randint(1, 12), rng.randint(1, 20)]
    while len(terms) < 5:
        terms.append(terms[-1] + terms[-2])
    return rule, terms


def _gap(a: int, b: int) -> str:
    return f"{b} - {a} = {b - a}" if a >= 0 else f"From {a} to {b}: {b - a}"


def _signed(rng: Random, a: int, b: int) -> str:
    return steps.line(a, "+" if b >= 0 else "-", abs(b))


def _lines(rng: Random, rule: Rule, terms: Sequence[int]) -> list[str]:
    gaps = _differences(terms)
    if rule is geometric:
        down = abs(terms[1]) < abs(terms[0])
        ratio = terms[0] // terms[1] if down else terms[1] // terms[0]
        first = (
            f"{terms[0]} / {ratio} = {terms[1]}" if down else f"{terms[0]} * {ratio} = {terms[1]}"
        )
        second_line = steps.line(terms[1], "/" if down else "*", ratio)
        return [first, second_line, *steps.compute(rng, terms[-1], "/" if down else "*", ratio)]
    if rule is summing:
        shown = [steps.line(terms[i], "+", terms[i + 1]) for i in range(2)]
        return [*shown, *steps.add(rng, terms[-2], terms[-1])]
    if rule is arithmetic:
        return [_gap(*terms[:2]), _gap(*terms[1:3]), _signed(rng, terms[-1], gaps[-1])]
    lines = [_gap(a, b) for a, b in pairwise(terms)]
    if rule is second:
        growth = gaps[1] - gaps[0]
        lines += [_signed(rng, gaps[-1], growth), _signed(rng, terms[-1], gaps[-1] + growth)]
        return lines
    return [*lines, f"Next: {gaps[len(gaps) % 2]}", _signed(rng, terms[-1], gaps[len(gaps) % 2])]


def _later(rng: Random, terms: list[int], split: Split, level: int) -> Draft:
    """A term further on of an arithmetic sequence."""
    step, place = terms[1] - terms[0], rng.randint(7, (10, 20, 50)[level])
    text = _LATER.say(rng, split, x=_show(terms), k=place)
    for wrong in ("1th", "2th", "3th"):
        if wrong in text and place not in (11, 12, 13):
            text = text.replace(wrong, {"1th": "1st", "2th": "2nd", "3th": "3rd"}[wrong])
    total = abs(step) * (place - 1)
    lines = [_gap(*terms[:2]), f"{place} - 1 = {place - 1}"]
    lines += steps.multiply(rng, place - 1, abs(step))
    value = terms[0] + step * (place - 1)
    lines += (steps.add(rng, terms[0], total) if step > 0
              else [steps.line(terms[0], "-", total)])  # fmt: skip
    return Draft(text, tuple(lines), str(value), f"{terms}at{place}")


def _show(terms: Sequence[object]) -> str:
    return ", ".join(map(str, terms))


@skill("sequence")
def make_sequence(rng: Random, level: int, split: Split) -> Draft:
    """Constant steps and factors; growing and alternating steps; later and missing terms."""
    rule, terms = _draw(rng, level)
    while following(terms) != rule(terms) or max(map(abs, terms)) > 5000:
        rule, terms = _draw(rng, level)
    if rule is arithmetic and level and rng.random() < 0.4:
        return _later(rng, terms, split, level)
    answer = following(terms)
    if rule is arithmetic and rng.random() < 0.25:
        hole = rng.randint(2, len(terms) - 2) if len(terms) > 4 else 2
        shown: list[object] = list(terms)
        shown[hole] = "__"
        lines = [_gap(*terms[:2]), _signed(rng, terms[hole - 1], terms[1] - terms[0])]
        text = _MISSING.say(rng, split, x=_show(shown))
        return Draft(text, tuple(lines), str(terms[hole]), f"{terms}gap{hole}")
    text = _NEXT.say(rng, split, x=_show(terms))
    return Draft(text, tuple(_lines(rng, rule, terms)), str(answer), f"{terms}")
