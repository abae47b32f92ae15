"""What people put around a question: greetings, thanks, lower case, slips of the finger.

Numbers are never touched; a slip changes only plain words of four letters or more.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from random import Random

from .base import Family, Split

_BEFORE = Family(
    train=(
        "Hi! ", "Hello, ", "Hey, ", "Please help me: ", "Quick question: ", "Can you help? ",
        "Could you solve this? ", "Homework: ", "I need help with this one. ", "Solve: ",
        "Question: ", "Hi there, ", "Let's try this: ", "Next one. ", "Please answer: ",
        "Think step by step. ", "Problem: ", "Here is a problem. ", "Good morning! ",
        "Show your work. ", "Solve this step by step: ",
    ),
    valid=("Good evening! ", "Help me with this: "),
    held=("Good day, ", "One more question: ", "Please solve this problem. "),
)  # fmt: skip
_AFTER = Family(
    train=(
        " Thanks!", " Please.", " Thank you.", " Show the steps.", " Explain.", " Thx",
        " Please show your work.", " Step by step please.", " Give only one number at the end.",
        " Think step by step.", " I need it for school.",
    ),
    valid=(" Thanks a lot!",),
    held=(" Please show the steps.", " Thank you!"),
)  # fmt: skip


def _slip(rng: Random, word: str) -> str:
    at = rng.randrange(1, len(word) - 1)
    kind = rng.randrange(3)
    if kind == 0:
        return word[:at] + word[at + 1 :]
    if kind == 1:
        return word[:at] + word[at] + word[at:]
    return word[: at - 1] + word[at] + word[at - 1] + word[at + 1 :]


def _typos(rng: Random, text: str, count: int, keep: Collection[str]) -> str:
    words = [match for match in re.finditer(r"[A-Za-z]{4,}", text) if match.group() not in keep]
    for match in sorted(rng.sample(words, min(count, len(words))), key=lambda m: -m.start()):
        text = text[: match.start()] + _slip(rng, match.group()) + text[match.end() :]
    return text


def dress(rng: Random, prompt: str, split: Split, keep: Collection[str] = ()) -> str:
    """The prompt as someone might type it; the words in `keep` stay without slips."""
    if rng.random() < 0.12:
        prompt = _BEFORE.pick(rng, split) + prompt
    if rng.random() < 0.10:
        prompt = prompt + _AFTER.pick(rng, split)
    if rng.random() < 0.06:
        prompt = _typos(rng, prompt, rng.randint(1, 2), keep)
    roll = rng.random()
    if roll < 0.15:
        prompt = prompt.lower()
    elif roll < 0.19:
        prompt = prompt.rstrip(".?! ")
    return prompt
