"""The calendar: weekdays, days between dates, dates later and earlier, leap years, months.

Weekdays are numbered from Monday = 1, so that they can be worked out with sums.
"""

from __future__ import annotations

import calendar
from datetime import date, timedelta
from random import Random

from .. import steps
from ..base import Draft, Family, Split, skill
from ..words import DAYS, MONTHS, people

_WEEKDAY = Family(
    train=("Today is {d}. What day is it in {k} days?", "What day of the week comes {k} days after "
           "{d}?", "If today is {d}, which weekday is it {k} days from now?", "{d} plus {k} days?",
           "It is {d}. {n} leaves in {k} days. On which weekday is that?", "{k} days after {d}?",
           "Which weekday is {k} days after {d}?"),
    valid=("Starting on {d}, which weekday is {k} days later?",),
    held=("{n} waits {k} days from {d} on. Which weekday is it then?",
          "What weekday follows {d} by {k} days?"),
)  # fmt: skip
_WEEKDAY_AGO = Family(
    train=("Today is {d}. What day was it {k} days ago?", "What day of the week comes {k} days "
           "before {d}?", "Which weekday was {k} days before {d}?", "{k} days before {d}?"),
    valid=("It is {d}. Which weekday was it {k} days earlier?",),
    held=("{n} came {k} days ago and today is {d}. On which weekday did {n} come?",),
)  # fmt: skip
_LEAP = Family(
    train=("Is {y} a leap year?", "Was or is {y} a leap year?", "{y}: leap year or not?",
           "Does the year {y} have 366 days?", "leap year {y}?", "Tell me if {y} is a leap year."),
    valid=("Does February {y} have 29 days?",),
    held=("Is the year {y} a leap year?", "Can you say whether {y} is a leap year?"),
)  # fmt: skip
_LENGTH = Family(
    train=("How many days does {m} {y} have?", "How many days are in {m} {y}?",
           "Days in {m} {y}?", "How long is {m} {y} in days?"),
    valid=("Number of days in {m} {y}?",),
    held=("Count the days of {m} {y}.",),
)  # fmt: skip
_LATER = Family(
    train=("What date is {k} days after {a}?", "Which date is {k} days after {a}?",
           "{a} plus {k} days?", "It is {a}. What is the date in {k} days?",
           "{n} starts on {a} and comes back {k} days later. On which date?",
           "Add {k} days to {a}."),
    valid=("Give the date {k} days after {a}.",),
    held=("{n} waits {k} days from {a} on. What is the date then?",
          "Find the date that is {k} days later than {a}."),
)  # fmt: skip
_BETWEEN = Family(
    train=("How many days are there from {a} to {b}?", "How many days from {a} to {b}?",
           "How many days pass from {a} to {b}?", "{n} leaves on {a} and comes back on {b}. How "
           "many days later is that?", "Days from {a} until {b}?"),
    valid=("Count the days from {a} to {b}.",),
    held=("It is {a}. How many days is it until {b}?", "{b} is how many days after {a}?"),
)  # fmt: skip
_WHICH = Family(
    train=("{a} is a {d}. Which weekday is {b}?", "If {a} is a {d}, what day of the week is {b}?",
           "{a} falls on a {d}. On which weekday does {b} fall?"),
    valid=("{a} is a {d}. And {b}?",),
    held=("Knowing that {a} is a {d}, name the weekday of {b}.",),
)  # fmt: skip


def month_days(year: int, month: int) -> int:
    """28 … 31."""
    return calendar.monthrange(year, month)[1]


def write(day: date, style: int) -> str:
    """`March 5, 2024`, `5 March 2024` or `2024-03-05`."""
    name = MONTHS[day.month - 1]
    return (f"{name} {day.day}, {day.year}", f"{day.day} {name} {day.year}", day.isoformat())[style]


def _sevens(rng: Random, days: int) -> tuple[list[str], int]:
    """Lines that leave what is over after whole weeks."""
    if days < 7:
        return [], days
    weeks = days // 7
    lines = steps.multiply(rng, weeks, 7) if weeks > 1 else []
    return [*lines, f"{days} - {weeks * 7} = {days % 7}"], days % 7


def _move(rng: Random, day: int, days: int, back: bool = False) -> tuple[list[str], int]:
    """Lines from weekday 0…6 over so many days to another weekday."""
    lines, rest = _sevens(rng, days)
    if not rest:
        return [*lines, f"Whole weeks: {DAYS[day]}."], day
    number = day + 1
    lines.append(f"{DAYS[day]} is day {number}.")
    moved = number - rest if back else number + rest
    lines.append(f"{number} {'-' if back else '+'} {rest} = {moved}")
    if moved > 7:
        lines.append(f"{moved} - 7 = {moved - 7}")
    elif moved < 1:
        lines.append(f"{moved} + 7 = {moved + 7}")
    moved = (moved - 1) % 7
    return [*lines, f"Day {moved + 1} is {DAYS[moved]}."], moved


