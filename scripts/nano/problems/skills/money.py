"""Shopping: price times count, totals of several things, change, and what is left over."""

from __future__ import annotations

from random import Random

from ..base import Draft, Family, Split, skill
from ..narrate import told
from ..words import counted, people, place, things

_UNITS = ("dollars", "euros", "pounds", "coins", "cents", "francs")
_PRICE = Family(
    train=("One {o} costs {p} {u}.", "A {o} costs {p} {u}.", "Each {o} costs {p} {u}.",
           "The price of one {o} is {p} {u}.", "{ts} cost {p} {u} each.", "Every {o} is {p} {u}.",
           "{ts} are sold at {p} {u} each."),
    valid=("One {o} is {p} {u}.",),
    held=("The price of a {o} is {p} {u}.", "At the {s} one {o} costs {p} {u}."),
)  # fmt: skip
_BUY = Family(
    train=("{n} buys {k}.", "{n} wants {k}.", "{n} takes {k}.", "{n} bought {k}.",
           "{n} orders {k}.", "{n} needs {k}.", "{n} picks {k}."),
    valid=("{n} pays for {k}.",),
    held=("At the {s} {n} buys {k}.", "{n} wants to buy {k}."),
)  # fmt: skip
_TOGETHER = Family(
    train=("{n} buys {k} at {p} {u} each.", "{n} buys {k} for {p} {u} each.",
           "{n} pays {p} {u} each for {k}.", "{n} wants {k} that cost {p} {u} each."),
    valid=("{n} takes {k} at {p} {u} each.",),
    held=("At the {s} {n} buys {k} for {p} {u} each.",),
)  # fmt: skip
_ASK_COST = Family(
    train=("How much does {n} pay?", "How many {u} does {n} pay?", "What is the total cost?",
           "How much does it cost in all?", "What does {n} pay in {u}?", "How much is that?",
           "How much money does {n} need?", "What is the total price?"),
    valid=("How many {u} is that?",),
    held=("How much does {n} pay in all?", "What is the total cost in {u}?"),
)  # fmt: skip
_PAY = Family(
    train=("{n} pays with {m} {u}.", "{n} gives the seller {m} {u}.", "{n} has {m} {u}.",
           "{n} hands over {m} {u}.", "{n} brought {m} {u}."),
    valid=("{n} pays {m} {u}.",),
    held=("{n} came with {m} {u}.", "{n} gives {m} {u} to the seller."),
)  # fmt: skip
_ASK_CHANGE = Family(
    train=("How much change does {n} get?", "How much is left?", "How many {u} are left?",
           "What is the change?", "How much money does {n} have left?",
           "How many {u} does {n} get back?", "How much money remains?"),
    valid=("How much does {n} get back?",),
    held=("What change does {n} get?", "How many {u} does {n} have left?"),
)  # fmt: skip


@skill("money", weight=1.6)
def make_money(rng: Random, level: int, split: Split) -> Draft:
    """Price times count; with change; two things with change or a discount."""
    (name,), shop, unit = people(rng, split, 1), place(rng, split), rng.choice(_UNITS)
    chosen = things(rng, split, 2 if level == 2 else 1)
    facts, costs, key, lines = [], [], [], []
    for thing in chosen:
        price = rng.randint(2, (12, 25, 40)[level])
        count = rng.randint(2, (9, 12, 9)[level])
        words = {"o": thing[0], "ts": thing[1].capitalize(), "p": price, "u": unit, "n": name,
                 "s": shop, "k": counted(count, thing)}  # fmt: skip
        if rng.random() < 0.5:
            facts.append(_PRICE.pick(rng, split).format(**words))
            facts.append(_BUY.pick(rng, split).format(**words))
        else:
            facts.append(_TOGETHER.pick(rng, split).format(**words))
        costs.append((price, count, thing[1]))
        key.append(f"m{price}x{count}")
    order = costs if rng.random() < 0.6 else costs[::-1]
    for price, count, label in order:
        lines += told(rng, count, "*", price, ("Cost", f"For the {label}", label.capitalize()))
    total = order[0][0] * order[0][1]
    if len(order) == 2:
        second = order[1][0] * order[1][1]
        lines += told(rng, total, "+", second, ("Total", "Together", "In all"))
        total += second
    if level and rng.random() < 0.25:
        off = rng.randint(1, max(1, total // 3))
        facts.append(f"There is a discount of {off} {unit}.")
        lines += told(rng, total, "-", off, ("After the discount", "To pay"))
        total -= off
        key.append(f"-{off}")
    if level and rng.random() < 0.7:
        paid = rng.choice([note for note in (50, 100, 200, 500, 1000) if note > total]
                          + [total + rng.randint(1, 60)])  # fmt: skip
        pay = _PAY.pick(rng, split).format(n=name, m=paid, u=unit)
        facts.insert(len(facts) if rng.random() < 0.7 else 0, pay)
        lines += told(rng, paid, "-", total, ("Change", "Left", "Money left"))
        total = paid - total
        key.append(f"of{paid}")
        ask = _ASK_CHANGE
    else:
        ask = _ASK_COST
    question = ask.pick(rng, split).format(n=name, u=unit)
    return Draft(" ".join([*facts, question]), tuple(lines), str(total), "".join(key))
