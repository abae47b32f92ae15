"""Reading the final answer out of a worked solution; used in training and evaluation."""

from __future__ import annotations

import re

_ANSWER = re.compile(r"#### *([^\n]*)")


def answer_of(text: str) -> str | None:
    """What stands behind the last `####`, without a closing dot; None if nothing does."""
    found = _ANSWER.findall(text)
    last = found[-1].strip().rstrip(".") if found else ""
    return last or None
