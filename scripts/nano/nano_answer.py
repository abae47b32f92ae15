"""Reading what a model answered: the result, a refusal, whether its arithmetic holds."""

from __future__ import annotations

import re

from nano_edgemind import check_arithmetic

_ANSWER = re.compile(r"#### *([^\n]*)")
_REFUSAL = re.compile(r"\bsmall arithmetic model\b")


def answer_of(text: str) -> str | None:
    """What stands behind the last `####`, without a closing dot; None if nothing does."""
    found = _ANSWER.findall(text)
    last = found[-1].strip().rstrip(".") if found else ""
    return last or None


def is_refusal(text: str) -> bool:
    """Whether a text says that this is a small arithmetic model, and gives no answer."""
    return bool(_REFUSAL.search(text)) and answer_of(text) is None


def sound(text: str) -> bool:
    """Whether every equation that the text writes out holds."""
    return not check_arithmetic(text)
