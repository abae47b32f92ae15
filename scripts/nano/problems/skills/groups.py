"""Equal groups: boxes with things in them, sharing equally, totals of several groups."""

from __future__ import annotations

from random import Random

from ..base import Draft, Family, Split, skill
from ..narrate import told
from ..words import container, counted, people, place, things

_GROUP = Family(
    train=(
        "There are {g} {cs} with {k} in each.", "{n} has {g} {cs} with {k} each.",
        "{n} packs {g} {cs} with {k} in each.", "Each of {g} {cs} holds {k}.",
        "In each of {g} {cs} there are {k}.", "{n} buys {g} {cs} of {k} each.",
        "{g} {cs} hold {k} each.", "The {p} has {g} {cs} with {k} in each.",
    ),
    valid=("{n} fills {g} {cs} with {k} each.",),
    held=("{n} owns {g} {cs} with {k} in each.", "At the {p} there are {g} {cs} with {k} each."),
)  # fmt: skip
_LOOSE = Family(
    train=("There are also {k} on the table.", "{n} also has {k} outside.", "{k} more are loose.",
           "{n} has another {k} at home.", "Then {n} gets {k} more."),
    valid=("There are {k} more at home.",),
    held=("{n} also has {k} at home.", "There are another {k} on the table."),
)  # fmt: skip
_GONE = Family(
    train=("{k} are broken.", "{n} gives {k} away.", "{n} sells {k}.", "{k} get lost.",
           "{n} takes out {k}.", "{k} are taken away."),
    valid=("{n} loses {k}.",),
    held=("{n} then sells {k}.", "Then {k} get lost."),
)  # fmt: skip
_ASK = Family(
    train=("How many {t} are there?", "How many {t} are there in all?",
           "How many {t} does {n} have?", "How many {t} are there now?", "How many {t} in total?",
           "What is the total number of {t}?", "Find the number of {t}."),
    valid=("How many {t} is that?",),
    held=("In all, how many {t} are there?", "How many {t} are there together?"),
)  # fmt: skip
_SHARE = Family(
    train=(
        "{n} shares {k} equally among {g} people. How many does each get?",
        "{k} are divided equally among {g} children. How many does each child get?",
        "{n} puts {k} equally into {g} {cs}. How many are in each {c}?",
        "{g} friends share {k} equally. How many {t} does each friend get?",
        "{n} splits {k} into {g} equal groups. How many are in one group?",
        "{k} are packed into {g} {cs} equally. How many {t} are in one {c}?",
    ),
    valid=("{n} divides {k} equally among {g} friends. How many does each get?",),
    held=("{g} people share {k} equally. How many does each get?",
          "{n} packs {k} into {g} equal {cs}. How many {t} are in each {c}?"),
)  # fmt: skip
_FILL = Family(
    train=(
        "{n} has {k}. Each {c} holds {g}. How many {cs} does {n} need?",
        "{n} puts {k} into {cs} of {g}. How many {cs} are filled?",
        "{k} are packed, {g} to a {c}. How many {cs} are needed?",
    ),
    valid=("A {c} holds {g} {t}. How many {cs} are needed for {k}?",),
    held=("{n} packs {k} into {cs} of {g}. How many {cs} does {n} need?",),
)  # fmt: skip


def _sharing(rng: Random, level: int, split: Split) -> Draft:
    (name,), (thing,), holder = people(rng, split, 1), things(rng, split), container(rng, split)
    each, groups = rng.randint(2, (10, 30, 90)[level]), rng.randint(2, (9, 9, 12)[level])
    total = each * groups
    ask = (_SHARE if rng.random() < 0.65 else _FILL).pick(rng, split)
    words = {"n": name, "g": groups, "c": holder[0], "cs": holder[1], "t": thing[1]}
    lines: list[str] = []
    key = f"share{total}/{groups}"
    amount = counted(total, thing)
    before = ""
    if level:
        # The amount to share is itself the result of a step.
        first = rng.randint(1, total - 1)
        if rng.random() < 0.5:
            before = f"{name} has {counted(first, thing)} and gets {total - first} more. "
            lines += told(rng, first, "+", total - first, ("Together", "In all"))
        else:
            before = f"{name} has {counted(total + first, thing)} and gives {first} away. "
            lines += told(rng, total + first, "-", first, ("Left", "Rest"))
        amount = f"all the {thing[1]}"
        key += f"from{first}"
    text = before + ask.format(k=amount, **words)
    lines += told(rng, total, "/", groups, ("Each", "Each gets" if "each" in ask else "Each"))
    return Draft(text[0].upper() + text[1:], tuple(lines), str(each), key)


@skill("groups", weight=1.6)
def make_groups(rng: Random, level: int, split: Split) -> Draft:
    """One product or quotient; with a second step; two groups and a third step."""
    if rng.random() < 0.4:
        return _sharing(rng, level, split)
    (name,), thing = people(rng, split, 1), things(rng, split)[0]
    spot = place(rng, split)
    facts, products, key = [], [], []
    for _ in range(2 if level == 2 else 1):
        holder = container(rng, split)
        groups = rng.randint(2, (9, 12, 15)[level])
        each = rng.randint(2, (12, 25, 40)[level])
        facts.append(_GROUP.pick(rng, split).format(
            g=groups, k=counted(each, thing), cs=holder[1], n=name, p=spot))  # fmt: skip
        products.append((groups, each, holder[1]))
        key.append(f"g{groups}x{each}")
    lines: list[str] = []
    order = products if rng.random() < 0.6 else products[::-1]
    for groups, each, holder_name in order:
        lines += told(rng, groups, "*", each, (f"In the {holder_name}", thing[1].capitalize()))
    total = order[0][0] * order[0][1]
    if len(order) == 2:
        second = order[1][0] * order[1][1]
        lines += told(rng, total, "+", second, ("Together", "In all"))
        total += second
    if level and rng.random() < 0.8:
        if rng.random() < 0.5 and total > 3:
            change = rng.randint(1, min(total - 1, 60))
            facts.append(_GONE.pick(rng, split).format(k=counted(change, thing), n=name))
            lines += told(rng, total, "-", change, ("Left", "Rest"))
            total -= change
            key.append(f"-{change}")
        else:
            change = rng.randint(1, 60)
            facts.append(_LOOSE.pick(rng, split).format(k=counted(change, thing), n=name))
            lines += told(rng, total, "+", change, ("Together", "In all"))
            total += change
            key.append(f"+{change}")
    ask = _ASK.pick(rng, split).format(t=thing[1], n=name)
    return Draft(" ".join([*facts, ask]), tuple(lines), str(total), "".join(key))
