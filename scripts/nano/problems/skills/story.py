"""A running amount: someone has things, wins, loses, shares and doubles them.

One event at the easy level, two at the middle, three or four at the hard one, where a fact that
does not matter may stand in between.
"""

from __future__ import annotations

from random import Random

from ..base import Draft, Family, Split, skill
from ..narrate import join, told
from ..words import container, counted, people, place, things

_START = Family(
    train=(
        "{n} has {k}.", "{n} owns {k}.", "{n} starts with {k}.", "{n} had {k}.",
        "There are {k} in {n}'s {c}.", "{n} collects things and has {k}.",
        "{n} brought {k} to the {p}.", "{n} bought {k}.", "At first {n} has {k}.",
        "In the morning {n} has {k}.", "{n} counts {k}.", "{n} keeps {k} in a {c}.",
    ),
    valid=("{n} begins with {k}.",),
    held=("{n} has {k} in a {c}.", "{n} came to the {p} with {k}.",
          "In the beginning {n} had {k}."),
)  # fmt: skip
_GAIN = Family(
    train=(
        "{n} gets {k} more.", "{n} finds {k} more.", "{n} buys {k} more.",
        "Then {n} receives {k} from {m}.", "{m} gives {n} {k}.", "{n} is given {k} more.",
        "Later {n} wins {k}.", "After that {n} gets another {k}.", "{n} adds {k}.",
        "{n} then collects {k} more.", "{m} brings {n} {k} more.", "{n} picks up {k}.",
    ),
    valid=("{n} earns {k} more.",),
    held=("Then {n} finds another {k}.", "{m} then gives {n} {k} more.", "Later {n} buys {k}."),
)  # fmt: skip
_LOSE = Family(
    train=(
        "{n} gives {k} to {m}.", "{n} loses {k}.", "Then {n} sells {k}.", "{n} gives away {k}.",
        "{m} takes {k}.", "{n} throws away {k}.", "Later {n} uses {k}.", "{n} lends {k} to {m}.",
        "After that {n} loses {k}.", "{n} drops {k} and they are gone.", "{n} hands {k} to {m}.",
        "{m} borrows {k} from {n}.",
    ),
    valid=("{n} leaves {k} at the {p}.",),
    held=("Then {n} gives {m} {k}.", "Later {m} takes {k} from {n}.", "{n} sells {k} at the {p}."),
)  # fmt: skip
_TIMES = Family(
    train=(
        "Then the number of {t} becomes {w} as large.", "{n} ends up with {w} as many {t}.",
        "Then {n} has {w} as many {t} as before.", "The number of {t} grows to {w} as many.",
    ),
    valid=("Then there are {w} as many {t}.",),
    held=("After that {n} has {w} as many {t}.",),
)  # fmt: skip
_SHARE = Family(
    train=(
        "{n} divides them equally among {k} people and keeps one share.",
        "Then {n} puts them equally into {k} {cs} and keeps only one.",
        "{n} splits them into {k} equal groups and keeps one group.",
        "They are shared equally by {k} friends and {n} is one of them.",
    ),
    valid=("{n} makes {k} equal piles and keeps one.",),
    held=("{n} shares them equally among {k} people and keeps one share.",),
)  # fmt: skip
_PACKS = Family(
    train=(
        "{n} buys {k} {cs} with {j} {t} each.", "{n} gets {k} {cs} of {j} {t}.",
        "{m} brings {k} {cs} with {j} {t} in each.", "Then {n} adds {k} {cs}, each with {j} {t}.",
    ),
    valid=("{n} finds {k} {cs} with {j} {t} in each.",),
    held=("Then {n} gets {k} {cs} with {j} {t} each.",),
)  # fmt: skip
_ASK = Family(
    train=(
        "How many {t} does {n} have now?", "How many {t} does {n} have in the end?",
        "How many {t} are there now?", "How many {t} are left?", "Find the number of {t} now.",
        "What is the number of {t} in the end?", "How many {t} does {n} have?",
        "How many {t} has {n} got at the end?", "Now how many {t} does {n} have?",
    ),
    valid=("How many {t} does {n} own now?",),
    held=("In the end, how many {t} does {n} have?", "What number of {t} does {n} have now?"),
)  # fmt: skip
_NOISE = Family(
    train=(
        "{m} is {x} years old.", "{m} also has {x} {o}.", "The {p} is {x} minutes away.",
        "There are {x} {o} in the {p}.", "{m} lives at number {x}.", "It took {x} minutes.",
        "{n} also has {x} {o}.",
    ),
    valid=("The {p} opens at {x}.",),
    held=("{m} has {x} {o} too.", "There are {x} people in the {p}."),
)  # fmt: skip
_OFTEN = {2: ("twice", "2 times", "two times"), 3: ("3 times", "three times"), 4: ("4 times",),
          5: ("5 times",)}  # fmt: skip


