"""Two-turn chats: a solved problem, then "and if he buys two more?"."""

from __future__ import annotations

from random import Random

from ..base import Draft, Family, Split, skill
from ..narrate import told
from ..words import counted, people, things

_FIRST = Family(
    train=("{n} has {k} and gets {j} more. How many {t} does {n} have?",
           "{n} had {k}, then found {j} more. How many now?",
           "{n} buys {k} and then another {j}. How many {t} is that?"),
    valid=("{n} has {k} and wins {j} more. How many {t} now?",),
    held=("{n} had {k} and got {j} more. How many {t} are there?",),
)  # fmt: skip
_NEXT = {
    "+": Family(
        train=("And if {n} gets {k} more?", "and {k} more?", "What if {n} buys {k} more?",
               "Then {n} finds {k} more. How many now?", "And with {k} more?", "plus {k}?",
               "Now add {k}."),
        valid=("And if {k} more come?",),
        held=("And if {n} buys {k} more?", "What about {k} more?"),
    ),
    "-": Family(
        train=("And if {n} loses {k}?", "and {k} fewer?", "What if {n} gives away {k}?",
               "Then {n} sells {k}. How many are left?", "minus {k}?", "Now take away {k}.",
               "And if {k} are gone?"),
        valid=("And if {n} drops {k}?",),
        held=("And if {n} gives away {k}?", "What if {k} are lost?"),
    ),
    "*": Family(
        train=("And {k} times as many?", "What if there are {k} times as many?", "times {k}?",
               "Now multiply that by {k}."),
        valid=("And if it is {k} times as many?",),
        held=("And if there are {k} times as many?",),
    ),
}  # fmt: skip


@skill("follow_up", weight=0.5)
def make_follow_up(rng: Random, level: int, split: Split) -> Draft:
    """The second turn goes on from the first one's answer; a third turn at the hard level."""
    (name,), (thing,) = people(rng, split, 1), things(rng, split)
    top = (20, 60, 150)[level]
    start, more = rng.randint(2, top), rng.randint(2, top)
    first = _FIRST.pick(rng, split)
    ask = first.format(n=name, k=counted(start, thing), j=more, t=thing[1])
    total = start + more
    reply = [*told(rng, start, "+", more, ("Together",)), f"#### {total}"]
    history = [(ask, "\n".join(reply))]
    key = f"chat{start}+{more}"
    for turn in range(2 if level == 2 else 1):
        op = rng.choice("+" if total < 3 else "+-*" if total < 120 else "+-")
        step = rng.randint(2, 5) if op == "*" else rng.randint(1, max(1, min(top, total - 1)))
        ask = _NEXT[op].pick(rng, split).format(n=name, k=step)
        lines = told(rng, total, op, step, ("Now", "Then"))
        total = {"+": total + step, "-": total - step, "*": total * step}[op]
        key += f"{op}{step}"
        if turn == 0 and level == 2:
            history.append((ask, "\n".join([*lines, f"#### {total}"])))
    return Draft(ask, tuple(lines), str(total), key, tuple(history), dress=False)