def _weekday(rng: Random, level: int, split: Split) -> Draft:
    (name,) = people(rng, split, 1)
    day, days = rng.randrange(7), rng.randint(2, (14, 60, 400)[level])
    back = level > 0 and rng.random() < 0.35
    lines, end = _move(rng, day, days, back)
    family = _WEEKDAY_AGO if back else _WEEKDAY
    text = family.say(rng, split, d=DAYS[day], k=days, n=name)
    key = f"week{day}{days}{back}"
    return Draft(text, tuple(lines), DAYS[end], key)


def leap_lines(rng: Random, year: int) -> list[str]:
    """Why a year is a leap year or not, from its last two digits, or the first two of a century."""
    century = year % 100 == 0
    number = year // 100 if century else year % 100
    lines = [f"{year} is a century: look at {number}."] if century else [f"Look at {number}."]
    if number % 4 == 0:
        return [*lines, f"{number} / 4 = {number // 4}", f"{year} is a leap year."]
    below = number - number % 4
    if below:
        lines += [f"{below} / 4 = {below // 4}", f"{number} - {below} = {number - below}"]
    return [*lines, f"{number - below} is left, so {year} is no leap year."]


def _leap(rng: Random, level: int, split: Split) -> Draft:
    year = rng.randint(1950, 2060) if level == 0 else rng.randint(1500, 2500)
    if level and rng.random() < 0.4:
        year = rng.randint(10, 40) * 100
    leap = calendar.isleap(year)
    if rng.random() < 0.6:
        text = _LEAP.say(rng, split, y=year)
        return Draft(text, tuple(leap_lines(rng, year)), "yes" if leap else "no", f"y{year}")
    month = rng.choice((1, 1, rng.randrange(12)))
    count = month_days(year, month + 1)
    lines = leap_lines(rng, year) if month == 1 else []
    lines.append(f"{MONTHS[month]} has {count} days.")
    text = _LENGTH.say(rng, split, m=MONTHS[month], y=year)
    return Draft(text, tuple(lines), str(count), f"y{year}m{month}")


def _february(rng: Random, first: date, last: date) -> list[str]:
    """Leap year lines if the way from one date to the other leads through the end of February."""
    years = [y for y in range(first.year, last.year + 1) if first < date(y, 3, 1) <= last]
    return leap_lines(rng, years[0])[-1:] if years else []


def days_between(rng: Random, first: date, last: date) -> list[str]:
    """Lines month by month; the last one ends in the number of days."""
    if (first.year, first.month) == (last.year, last.month):
        return [f"{last.day} - {first.day} = {last.day - first.day}"]
    lines = _february(rng, first, last)
    length = month_days(first.year, first.month)
    total = length - first.day
    lines.append(f"{MONTHS[first.month - 1]}: {length} - {first.day} = {total}")
    year, month = first.year, first.month
    while True:
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
        final = (year, month) == (last.year, last.month)
        count = last.day if final else month_days(year, month)
        lines.append(f"{MONTHS[month - 1]}: {total} + {count} = {total + count}")
        total += count
        if final:
            return lines


def _later(rng: Random, first: date, days: int) -> list[str]:
    """Lines that walk so many days on, month by month."""
    last = first + timedelta(days)
    lines = _february(rng, first, last) if first.month != last.month else []
    day, month, year = first.day + days, first.month, first.year
    lines.append(f"{first.day} + {days} = {day}")
    while day > (length := month_days(year, month)):
        lines.append(f"{MONTHS[month - 1]} has {length}: {day} - {length} = {day - length}")
        day -= length
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    return [*lines, f"{MONTHS[month - 1]} {day}, {year}"]


def _dates(rng: Random, level: int, split: Split) -> Draft:
    (name,) = people(rng, split, 1)
    style = rng.randrange(3)
    first = date(rng.randint(1990, 2040), 1, 1) + timedelta(rng.randrange(365))
    room = month_days(first.year, first.month) - first.day
    days = rng.randint(2, (28, 45, 150)[level])
    if level == 0 and days > room > 0 and rng.random() < 0.7:
        days = rng.randint(1, room)
    last = first + timedelta(days)
    shown = {"a": write(first, style), "b": write(last, style), "n": name}
    roll = rng.random()
    if level and roll < 0.3:
        lines = days_between(rng, first, last)
        more, end = _move(rng, first.weekday(), days)
        text = _WHICH.say(rng, split, d=DAYS[first.weekday()], **shown)
        return Draft(text, (*lines, *more), DAYS[end], f"which{first}{days}")
    if roll < 0.6:
        lines = days_between(rng, first, last)
        return Draft(_BETWEEN.say(rng, split, **shown), tuple(lines), str(days), f"b{first}{days}")
    lines = _later(rng, first, days)
    text = _LATER.say(rng, split, k=days, **shown)
    return Draft(text, tuple(lines), last.isoformat(), f"later{first}{days}")


@skill("calendar", weight=1.2)
def make_calendar(rng: Random, level: int, split: Split) -> Draft:
    """Weekdays, leap years and days of one month; over a month's end; over several months."""
    make = rng.choice((_weekday, _leap, _dates, _dates)[0 if level < 2 else 1 :])
    draft = make(rng, level, split)
    return Draft(draft.prompt, draft.steps, draft.answer, draft.key, keep=(*DAYS, *MONTHS))
