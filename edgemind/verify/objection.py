"""What is said to a model about an answer that a verifier objects to.

The words are fixed here once: the bundled model is trained on them (scripts/nano) and `refine` says
them. Located and concise: which line, and what is wrong there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from edgemind.types import Objection

OBJECTION: Final = "Check line {line}: {message}. Correct the solution."
UNLOCATED: Final = "{message}. Correct the solution."


def feedback(objections: Sequence[Objection]) -> str:
    """The message about the first objection: what comes after it may only follow from it.

    >>> feedback([Objection(2, "14 * 3 = 42, not 52")])
    'Check line 2: 14 * 3 = 42, not 52. Correct the solution.'
    """
    first = min(objections, key=lambda one: one.line)
    text = first.message.strip().rstrip(".")
    if first.line < 1:
        return UNLOCATED.format(message=text[:1].upper() + text[1:])
    return OBJECTION.format(line=first.line, message=text)


def false_sum(line: int, sum: str, right: str, wrong: str) -> Objection:
    """The objection to a line `sum = wrong` (counted from 1) where `right` is true."""
    return Objection(line, f"{sum} = {right}, not {wrong}")
