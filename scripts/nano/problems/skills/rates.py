"""Rates: speed, distance and time, work per hour, workers and days, filling and emptying."""

from __future__ import annotations

from math import gcd
from random import Random

from .. import steps
from ..base import Draft, Family, Split, skill
from ..narrate import told
from ..words import people, things

_DISTANCE = Family(
    train=("A {v} drives {s} km/h for {h} hours. How far does it go?",
           "{n} travels {h} hours at {s} km per hour. How many km is that?",
           "How far does a {v} get in {h} hours at {s} km/h?",
           "{s} km/h for {h} h, how many km?",
           "At {s} km/h, what distance is covered in {h} hours?"),
    valid=("A {v} goes {s} km each hour. How far is it after {h} hours?",),
    held=("{n} drives for {h} hours at a speed of {s} km/h. How many km does {n} drive?",
          "What distance does a {v} cover in {h} hours at {s} km/h?"),
)  # fmt: skip
_TIME = Family(
    train=("A {v} drives {d} km at {s} km/h. How many hours does it take?",
           "How many hours does {n} need for {d} km at {s} km per hour?",
           "{d} km at {s} km/h, how many hours?",
           "How long does a {v} take for {d} km at {s} km/h?"),
    valid=("At {s} km/h, how many hours are {d} km?",),
    held=("{n} has {d} km to go at {s} km/h. How many hours will it take?",),
)  # fmt: skip
_SPEED = Family(
    train=("A {v} covers {d} km in {h} hours. What is its speed in km/h?",
           "{n} drives {d} km in {h} hours. How many km per hour is that?",
           "{d} km in {h} hours, how fast is that in km/h?"),
    valid=("What speed in km/h makes {d} km in {h} hours?",),
    held=("In {h} hours a {v} goes {d} km. How fast is it in km/h?",),
)  # fmt: skip
_MINUTES = Family(
    train=("A {v} drives {s} km/h. How many km does it go in {x} minutes?",
           "How far does {n} get in {x} minutes at {s} km/h?",
           "{n} rides {x} minutes at {s} km per hour. How many km is that?"),
    valid=("At {s} km/h, how many km are {x} minutes?",),
    held=("{n} drives for {x} minutes at {s} km/h. How many km is that?",),
)  # fmt: skip
_LEGS = Family(
    train=("{n} drives {h} hours at {s} km/h and then {i} hours at {r} km/h. How many km in all?",
           "A {v} goes {s} km/h for {h} hours, then {r} km/h for {i} hours. How far does it go?"),
    valid=("First {h} hours at {s} km/h, then {i} hours at {r} km/h. How many km?",),
    held=("{n} travels {h} hours at {s} km/h, after that {i} hours at {r} km/h. How far is it?",),
)  # fmt: skip
_MEAN = Family(
    train=("{n} drives {h} hours at {s} km/h and then {i} hours at {r} km/h. What is the average "
           "speed in km/h?", "A {v} goes {s} km/h for {h} hours, then {r} km/h for {i} hours. "
           "What is its average speed?"),
    valid=("What is the average speed of {h} hours at {s} km/h and {i} hours at {r} km/h?",),
    held=("{n} travels {h} hours at {s} km/h, then {i} hours at {r} km/h. How fast on average?",),
)  # fmt: skip
_MEET = Family(
    train=("Two {v}s are {d} km apart and drive towards each other at {s} and {r} km/h. After how "
           "many hours do they meet?",
           "{n} and {m} start {d} km apart and approach each other, {n} "
           "at {s} km/h, {m} at {r} km/h. How many hours until they meet?"),
    valid=("{d} km lie between {n} and {m}. They come closer at {s} and {r} km/h. How many hours "
           "until they meet?",),
    held=("{n} at {s} km/h and {m} at {r} km/h drive towards each other from {d} km apart. When do "
          "they meet, in hours?",),
)  # fmt: skip
_MAKE = Family(
    train=("A machine makes {s} {t} per hour. How many does it make in {h} hours?",
           "{n} packs {s} {t} an hour. How many {t} in {h} hours?",
           "{s} {t} per hour, how many in {h} hours?"),
    valid=("Every hour {n} paints {s} {t}. How many in {h} hours?",),
    held=("{n} makes {s} {t} each hour. How many {t} are ready after {h} hours?",),
)  # fmt: skip
_JOINT = Family(
    train=("{n} packs {s} {t} an hour and {m} packs {r}. How many hours do they need together for "
           "{d} {t}?", "One machine makes {s} {t} per hour, another {r}. How many hours do both "
           "need for {d}?"),
    valid=("{n} paints {s} and {m} {r} {t} per hour. Together, how many hours for {d}?",),
    held=("{n} makes {s} and {m} {r} {t} each hour. How many hours do they take for {d} {t}?",),
)  # fmt: skip
_WORKERS = Family(
    train=("{a} workers need {h} days for a wall. How many days do {b} workers need?",
           "If {a} people need {h} days for a job, how many days do {b} people need?",
           "A job takes {a} workers {h} days. How long does it take {b} workers, in days?"),
    valid=("{a} painters need {h} days. How many days for {b} painters?",),
    held=("{a} gardeners need {h} days for a park. How many days do {b} gardeners need?",),
)  # fmt: skip
_TANK = Family(
    train=("A tank gets {s} litres a minute and loses {r}. How many minutes until it holds {d} "
           "litres?", "A pipe brings {s} litres per minute, another drains {r}. After how many "
           "minutes are there {d} litres?"),
    valid=("Each minute {s} litres come in and {r} go out. How many minutes for {d} litres?",),
    held=("{s} litres flow in and {r} litres out every minute. When does the tank hold {d} litres, "
          "in minutes?",),
)  # fmt: skip
_BULK = Family(
    train=("{a} {t} cost {d} dollars. How many dollars do {b} {t} cost?",
           "If {a} {t} cost {d} dollars, what do {b} cost?", "{n} pays {d} dollars for {a} {t}. "
           "What would {b} {t} cost?"),
    valid=("For {a} {t} you pay {d} dollars. And for {b}?",),
    held=("The price of {a} {t} is {d} dollars. What is the price of {b} {t}?",),
)  # fmt: skip
_VEHICLES = ("car", "train", "bus", "truck", "ship", "motorbike", "van", "taxi")


