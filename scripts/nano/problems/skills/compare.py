"""Chains of comparisons told in any order: one person's amount follows from another's."""

from __future__ import annotations

from random import Random

from ..base import Draft, Family, Split, skill
from ..narrate import told
from ..words import counted, people, things

_BASE = Family(
    train=("{n} has {k}.", "{n} owns {k}.", "{n} holds {k}.", "{n} has exactly {k}.",
           "{n} counted {k}.", "We know that {n} has {k}."),
    valid=("{n} got {k}.",),
    held=("{n} owns exactly {k}.", "We know {n} owns {k}."),
)  # fmt: skip
_LINK = {
    "+": Family(
        train=("{n} has {k} more {t} than {m}.", "{n} owns {k} more than {m}.",
               "{n} has {k} more than {m}.", "{m} has {k} fewer {t} than {n}.",
               "{n} has as many {t} as {m} and {k} more."),
        valid=("{n} owns {k} more {t} than {m}.",),
        held=("{m} has {k} fewer than {n}.", "{n} got {k} more {t} than {m}."),
    ),
    "-": Family(
        train=("{n} has {k} fewer {t} than {m}.", "{n} owns {k} fewer than {m}.",
               "{n} has {k} less than {m}.", "{m} has {k} more {t} than {n}."),
        valid=("{n} owns {k} fewer {t} than {m}.",),
        held=("{m} has {k} more than {n}.", "{n} got {k} fewer {t} than {m}."),
    ),
    "*": Family(
        train=("{n} has {k} times as many {t} as {m}.", "{n} has {k} times as many as {m}.",
               "{n} owns {k} times as many {t} as {m}.", "{n}'s {t} are {k} times those of {m}."),
        valid=("{n} owns {k} times as many as {m}.",),
        held=("{n} got {k} times as many {t} as {m}.",),
    ),
}  # fmt: skip
_ASK_ONE = Family(
    train=("How many {t} does {n} have?", "How many does {n} have?", "How many {t} has {n} got?",
           "Find the number of {t} {n} has.", "What is {n}'s number of {t}?"),
    valid=("How many {t} does {n} own?",),
    held=("How many {t} are {n}'s?", "What number of {t} does {n} have?"),
)  # fmt: skip
_ASK_ALL = Family(
    train=("How many {t} do they have together?", "How many {t} do they have in all?",
           "What is the total number of {t}?", "How many {t} are there in all?"),
    valid=("How many {t} do they own together?",),
    held=("In all, how many {t} do they have?", "How many {t} do they have in total?"),
)  # fmt: skip
_NOISE = Family(
    train=("{n} is {x} years old.", "{n} lives {x} km away.", "{n} also has {x} {o}."),
    valid=("{n} is {x} cm tall.",),
    held=("{n} has {x} {o} too.",),
)  # fmt: skip


@skill("compare", weight=2.2)
def make_compare(rng: Random, level: int, split: Split) -> Draft:
    """One relation; two; three, shuffled and with a distractor at times."""
    links = level + 1
    names = people(rng, split, links + 2)
    thing, other = things(rng, split, 2)
    amount = rng.randint(2, (30, 50, 80)[level])
    amounts = [amount]
    facts = [_BASE.pick(rng, split).format(n=names[0], k=counted(amount, thing))]
    lines: list[str] = []
    key = [f"cmp{amount}"]
    for place in range(links):
        name, before = names[place + 1], names[place]
        ops = [op for op in "+-*" if (op != "-" or amount > 3) and (op != "*" or amount < 90)]
        op = rng.choice(ops)
        step = {"+": rng.randint(1, 60), "-": rng.randint(1, max(1, amount - 1)),
                "*": rng.randint(2, 6)}[op]  # fmt: skip
        if op == "*" and step == 2 and rng.random() < 0.6:
            text = rng.choice(("{n} has twice as many {t} as {m}.", "{n} has twice as many as {m}.",
                               "{n} has double the {t} of {m}."))  # fmt: skip
        else:
            text = _LINK[op].pick(rng, split)
        facts.append(text.format(n=name, m=before, k=step, t=thing[1]))
        lines += told(rng, amount, op, step, (name, f"{name} has", f"{name}'s {thing[1]}"))
        amount = {"+": amount + step, "-": amount - step, "*": amount * step}[op]
        amounts.append(amount)
        key.append(f"{op}{step}")
    if level == 2 and rng.random() < 0.25:
        facts.append(_NOISE.pick(rng, split).format(n=names[-1], x=rng.randint(2, 60), o=other[1]))
    if level and rng.random() < 0.5:
        rng.shuffle(facts)
    if rng.random() < 0.7:
        ask = _ASK_ONE.pick(rng, split).format(n=names[links], t=thing[1])
        answer = amount
    else:
        ask = _ASK_ALL.pick(rng, split).format(t=thing[1])
        order = amounts if rng.random() < 0.7 else amounts[::-1]
        answer = order[0]
        for number in order[1:]:
            lines += told(rng, answer, "+", number, ("Together", "In all"))
            answer += number
        key.append("all")
    return Draft(" ".join([*facts, ask]), tuple(lines), str(answer), "".join(key))
