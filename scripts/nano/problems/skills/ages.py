"""How old someone is: now, later and earlier, through other people, from sums and multiples."""

from __future__ import annotations

from random import Random

from ..base import Draft, Family, Split, skill
from ..narrate import told
from ..words import people

_NOW = Family(
    train=("{n} is {a} years old.", "{n} is {a}.", "{n} turned {a} this year.",
           "{n} is now {a} years old."),
    valid=("{n} is {a} years of age.",),
    held=("Today {n} is {a} years old.",),
)  # fmt: skip
_OLDER = Family(
    train=("{n} is {k} years older than {m}.", "{m} is {k} years younger than {n}.",
           "{n} is {k} years older than {m} is."),
    valid=("{n} was born {k} years before {m}.",),
    held=("{m} is younger than {n} by {k} years.",),
)  # fmt: skip
_YOUNGER = Family(
    train=("{n} is {k} years younger than {m}.", "{m} is {k} years older than {n}."),
    valid=("{n} was born {k} years after {m}.",),
    held=("{m} is older than {n} by {k} years.",),
)  # fmt: skip
_TIMES = Family(
    train=("{n} is {k} times as old as {m}.", "{n} is {k} times {m}'s age.",
           "{n}'s age is {k} times that of {m}."),
    valid=("{n} is {k} times as old as {m} is.",),
    held=("The age of {n} is {k} times the age of {m}.",),
)  # fmt: skip
_ASK = Family(
    train=("How old is {n}?", "How old is {n} now?", "What is {n}'s age?", "Find {n}'s age.",
           "What age is {n}?"),
    valid=("How many years old is {n}?",),
    held=("Can you say how old {n} is?", "Tell me the age of {n}."),
)  # fmt: skip
_LATER = Family(
    train=("How old will {n} be in {k} years?", "What will {n}'s age be {k} years from now?",
           "In {k} years, how old will {n} be?"),
    valid=("How old is {n} {k} years from now?",),
    held=("{k} years from now, how old will {n} be?",),
)  # fmt: skip
_AGO = Family(
    train=("How old was {n} {k} years ago?", "What was {n}'s age {k} years ago?",
           "{k} years ago, how old was {n}?"),
    valid=("How old was {n} {k} years before today?",),
    held=("Going back {k} years, how old was {n}?",),
)  # fmt: skip
_SUM = Family(
    train=("How old are {n} and {m} together?", "What is the sum of the ages of {n} and {m}?"),
    valid=("Add the ages of {n} and {m}.",),
    held=("What do the ages of {n} and {m} add up to?",),
)  # fmt: skip
_TOGETHER = Family(
    train=("Together they are {k} years old.", "The sum of their ages is {k}.",
           "Their ages add up to {k}."),
    valid=("Both ages together make {k}.",),
    held=("In all they are {k} years old.",),
)  # fmt: skip
_WILL = Family(
    train=("In {y} years {n} will be {k} times as old as {m}.",
           "{y} years from now {n} will be {k} times as old as {m}."),
    valid=("In {y} years {n} will have {k} times the age of {m}.",),
    held=("After {y} years {n} will be {k} times as old as {m}.",),
)  # fmt: skip


