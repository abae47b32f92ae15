"""What a verifier says to a model about a line of arithmetic that does not hold.

The words are fixed here once: the bundled model is trained on them (scripts/nano) and a revising
strategy says them. Located and concise: which line, what is true, what was written.
"""

from __future__ import annotations

from typing import Final

__all__ = ["OBJECTION", "objection"]

OBJECTION: Final = "Check line {line}: {sum} = {right}, not {wrong}. Correct the solution."


def objection(line: int, sum: str, right: str, wrong: str) -> str:
    """The message about line `line` (from 1) that says `sum = wrong` where `right` is true.

    >>> objection(2, "14 * 3", "42", "52")
    'Check line 2: 14 * 3 = 42, not 52. Correct the solution.'
    """
    return OBJECTION.format(line=line, sum=sum, right=right, wrong=wrong)
