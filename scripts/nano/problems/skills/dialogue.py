"""Longer chats: a follow-up on the result before, another question, small talk in between."""

from __future__ import annotations

from random import Random

from .. import decimals, steps
from ..base import Draft, Family, Split, skill
from ..composite import SHORT, owned, reply
from ..decimals import Decimal
from ..requests import HELLO, SELF, hello_reply, out_of_scope, self_reply

_ON = {
    "+": Family(
        train=("Add {k} to that.", "and plus {k}?", "Now {k} more.", "What is that plus {k}?",
               "And if it were {k} more?", "Increase the result by {k}.",
               "and if there are {k} more?",
               "And if he buys {k} more?", "and if she gets {k} more?"),
        valid=("And with {k} added?",),
        held=("What if it is {k} more?", "And {k} on top of it?"),
    ),
    "-": Family(
        train=("Subtract {k} from that.", "and minus {k}?", "Now {k} less.",
               "What is that minus {k}?",
               "And if it were {k} less?", "Take {k} away from the result.", "And if {k} are lost?",
               "and if he gives away {k}?"),
        valid=("And with {k} taken off?",),
        held=("What if it is {k} less?", "And without {k} of them?"),
    ),
    "*": Family(
        train=("Now times {k}.", "Multiply that by {k}.", "What is {k} times that?",
               "And {k} times as much?", "and if it happens {k} times?"),
        valid=("And taken {k} times?",),
        held=("How much is {k} times the result?",),
    ),
    "/": Family(
        train=("Divide that by {k}.", "And shared by {k}?", "What is one {k}th of that?",
               "Now divided by {k}.", "and if {k} people share it?"),
        valid=("And split into {k} parts?",),
        held=("How much is the result divided by {k}?",),
    ),
    "double": Family(
        train=("Double that.", "And twice as much?", "Now double it."),
        valid=("And the double?",),
        held=("What is twice the result?",),
    ),
    "half": Family(
        train=("And half of that?", "Halve it.", "Now take half."),
        valid=("And only half?",),
        held=("What is half of the result?",),
    ),
}  # fmt: skip
# "And if he buys two more?"
_COUNTS = "zero one two three four five six seven eight nine ten eleven twelve".split()


def _follow(rng: Random, value: Decimal, split: Split) -> tuple[str, list[str], Decimal, str]:
    """A question on the result, its lines, the new result, a key."""
    whole = not value.places
    kinds = ["+", "+", "-", "*", "double"]
    parts = [d for d in range(2, 10) if whole and value.units % d == 0 and value.units > d]
    kinds += ["/", "/"] if parts else []
    kinds += ["half"] if whole and value.units % 2 == 0 and value.units > 2 else []
    kind = rng.choice(kinds)
    op, step = kind, Decimal(rng.randint(2, 12 if rng.random() < 0.4 else 40))
    if kind in ("double", "*"):
        op, step = "*", Decimal(2 if kind == "double" else rng.randint(2, 6))
    elif kind in ("half", "/"):
        op, step = "/", Decimal(2 if kind == "half" else rng.choice(parts))
    elif kind == "-":
        top = value.at(0) if whole else value.units // 10**value.places
        step = Decimal(rng.randint(1, max(1, min(40, top - 1))))
        op = "-" if step < value else "+"
    ask = _ON[kind if op == kind or kind in ("double", "half") else op]
    shown: object = step
    if op in "+-" and step.units < len(_COUNTS) and not step.places and rng.random() < 0.5:
        shown = _COUNTS[step.units]
    text = ask.say(rng, split, k=shown)
    lines = (steps.compute(rng, value.units, op, step.units) if whole
             else decimals.compute(rng, value, op, step))  # fmt: skip
    result = decimals.value(value, op, step)
    assert result is not None
    return text, lines, result, f"{op}{step}"


def _number(text: str) -> Decimal | None:
    whole, _, rest = text.partition(".")
    if not (whole.isdigit() and (rest.isdigit() or not rest)):
        return None
    number = Decimal.of(int(whole + rest), len(rest))
    return number if number.units else None


def _talk(rng: Random, split: Split) -> tuple[str, str]:
    kind = rng.randrange(3)
    if kind == 0:
        return HELLO.pick(rng, split), hello_reply(rng)
    if kind == 1:
        return SELF.pick(rng, split), self_reply(rng)
    return out_of_scope(rng, split)


@skill("dialogue", weight=1.2)
def make_dialogue(rng: Random, level: int, split: Split) -> Draft:
    """One turn before the question; one or two; up to three, with small talk."""
    history: list[tuple[str, str]] = []
    if rng.random() < 0.3:
        history.append(_talk(rng, split))
    inner = min(level, 1)
    draft = owned(rng, rng.choice(SHORT), inner, split)
    if history and rng.random() < 0.5:
        return Draft(draft.prompt, draft.steps, draft.answer, draft.key, tuple(history))
    history.append((draft.prompt, reply(draft)))
    value = _number(draft.answer)
    if value is None or rng.random() < 0.2:
        other = owned(rng, rng.choice(SHORT), inner, split)
        return Draft(other.prompt, other.steps, other.answer, other.key, tuple(history))
    key = str(draft.key)
    for turn in range(1 + (level == 2)):
        text, lines, value, done = _follow(rng, value, split)
        key += done
        if level == 2 and turn == 0:
            history.append((text, "\n".join([*lines, f"#### {value}"])))
    return Draft(text, tuple(lines), str(value), key, tuple(history), dress=False)
