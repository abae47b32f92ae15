"""Whether a revision is the draft corrected, or an answer to something else.

Reached from `edgemind.strategies.refine`. A check of arithmetic, or of code without tests, says
nothing about the question: what has no sums and no code passes it, and so does what answers another
question. But what such a check does *not* object to may stay, and a revision that is one keeps it:

- of a false sum only the result is wrong. Its operands stand, so the revision comes to the value
  that the objection calls true;
- the numbers that the draft's sums began with (those that no sum before had made) came from the
  question. Later results change with the one that was false, these do not: the revision reckons
  with all of them;
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
from edgemind.verify.arithmetic import Equation, check_arithmetic, equations
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
    return (
        _keeps_code(draft, revision)
        and _keeps_sums(held, list(equations(revision)))
        and (bool(others) or _keeps_answer(draft, revision))
    )


def _keeps_sums(held: Sequence[Equation], made: Sequence[Equation]) -> bool:
    """Whether `made` reckons with what `held` began with, and mends its first false sum."""
    false = next((one for one in held if not one.holds), None)
    if false is not None and all(one.value != false.value for one in made):
        return False
    return _givens(held) <= Counter(number for one in made for number in one.operands)


def _givens(sums: Iterable[Equation]) -> Counter[Fraction]:
    """The operands that no earlier sum had made, each as often as it was used."""
    made: set[Fraction] = set()
    givens: Counter[Fraction] = Counter()
    for one in sums:
        givens.update(number for number in one.operands if number not in made)
        made |= _results(one)
    return givens


def _results(one: Equation) -> set[Fraction]:
    """What later lines may call the result: as written, as it truly is, as per cent; unsigned."""
    results = (one.claimed, one.value)
    return {abs(result) * scale for result in results for scale in (1, 100)}


def _keeps_answer(draft: str, revision: str) -> bool:
    """Whether the answer still is a number, and still the result of a sum, where it was one."""
    before, after = _numbers(extract(draft)), _numbers(extract(revision))
    if not before:
        return True
    if not before & _all_results(draft):
        return bool(after)
    return bool(after & _all_results(revision))


def _all_results(text: str) -> set[Fraction]:
    return {result for one in equations(text) for result in _results(one)}


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