def _walk(rng: Random, level: int, split: Split) -> Draft:
    """From a known age over one or more relations, and to another year at the end."""
    names = people(rng, split, level + 2)
    age = rng.randint(4, 40)
    facts = [_NOW.say(rng, split, n=names[0], a=age)]
    lines: list[str] = []
    ages, key = [age], f"age{age}"
    for name, before in zip(names[1:], names, strict=False):
        kinds = ["older", "older", "younger"] + (["times"] if age < 16 else [])
        kind = rng.choice(kinds)
        if kind == "younger" and age < 6:
            kind = "older"
        if kind == "times":
            step, op, family = rng.randint(2, 4), "*", _TIMES
        elif kind == "older":
            step, op, family = rng.randint(1, 30), "+", _OLDER
        else:
            step, op, family = rng.randint(1, age - 3), "-", _YOUNGER
        facts.append(family.say(rng, split, n=name, m=before, k=step))
        lines += told(rng, age, op, step, (name, f"{name} is"))
        age = {"*": age * step, "+": age + step, "-": age - step}[op]
        ages.append(age)
        key += f"{op}{step}"
    if level and rng.random() < 0.5:
        rng.shuffle(facts)
    roll = rng.random()
    if roll < 0.4:
        ask = _ASK.say(rng, split, n=names[-1])
    elif roll < 0.55:
        other = rng.randrange(len(names) - 1)
        ask = _SUM.say(rng, split, n=names[-1], m=names[other])
        lines += told(rng, age, "+", ages[other], ("Together",))
        age += ages[other]
        key += f"sum{other}"
    else:
        later = roll < 0.8 or age < 4
        years = rng.randint(2, 20) if later else rng.randint(1, age - 2)
        ask = (_LATER if later else _AGO).say(rng, split, n=names[-1], k=years)
        op = "+" if later else "-"
        lines += told(rng, age, op, years, ("Then", "In that year"))
        age += years if later else -years
        key += f"at{op}{years}"
    return Draft(" ".join([*facts, ask]), tuple(lines), str(age), key, keep=tuple(names))


def _shared(rng: Random, split: Split) -> Draft:
    """Two ages from their sum and their quotient or difference."""
    young, old = people(rng, split, 2)
    age, years = rng.randint(3, 30), rng.randint(2, 15)
    if rng.random() < 0.5:
        times = rng.randint(2, 5)
        total = age * (times + 1)
        facts = [_TIMES.say(rng, split, n=old, m=young, k=times)]
        lines = [f"{times} + 1 = {times + 1}", *told(rng, total, "/", times + 1, (young,))]
        other, key = age * times, f"shares{total}/{times}"
        more = told(rng, age, "*", times, (old,))
    else:
        gap = rng.randint(2, 30)
        total = 2 * age + gap
        facts = [_OLDER.say(rng, split, n=old, m=young, k=gap)]
        lines = [*told(rng, total, "-", gap, ("Twice the younger",)),
                 *told(rng, total - gap, "/", 2, (young,))]  # fmt: skip
        other, key = age + gap, f"gap{total}-{gap}"
        more = told(rng, age, "+", gap, (old,))
    facts.append(_TOGETHER.say(rng, split, k=total))
    who, answer = young, age
    if rng.random() < 0.5:
        who, answer = old, other
        lines += more
    if rng.random() < 0.3:
        facts.append(_LATER.say(rng, split, n=who, k=years))
        lines += told(rng, answer, "+", years, ("Then",))
        answer += years
        key += f"+{years}"
    else:
        facts.append(_ASK.say(rng, split, n=who))
    return Draft(
        " ".join(facts), tuple(lines), str(answer), f"{key}{who == old}", keep=(young, old)
    )


def _future(rng: Random, split: Split) -> Draft:
    """`In 5 years she will be three times as old as he`: the difference never changes."""
    old, young = people(rng, split, 2)
    times = rng.randint(2, 4)
    then = rng.randint(6, 24)
    years = rng.randint(2, then - 2)
    gap = then * (times - 1)
    facts = [_OLDER.say(rng, split, n=old, m=young, k=gap),
             _WILL.say(rng, split, n=old, m=young, k=times, y=years),
             _ASK.say(rng, split, n=young)]  # fmt: skip
    lines = [f"{times} - 1 = {times - 1}"]
    lines += told(rng, gap, "/", times - 1, (f"{young} then",)) if times > 2 else []
    if times == 2:
        lines.append(f"{young} is then {gap}.")
    lines += told(rng, then, "-", years, (f"{young} now", "Now"))
    key = f"will{gap}x{times}in{years}"
    return Draft(" ".join(facts), tuple(lines), str(then - years), key, keep=(old, young))


@skill("age")
def make_age(rng: Random, level: int, split: Split) -> Draft:
    """One relation; two; three, sums with multiples, and what will be."""
    if level == 2 and rng.random() < 0.6:
        return _shared(rng, split) if rng.random() < 0.6 else _future(rng, split)
    return _walk(rng, level, split)
