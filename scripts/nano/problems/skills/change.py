"""Money with cents: prices such as $3.25, totals, change, coins, and sharing a bill."""

from __future__ import annotations

from random import Random

from .. import decimals, steps
from ..base import Draft, Family, Split, skill
from ..decimals import Decimal
from ..words import counted, people, things

_PRICE = Family(
    train=("A {o} costs {p}.", "One {o} is {p}.", "The {o} costs {p}.", "The price of a {o} is "
           "{p}.", "{n} wants a {o} for {p}.", "{n} buys a {o} for {p}."),
    valid=("There is a {o} for {p}.",),
    held=("{n} takes a {o} that costs {p}.", "For a {o} the shop wants {p}."),
)  # fmt: skip
_SEVERAL = Family(
    train=("{n} buys {k} at {p} each.", "{n} wants {k} for {p} each.", "{k} at {p} each.",
           "{n} takes {k}, each for {p}."),
    valid=("{n} orders {k} at {p} each.",),
    held=("{n} picks {k} that cost {p} each.",),
)  # fmt: skip
_PAY = Family(
    train=("{n} pays with {m}.", "{n} gives {m}.", "{n} hands over {m}.", "{n} has {m}."),
    valid=("{n} puts down {m}.",),
    held=("{n} gives the seller {m}.", "{n} has a note of {m}."),
)  # fmt: skip
_CHANGE = Family(
    train=("How much change does {n} get?", "What is the change?", "How much is left?",
           "How much does {n} get back?", "How much money does {n} have left?"),
    valid=("What does {n} get back?",),
    held=("What change does {n} get?", "How much money is left for {n}?"),
)  # fmt: skip
_TOTAL = Family(
    train=("How much is that in all?", "What is the total?", "How much does {n} pay?",
           "How much does it cost together?", "What does {n} have to pay?"),
    valid=("What is the bill?",),
    held=("How much must {n} pay in all?", "What does all of it cost?"),
)  # fmt: skip
_OFF = Family(
    train=("There is {p} off.", "A coupon takes off {p}.", "{n} has a coupon worth {p}."),
    valid=("The shop takes {p} off.",),
    held=("{n} gets {p} off with a coupon.",),
)  # fmt: skip
_COINS = Family(
    train=("How many {c}-cent coins make {p}?", "{p} in {c}-cent coins, how many coins?",
           "{n} pays {p} with {c}-cent coins. How many coins is that?"),
    valid=("How many coins of {c} cents are {p}?",),
    held=("{n} has {p}, all of it in {c}-cent coins. How many coins does {n} have?",),
)  # fmt: skip
_PURSE = Family(
    train=("{n} has {a} {c}-cent coins and {b} {d}-cent coins. How many cents is that?",
           "How many cents are {a} {c}-cent coins and {b} {d}-cent coins?"),
    valid=("{a} coins of {c} cents and {b} of {d} cents, how many cents?",),
    held=("In the purse there are {a} {c}-cent coins and {b} {d}-cent coins. How many cents?",),
)  # fmt: skip
_SPLIT = Family(
    train=("A bill of {p} is shared equally by {k} friends. How much does each pay?",
           "{k} people split {p} equally. What does each one pay?",
           "{n} and friends, {k} in all, share {p}. How much is it for each?"),
    valid=("Divide a bill of {p} equally by {k}.",),
    held=("{k} friends pay {p} together in equal parts. How much is one part?",),
)  # fmt: skip
_NOTES = (5, 10, 20, 50, 100, 200, 500)