def _easy(rng: Random, split: Split, words: dict[str, str], level: int) -> Draft:
    speed, hours = rng.randint(2, 12) * (10 if not level else 5) + (level and 5), rng.randint(2, 9)
    kind = rng.choice(("distance", "time", "speed", "make"))
    far = speed * hours
    if kind == "make":
        speed = rng.randint(3, 30)
        text = _MAKE.say(rng, split, s=speed, h=hours, **words)
        lines, answer = told(rng, speed, "*", hours, ("Made",)), speed * hours
    elif kind == "distance":
        text = _DISTANCE.say(rng, split, s=speed, h=hours, **words)
        lines, answer = told(rng, speed, "*", hours, ("Distance",)), far
    elif kind == "time":
        text = _TIME.say(rng, split, d=far, s=speed, **words)
        lines, answer = told(rng, far, "/", speed, ("Time", "Hours")), hours
    else:
        text = _SPEED.say(rng, split, d=far, h=hours, **words)
        lines, answer = told(rng, far, "/", hours, ("Speed",)), speed
    return Draft(text, tuple(lines), str(answer), f"{kind}{speed}x{hours}")


def _middle(rng: Random, split: Split, words: dict[str, str]) -> Draft:
    kind = rng.choice(("minutes", "legs", "workers", "bulk"))
    if kind == "minutes":
        minutes = rng.choice((10, 15, 20, 30, 40, 45, 50, 75, 80, 90, 100, 120, 150))
        common = gcd(minutes, 60)
        speed = rng.randint(1, 12) * 60 // common * (1 if common < 15 else rng.randint(1, 3))
        text = _MINUTES.say(rng, split, s=speed, x=minutes, **words)
        part, answer = 60 // common, speed * minutes // 60
        lines = [f"60 / {part} = {common}", *told(rng, speed, "/", part, (f"In {common} minutes",))]
        if part == 1:
            lines = []
        if minutes // common > 1:
            lines += told(rng, minutes, "/", common, ("Parts",))
            lines += told(rng, speed // part, "*", minutes // common, ("Distance",))
        return Draft(text, tuple(lines), str(answer), f"min{speed}x{minutes}")
    if kind == "legs":
        return _legs(rng, split, words)
    if kind == "workers":
        each = rng.randint(2, 12)
        few = rng.randint(2, 6)
        many = rng.choice([d for d in range(2, 13) if (few * each) % d == 0 and d != few] or [1])
        text = _WORKERS.say(rng, split, a=few, h=each, b=many)
        lines = told(rng, few, "*", each, ("One alone",))
        lines += told(rng, few * each, "/", many, ("Days",))
        return Draft(text, tuple(lines), str(few * each // many), f"work{few}x{each}/{many}")
    price, few, many = rng.randint(2, 12), rng.randint(2, 9), rng.randint(2, 15)
    text = _BULK.say(rng, split, a=few, d=price * few, b=many, **words)
    lines = told(rng, price * few, "/", few, ("One costs", "One"))
    lines += told(rng, price, "*", many, ("Cost",))
    return Draft(text, tuple(lines), str(price * many), f"bulk{few}x{price}x{many}")


def _legs(rng: Random, split: Split, words: dict[str, str], mean: bool = False) -> Draft:
    first, second = rng.randint(3, 12) * 10, rng.randint(3, 12) * 10
    hours, more = rng.randint(2, 6), rng.randint(2, 6)
    while mean and (first * hours + second * more) % (hours + more):
        first, second = rng.randint(6, 24) * 5, rng.randint(6, 24) * 5
        hours, more = rng.randint(1, 5), rng.randint(2, 5)
    family = _MEAN if mean else _LEGS
    text = family.say(rng, split, s=first, h=hours, r=second, i=more, **words)
    text = text.replace(" 1 hours", " 1 hour")
    legs = [(first, hours), (second, more)]
    if rng.random() < 0.3:
        legs.reverse()
    lines, total = [], 0
    for speed, time in legs:
        lines += steps.multiply(rng, speed, time)
    total = first * hours + second * more
    lines += told(rng, legs[0][0] * legs[0][1], "+", legs[1][0] * legs[1][1], ("Distance",))
    if mean:
        lines += told(rng, hours, "+", more, ("Time",))
        lines += told(rng, total, "/", hours + more, ("Average speed",))
        total //= hours + more
    return Draft(text, tuple(lines), str(total), f"legs{first}x{hours}+{second}x{more}{mean}")


def _hard(rng: Random, split: Split, words: dict[str, str]) -> Draft:
    kind = rng.choice(("mean", "meet", "joint", "tank"))
    if kind == "mean":
        return _legs(rng, split, words, mean=True)
    hours = rng.randint(2, 9)
    if kind == "meet":
        first, second = rng.randint(6, 24) * 5, rng.randint(6, 24) * 5
        family, label = _MEET, "Both together"
    else:
        first, second = rng.randint(8, 60), rng.randint(2, 40)
        family, label = (_JOINT, "Both together") if kind == "joint" else (_TANK, "Each minute")
    op = "-" if kind == "tank" else "+"
    if op == "-" and first <= second:
        first, second = second + 3, first
        hours = rng.randint(2, 12)
    speed = first - second if op == "-" else first + second
    text = family.say(rng, split, s=first, r=second, d=speed * hours, **words)
    lines = told(rng, first, op, second, (label,))
    lines += told(rng, speed * hours, "/", speed, ("Time", "Then"))
    return Draft(text, tuple(lines), str(hours), f"{kind}{first}{op}{second}x{hours}")


@skill("rate", weight=1.2)
def make_rate(rng: Random, level: int, split: Split) -> Draft:
    """One product or quotient; minutes, two legs, workers; mean speed, meeting."""
    names, (thing,) = people(rng, split, 2), things(rng, split)
    words = {"n": names[0], "m": names[1], "t": thing[1], "v": rng.choice(_VEHICLES)}
    if level == 0:
        return _easy(rng, split, words, rng.randrange(2))
    return _middle(rng, split, words) if level == 1 else _hard(rng, split, words)
