"""Long word problems: two to eight dependent steps over several people, told in any order.

Each amount follows from one or two others; facts about people whom the question does not need
stand in between. The solution works out only what is needed, in one of its valid orders.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from .. import steps
from ..base import Draft, Family, Split, skill
from ..words import container, counted, people, place, things

_BASE = Family(
    train=("{n} has {k}.", "{n} owns {k}.", "{n} counted {k}.", "There are {k} in {n}'s bag.",
           "{n} brought {k} to the {p}.", "{n} starts with {k}.", "We know that {n} has {k}."),
    valid=("{n} collected {k}.",),
    held=("{n} came with {k}.", "It is known that {n} owns {k}."),
)  # fmt: skip
_LINKS = {
    "more": Family(
        train=("{n} has {k} more {t} than {a}.", "{n} has {k} more than {a}.",
               "{a} has {k} fewer {t} than {n}.", "{n} owns {k} more than {a} does."),
        valid=("{n} found {k} more {t} than {a}.",),
        held=("{n} brought {k} more {t} than {a}.", "{a} owns {k} fewer than {n}."),
    ),
    "fewer": Family(
        train=("{n} has {k} fewer {t} than {a}.", "{n} has {k} fewer than {a}.",
               "{a} has {k} more {t} than {n}.", "{n} owns {k} less than {a} does."),
        valid=("{n} found {k} fewer {t} than {a}.",),
        held=("{n} brought {k} fewer {t} than {a}.", "{a} owns {k} more than {n}."),
    ),
    "times": Family(
        train=("{n} has {k} times as many {t} as {a}.", "{n} has {k} times as many as {a}.",
               "{n} owns {k} times what {a} owns."),
        valid=("{n} found {k} times as many {t} as {a}.",),
        held=("{n} brought {k} times as many {t} as {a}.",),
    ),
    "half": Family(
        train=("{n} has half as many {t} as {a}.", "{n} has half of what {a} has."),
        valid=("{n} found half as many {t} as {a}.",),
        held=("{n} brought half as many {t} as {a}.",),
    ),
    "both": Family(
        train=("{n} has as many {t} as {a} and {b} together.", "{n} has as many as {a} and {b} "
               "put together.", "Together {a} and {b} have as many {t} as {n}."),
        valid=("{n} found as many {t} as {a} and {b} together.",),
        held=("{n} brought as many {t} as {a} and {b} together.",),
    ),
    "boxes": Family(
        train=("{n} fills {k} {cs}, each with as many {t} as {a} has.",
               "{n} has {k} {cs} and in each as many {t} as {a} has."),
        valid=("{n} packs {k} {cs}, each with as many {t} as {a} has.",),
        held=("{n} owns {k} {cs} and in each as many {t} as {a} has.",),
    ),
}  # fmt: skip
_ASK = Family(
    train=("How many {t} does {n} have?", "How many {t} has {n} got?", "How many does {n} have?",
           "Find the number of {t} {n} has.", "Can you work out how many {t} {n} has?"),
    valid=("How many {t} are {n}'s?",),
    held=("What is the number of {t} that {n} has?", "How many {t} does {n} own?"),
)  # fmt: skip
_TOTAL = Family(
    train=("How many {t} do {n} and {a} have together?", "How many {t} are there if {n} and {a} "
           "put theirs together?", "What do {n} and {a} have in all?"),
    valid=("How many {t} do {n} and {a} own together?",),
    held=("In all, how many {t} do {n} and {a} have?",),
)  # fmt: skip
_SELL = Family(
    train=("{n} sells all of them for {k} dollars each. How many dollars is that?",
           "{n} sells every one for {k} dollars. How much money does {n} get?"),
    valid=("For each one {n} gets {k} dollars. How many dollars in all?",),
    held=("{n} then sells them at {k} dollars each. How many dollars does {n} get?",),
)  # fmt: skip
_PACK = Family(
    train=("{n} packs all of them into {cs} of {k}. How many {cs} are full?",
           "{n} shares them equally among {k} friends. How many does each friend get?"),
    valid=("{n} deals them out equally to {k} people. How many does each get?",),
    held=("{n} puts them equally into {k} {cs}. How many are in each?",),
)  # fmt: skip
_NOISE = Family(
    train=("{n} is {x} years old.", "{n} lives {x} km from the {p}.", "The {p} closes in {x} "
           "minutes.", "{n} also has {x} {o}.", "Yesterday {n} read {x} pages."),
    valid=("{n} waited {x} minutes.",),
    held=("{n} has {x} {o} too.", "{n} walked {x} minutes to the {p}."),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Link:
    """`name` has what `kind` makes of the amounts of `sources`."""

    name: str
    kind: str
    sources: tuple[int, ...]
    step: int
    amount: int


def _link(rng: Random, name: str, links: list[_Link]) -> _Link:
    last = len(links) - 1
    source = last if rng.random() < 0.8 else rng.randrange(len(links))
    amount = links[source].amount
    kinds = ["more", "fewer", "more", "fewer", "times", "boxes", "half", "both"]
    kind = rng.choice(kinds)
    if kind == "both" and last > 0:
        other = rng.choice([place for place in range(last + 1) if place != source])
        return _Link(name, kind, (source, other), 0, amount + links[other].amount)
    if kind == "half" and amount % 2 == 0 and amount > 2:
        return _Link(name, kind, (source,), 2, amount // 2)
    if kind in ("times", "boxes") and amount <= 60:
        step = rng.randint(2, 5 if amount < 40 else 3)
        return _Link(name, kind, (source,), step, amount * step)
    if kind == "fewer" and amount > 4:
        step = rng.randint(1, min(amount - 2, 60))
        return _Link(name, kind, (source,), step, amount - step)
    step = rng.randint(1, 60)
    return _Link(name, "more", (source,), step, amount + step)


def _needed(links: list[_Link], ends: list[int]) -> list[int]:
    """Places that the ends depend on, each after what it depends on."""
    found: list[int] = []

    def visit(place: int) -> None:
        for source in links[place].sources:
            visit(source)
        if place not in found:
            found.append(place)

    for end in ends:
        visit(end)
    return found


def _lines(rng: Random, links: list[_Link], link: _Link) -> list[str]:
    if not link.sources:
        return []
    first = links[link.sources[0]].amount
    op, second = {"more": ("+", link.step), "fewer": ("-", link.step), "half": ("/", 2),
                  "times": ("*", link.step), "boxes": ("*", link.step),
                  "both": ("+", links[link.sources[-1]].amount)}[link.kind]  # fmt: skip
    if op in "+*" and rng.random() < 0.25:
        first, second = second, first
    lines = steps.compute(rng, first, op, second)
    if rng.random() < 0.85:
        lines[-1] = f"{link.name}: {lines[-1]}"
    return lines


@skill("chain", weight=1.6)
def make_chain(rng: Random, level: int, split: Split) -> Draft:
    """Two or three steps; four or five; six to eight with distractors."""
    wanted = rng.randint(*((2, 3), (4, 5), (6, 8))[level])
    tail = rng.choice(("one", "one", "total", "sell", "pack"))
    while True:
        spare = rng.randint(0, level)
        names = people(rng, split, wanted + 4)
        links = [_Link(names[0], "base", (), 0, rng.randint(2, (20, 30, 40)[level]))]
        count = wanted - (tail != "one")
        links += [] if count < 1 else [_link(rng, names[1], links)]
        while len(links) < count + 1:
            links.append(_link(rng, names[len(links)], links))
        end = len(links) - 1
        ends = [end]
        if tail == "total" and end:
            ends.append(rng.randrange(end))
        order = _needed(links, ends)
        divisors = [d for d in range(2, 10) if links[end].amount % d == 0]
        full = len(order) == len(links) and max(link.amount for link in links) < 1000
        if full and (tail != "pack" or divisors) and (tail != "sell" or links[end].amount < 200):
            break
    if level == 2:
        for _ in range(spare):
            links.append(_link(rng, names[len(links)], links[: end + 1]))
    (thing, other), holder, spot = things(rng, split, 2), container(rng, split), place(rng, split)
    words = {"t": thing[1], "cs": holder[1], "p": spot, "o": other[1]}
    facts = []
    for link in links:
        near = {label: links[place].name for label, place in zip("ab", link.sources, strict=False)}
        family = _LINKS.get(link.kind, _BASE)
        amount = link.step if link.sources else counted(link.amount, thing)
        facts.append(family.say(rng, split, n=link.name, k=amount, **near, **words))
    if level and rng.random() < 0.3 * level:
        facts.append(_NOISE.say(rng, split, n=rng.choice(names), x=rng.randint(2, 60), **words))
    if level or rng.random() < 0.3:
        rng.shuffle(facts)
    key = "chain" + "".join(f"{link.kind[0]}{link.step or link.amount}" for link in links) + tail
    name, answer = links[end].name, links[end].amount
    lines = [line for place in order for line in _lines(rng, links, links[place])]
    if tail == "total":
        partner = links[ends[1]]
        ask = _TOTAL.say(rng, split, n=name, a=partner.name, **words)
        lines += _last(rng, "Together", answer, "+", partner.amount)
        answer += partner.amount
    elif tail == "sell":
        price = rng.randint(2, 9)
        ask = _SELL.say(rng, split, n=name, k=price, **words)
        lines += _last(rng, "Money", answer, "*", price)
        answer, key = answer * price, f"{key}{price}"
    elif tail == "pack":
        size = rng.choice(divisors)
        ask = _PACK.say(rng, split, n=name, k=size, **words)
        lines += _last(rng, "Each", answer, "/", size)
        answer, key = answer // size, f"{key}{size}"
    else:
        ask = _ASK.say(rng, split, n=name, **words)
    return Draft(" ".join([*facts, ask]), tuple(lines), str(answer), key, keep=tuple(names))


def _last(rng: Random, label: str, a: int, op: str, b: int) -> list[str]:
    lines = steps.compute(rng, a, op, b)
    if rng.random() < 0.6:
        lines[-1] = f"{label}: {lines[-1]}"
    return lines