def _cents(rng: Random, top: int) -> Decimal:
    """A price up to `top`, mostly in steps of five cents."""
    units = rng.randint(20, top * 100)
    return Decimal.of(units if rng.random() < 0.3 else max(5, units // 5 * 5), 2)


def _write(number: Decimal, style: int) -> str:
    """$3.50, 3.50 dollars, 3.5 euros: one style in each problem."""
    text = number.fixed() if number.places else str(number)
    return (f"${text}", f"{text} dollars", f"{text} euros", f"${text}", f"{number} euros")[style]


class _Bill:
    """Things bought so far, the facts and lines about them."""

    def __init__(self, rng: Random, level: int, split: Split) -> None:
        self.rng, self.level, self.split = rng, level, split
        self.style = rng.randrange(5)
        (self.name,) = people(rng, split, 1)
        self.facts: list[str] = []
        self.lines: list[str] = []
        self.total = Decimal(0)
        self.key = ""

    def buy(self, thing: tuple[str, str]) -> None:
        rng, price = self.rng, _cents(self.rng, (9, 15, 20)[self.level])
        written = _write(price, self.style)
        cost, label = price, ""
        if self.level and rng.random() < (0.3 if self.level == 1 else 0.45):
            count = rng.randint(2, 6)
            amount = counted(count, thing)
            text = _SEVERAL.say(rng, self.split, n=self.name, k=amount, p=written)
            self.lines += decimals.told(rng, price, "*", Decimal(count), thing[1].capitalize())
            cost = price * Decimal(count)
            self.key += f"x{count}"
        else:
            text = _PRICE.say(rng, self.split, n=self.name, o=thing[0], p=written)
        self.facts.append(text)
        if self.total.units:
            label = "Total"
            self.lines += decimals.told(rng, self.total, "+", cost, label)
        self.total = self.total + cost
        self.key += f"+{price}"

    def discount(self) -> None:
        off = Decimal.of(self.rng.randint(1, 8) * 25, 2)
        if self.total < off + Decimal(1):
            return
        self.facts.append(_OFF.say(self.rng, self.split, n=self.name, p=_write(off, self.style)))
        self.lines += decimals.told(self.rng, self.total, "-", off, "To pay")
        self.total = self.total - off
        self.key += f"-{off}"

    def draft(self) -> Draft:
        rng = self.rng
        notes = [note for note in _NOTES if self.total < Decimal(note)]
        if self.lines and rng.random() < 0.3:
            self.facts.append(_TOTAL.say(rng, self.split, n=self.name))
            return self._done("total")
        note = Decimal(rng.choice(notes[:2]))
        self.facts.append(_PAY.say(rng, self.split, n=self.name, m=_write(note, self.style)))
        self.lines += decimals.told(rng, note, "-", self.total, "Change")
        self.total = note - self.total
        self.facts.append(_CHANGE.say(rng, self.split, n=self.name))
        return self._done(f"of{note}")

    def _done(self, end: str) -> Draft:
        text = " ".join(self.facts)
        return Draft(text[0].upper() + text[1:], tuple(self.lines), str(self.total), self.key + end)


def _coins(rng: Random, level: int, split: Split) -> Draft:
    (name,) = people(rng, split, 1)
    coin = rng.choice((5, 10, 20, 25, 50))
    count = rng.randint(2, (12, 30, 60)[level])
    if level and rng.random() < 0.5:
        other = rng.choice([value for value in (1, 2, 5, 10, 20, 25, 50) if value != coin])
        more = rng.randint(2, 12)
        text = _PURSE.say(rng, split, n=name, a=count, c=coin, b=more, d=other)
        lines = steps.multiply(rng, count, coin) + steps.multiply(rng, more, other)
        lines += steps.add(rng, count * coin, more * other)
        answer = count * coin + more * other
        return Draft(text, tuple(lines), str(answer), f"purse{count}x{coin}+{more}x{other}")
    amount = Decimal.of(count * coin, 2)
    text = _COINS.say(rng, split, n=name, c=coin, p=f"${amount.fixed()}")
    lines = [decimals.line(amount, "*", Decimal(100)), *steps.divide(rng, count * coin, coin)]
    return Draft(text, tuple(lines), str(count), f"coins{amount}/{coin}")


@skill("change", weight=1.2)
def make_change(rng: Random, level: int, split: Split) -> Draft:
    """Change from one price; two things, coins; several things, coupons, bills shared."""
    roll = rng.random()
    if roll < 0.2:
        return _coins(rng, level, split)
    if level and roll < 0.35:
        (name,) = people(rng, split, 1)
        heads = rng.randint(2, 9)
        each = _cents(rng, (9, 15, 40)[level])
        written = _write(each * Decimal(heads), rng.randrange(4))
        text = _SPLIT.say(rng, split, n=name, k=heads, p=written)
        lines = decimals.compute(rng, each * Decimal(heads), "/", Decimal(heads))
        return Draft(text, tuple(lines), str(each), f"split{each}x{heads}")
    while True:
        bill = _Bill(rng, level, split)
        for thing in things(rng, split, (1, 2, rng.randint(2, 3))[level]):
            bill.buy(thing)
        if level == 2 and rng.random() < 0.3:
            bill.discount()
        draft = bill.draft()
        if len(draft.steps) <= 18:
            return draft
