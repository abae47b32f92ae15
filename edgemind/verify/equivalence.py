"""Whether two answers are the same mathematically, by SymPy in a child with a time limit.

`edgemind.verify.values.equivalent` compares notation and exact numbers; this goes on where that
says no and both sides are mathematics: `(x+1)^2` is `x^2+2x+1`. SymPy is the optional extra
`edgemind[math]`; without it nothing is lost but these. What a model wrote is never evaluated in
this process (`edgemind.verify.algebra_child` reads it, within limits).
Source: the MATH benchmark's graders (arXiv 2103.03874, 2206.14858) compare by SymPy in this way.
"""

from __future__ import annotations

import re
from importlib.util import find_spec
from typing import Final

from edgemind.verify.base import USUAL_SECONDS
from edgemind.verify.children import LEAST_SECONDS, call
from edgemind.verify.notation import plain
from edgemind.verify.values import Shape, equivalent, shape

MAX_CHARS: Final = 300
"""Longer answers are compared as notation only."""
_WORD: Final = re.compile(r"(?<!\\)[A-Za-z]{4}")
_MATHEMATICS: Final[frozenset[Shape]] = frozenset(("formula", "number", "list"))


def same_answer(a: str, b: str, seconds: float = USUAL_SECONDS) -> bool:
    """Whether `a` and `b`, plain or LaTeX, say the same; symmetric.

    What `equivalent` calls the same is. Beyond that SymPy decides on expressions, on equations (up
    to a factor), on tuples and intervals part by part and on sets in any order. What it cannot
    read or not decide within `seconds` (10 at most, 1 at least) is not the same.

    >>> same_answer("\\\\frac{1}{2}", "0.5")
    True
    """
    if equivalent(a, b):
        return True
    if seconds < LEAST_SECONDS or not has_algebra():
        return False
    if max(len(a), len(b)) > MAX_CHARS or not _worth_it(a, b):
        return False
    # In one order, so that what SymPy can show does not depend on which side is which.
    return call("algebra", sorted((plain(a), plain(b))), seconds).said == (True,)


def _worth_it(a: str, b: str) -> bool:
    """Mathematics on one side at least, and what may be some ("ab + ac") on the other."""
    shapes = {shape(a), shape(b)}
    if not a.strip() or not b.strip():
        return False
    if shapes == {"number"}:
        return False  # compared exactly already
    if shapes <= _MATHEMATICS:
        return True
    return shapes == {"formula", "text"} and not any(_WORD.search(side) for side in (a, b))


def has_algebra() -> bool:
    """Whether SymPy is installed; tells without importing it."""
    return find_spec("sympy") is not None
