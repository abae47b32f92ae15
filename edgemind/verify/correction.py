"""Whether a revision is the draft corrected, or an answer to something else.

Reached from `edgemind.strategies.refine`. A check of arithmetic, or of code without tests, says
nothing about the question: what has no sums and no code passes it, and so does what answers another
question. But what such a check does *not* object to may stay, and a revision that is one keeps it:

- of a false sum only the result is wrong. Its operands stand, so the revision comes to the value
  that the objection calls true;
- the numbers that the draft's sums began with (those that no sum before had made) came from the
  question. Later results change with the one that was false, these do not: the revision reckons
  with all of them. Or it goes another way, and comes to what the draft comes to when its false
  results are put right;
- an answer that was the result of a sum is one again; a number does not turn into words;
- code stays code, and defines one of the names that the draft defined.

Nothing is held against what another verifier objected to, and what came after that: there the
verifier's own opinion of the revision is the evidence.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Final

from edgemind.types import Objection
from edgemind.verify.answers import extract
from edgemind.verify.arithmetic import Equation, check_arithmetic, equations, evaluate
from edgemind.verify.python_code import find_code

_NUMBER: Final = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")
_DEFINED: Final = re.compile(r"^(?:async )?(?:def|class) (\w+)", re.MULTILINE)


def corrects(draft: str, revision: str, objections: Sequence[Objection]) -> bool:
    """Whether `revision` keeps what in `draft` was not among the `objections`.

    >>> wrong = "5 + 9 = 14\\n14 * 3 = 52\\n#### 52"
    >>> corrects(wrong, "5 + 9 = 14\\n14 * 3 = 42\\n#### 42", check_arithmetic(wrong))
    True
    >>> corrects(wrong, "7 * 3 = 21\\n#### 21", check_arithmetic(wrong))
    False
    """
    false_sums = set(check_arithmetic(draft))
    others = [one.line for one in objections if one not in false_sums]
    held = [one for one in equations(draft) if one.line < min(others, default=math.inf)]
    made = list(equations(revision))
    if not (_keeps_code(draft, revision) and _mends(held, made)):
        return False
    if not others:
        before, after = _numbers(extract(draft)), _numbers(extract(revision))
        if after & _put_right(held, before):
            return True
        if not _keeps_answer(before, after, held, made):
            return False
    return _givens(held) <= Counter(number for one in made for number in one.operands)


def _mends(held: Sequence[Equation], made: Sequence[Equation]) -> bool:
    """Whether `made` comes to what the first false one of `held` should have come to."""
    false = next((one for one in held if not one.holds), None)
    return false is None or any(one.value == false.value for one in made)


def _givens(sums: Iterable[Equation]) -> Counter[Fraction]:
    """The operands that no earlier sum had made, each as often as it was used."""
    made: set[Fraction] = set()
    givens: Counter[Fraction] = Counter()
    for one in sums:
        givens.update(number for number in one.operands if number not in made)
        made |= _results(one)
    return givens


def _results(one: Equation) -> set[Fraction]:
    """What later lines may call the result: as written, as it truly is, a fraction as per cent too.

    Unsigned.
    """
    results = {abs(one.claimed), abs(one.value)}
    # Of a whole number 100 times as much is another number: 502 is not meant by 50200.
    return results | {100 * result for result in results if result.denominator > 1}


def _put_right(sums: Iterable[Equation], answers: set[Fraction]) -> set[Fraction]:
    """What those of `answers` that are results become when false results are put right.

    Empty where the draft cannot be followed so far.
    """
    truth: dict[Fraction, Fraction] = {}
    right: set[Fraction] = set()

    def true(number: re.Match[str]) -> str:
        written = Fraction(number[0].replace(",", ""))
        return f"({truth[written]})" if written in truth else number[0]

    for one in sums:
        value = evaluate(_NUMBER.sub(true, one.left)) if truth else one.value
        if value is None:
            return set()
        if value != one.value or not one.holds:
            truth[one.claimed] = value
        if abs(one.claimed) in answers:
            right = {abs(value)}
    return right


def _keeps_answer(
    before: set[Fraction],
    after: set[Fraction],
    held: Sequence[Equation],
    made: Sequence[Equation],
) -> bool:
    """Whether the answer still is a number, and still the result of a sum, where it was one."""
    if not before:
        return True
    return bool(after & _all_results(made) if before & _all_results(held) else after)


def _all_results(sums: Iterable[Equation]) -> set[Fraction]:
    return {result for one in sums for result in _results(one)}


def _numbers(answer: str | None) -> set[Fraction]:
    """The numbers in an answer, without their signs."""
    return {Fraction(number.replace(",", "")) for number in _NUMBER.findall(answer or "")}


def _keeps_code(draft: str, revision: str) -> bool:
    code, certain = find_code(draft)
    names = set(_DEFINED.findall(code))
    if not code or not (names or certain):
        return True  # prose that only looks like code
    revised, _ = find_code(revision)
    return bool(revised) and (not names or bool(names & set(_DEFINED.findall(revised))))
