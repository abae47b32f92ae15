"""What can be seen of a prompt before a token is generated, in microseconds."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
OPERATOR = re.compile(r"[-+*/^×÷=%]|\b(?:plus|minus|times|divided|percent|per|each)\b", re.I)
QUESTION = re.compile(
    r"\?|\b(?:how (?:many|much|long|far|old)|what|which|when|who|calculate|compute|find|solve|"
    r"convert|work out)\b",
    re.I,
)
OPEN_ENDED = re.compile(
    r"\b(?:write|explain|describe|tell me (?:a|about)|story|poem|essay|summari[sz]e|translate|"
    r"draft|compose|brainstorm|suggest|recommend|discuss|why|opinion|rewrite|paraphrase|"
    r"hello|hi|hey|thanks|thank you|good (?:morning|afternoon|evening|night)|how are you|"
    r"who are you|what can you do)\b",
    re.I,
)
# Word problems speak of classes, imports and functions too, and LaTeX ends in a brace.
CODE = re.compile(
    r"```|\bdef \w+\(|\bfunction \w*\([^)\n]{0,80}\) *{|^\s*class \w+ *[:({]|#include|"
    r"^\s*(?:import [\w.]+(?: as \w+)?|from [\w.]+ import .*)[ ;]*$|[{;]\s*$|^\s*}",
    re.M,
)
TRACE = re.compile(
    r"\bwhat (?:is|does|will|gets)\b[^?\n]{0,60}"
    r"\b(?:print(?:ed|s)?|output|value|result|return|end)\b",
    re.I,
)
"""Asks for what a program comes to, which is a value."""
MATHEMATICS = re.compile(
    r"\\(?:frac|sqrt|int|sum|cdot|times|boxed)|\b(?:prove|integral|derivative|polynomial|triangle|"
    r"probability|prime|equation|modulo|divisor|matrix|angle|perimeter|area|volume)\b",
    re.I,
)
CONSTRAINT = re.compile(r"\b(?:if|but|then|only|except|at least|at most|must|without)\b", re.I)
MAX_CHARACTERS = 20_000
"""Beyond it a prompt is a document, and its first part tells enough."""


def prompt_signals(text: str) -> Mapping[str, float]:
    """Signal → value, each of the order of one. Linear in the length of `text`, which is capped."""
    text = text[:MAX_CHARACTERS]
    words = len(text.split())
    letters = sum(character.isalpha() for character in text)
    foreign = sum(character.isalpha() and ord(character) > 127 for character in text)
    return {
        "length": math.log1p(words) / 4,
        "numbers": math.log1p(len(NUMBER.findall(text))),
        "digits": math.log1p(max((len(n) for n in NUMBER.findall(text)), default=0)),
        "operators": math.log1p(len(OPERATOR.findall(text))),
        "constraints": math.log1p(len(CONSTRAINT.findall(text))),
        "question": float(bool(QUESTION.search(text))),
        "open_ended": float(bool(OPEN_ENDED.search(text))),
        "mathematics": float(bool(MATHEMATICS.search(text))),
        "traced": float(bool(TRACE.search(text))),
        "code": float(bool(CODE.search(text))),
        "foreign": foreign / letters if letters else 0.0,
    }


def wants_steps(text: str) -> bool:
    """Whether answering takes reasoning that a model had better write out."""
    signals = prompt_signals(text)
    several = signals["numbers"] > math.log1p(1.5)
    return votable(signals) and bool(several or signals["mathematics"] or signals["traced"])


def votable(signals: Mapping[str, float]) -> bool:
    """Whether answers to this prompt can be compared, and so voted on.

    Free text and code never agree word for word; a vote over them would only cost.
    """
    asked = signals["numbers"] and signals["question"]
    if signals["code"]:
        return bool(signals["traced"])
    if signals["open_ended"] and not asked:
        return False
    return bool(signals["numbers"] or signals["question"])