class _Tale:
    """One running amount with its words; `amount` changes with every event."""

    def __init__(self, rng: Random, level: int, split: Split) -> None:
        self.rng, self.level, self.split = rng, level, split
        name, other = people(rng, split, 2)
        self.thing, noise = things(rng, split, 2)
        holder = container(rng, split)
        self.words = {"n": name, "m": other, "t": self.thing[1], "o": noise[1], "c": holder[0],
                      "cs": holder[1], "p": place(rng, split)}  # fmt: skip
        self.amount = rng.randint(2, (30, 80, 200)[level])
        self.sentences = [self.say(_START, k=counted(self.amount, self.thing))]
        self.lines: list[str] = []
        self.key = [f"story{self.amount}"]

    def say(self, family: Family, **words: object) -> str:
        return family.pick(self.rng, self.split).format(**self.words, **words)

    def _labels(self, *extra: str) -> list[str]:
        thing = self.thing[1]
        return [f"{thing.capitalize()} now", f"Now {thing}", "Then", *extra]

    def event(self) -> None:
        rng = self.rng
        kinds = ["gain", "lose"] * 3 + (["times", "share", "packs"] if self.level else [])
        kind = rng.choice(kinds)
        top = (20, 50, 120)[self.level]
        if kind == "lose" and self.amount > 2:
            step = rng.randint(1, min(self.amount - 1, top))
            self.sentences.append(self.say(_LOSE, k=self._some(step)))
            self._apply("-", step, self._labels(f"{self.thing[1].capitalize()} left", "Left"))
        elif kind == "times" and self.amount <= 150:
            step = rng.choice((2, 2, 3, 4, 5))
            self.sentences.append(self.say(_TIMES, w=rng.choice(_OFTEN[step])))
            self._apply("*", step, self._labels())
        elif kind == "share" and (choices := self._divisors()):
            step = rng.choice(choices)
            self.sentences.append(self.say(_SHARE, k=step))
            self._apply("/", step, self._labels("One share", "Share"))
        elif kind == "packs":
            packs, each = rng.randint(2, 9), rng.randint(2, 12)
            self.sentences.append(self.say(_PACKS, k=packs, j=each))
            self.lines += told(rng, packs, "*", each, ("New ones", "In the packs", "More"))
            self.key.append(f"p{packs}x{each}")
            self._apply("+", packs * each, self._labels("Together"), keyed=False)
        else:
            step = rng.randint(1, top)
            self.sentences.append(self.say(_GAIN, k=self._some(step)))
            self._apply("+", step, self._labels("Together"))

    def _some(self, number: int) -> str:
        """`5 apples`, or only `5` when the thing is clear from before."""
        return str(number) if self.rng.random() < 0.25 else counted(number, self.thing)

    def _divisors(self) -> list[int]:
        return [d for d in range(2, 10) if self.amount % d == 0 and self.amount // d > 1]

    def _apply(self, op: str, step: int, labels: list[str], keyed: bool = True) -> None:
        self.lines += told(self.rng, self.amount, op, step, labels)
        if keyed:
            self.key.append(f"{op}{step}")
        self.amount = {"+": self.amount + step, "-": self.amount - step,
                       "*": self.amount * step, "/": self.amount // step}[op]  # fmt: skip

    def noise(self) -> None:
        text = self.say(_NOISE, x=self.rng.randint(2, 60))
        self.sentences.insert(self.rng.randint(1, len(self.sentences)), text)

    def draft(self) -> Draft:
        prompt = join(self.rng, self.sentences, self.say(_ASK), first=True)
        return Draft(prompt, tuple(self.lines), str(self.amount), "".join(self.key))


@skill("story", weight=2.2)
def make_story(rng: Random, level: int, split: Split) -> Draft:
    """One event; two; three or four with an occasional distractor."""
    tale = _Tale(rng, level, split)
    for _ in range((1, 2, rng.randint(3, 4))[level]):
        tale.event()
    if level and rng.random() < 0.15 * level:
        tale.noise()
    return tale.draft()
