"""Clock arithmetic: a time plus or minus a duration, and the time between two times."""

from __future__ import annotations

from random import Random

from ..base import Draft, Family, Split, skill
from ..narrate import told
from ..words import people

_LATER = Family(
    train=("What time is it {d} after {t}?", "{t} plus {d}", "It is {t}. What time is it in {d}?",
           "A film starts at {t} and lasts {d}. When does it end?",
           "{n} leaves at {t} and travels {d}. When does {n} arrive?",
           "What is {t} plus {d}?", "Add {d} to {t}.", "{n} starts at {t} and works {d}. "
           "At what time does {n} stop?",
           "The lesson begins at {t} and takes {d}. When is it over?",
           "{d} after {t}?", "What time will it be {d} after {t}?"),
    valid=("When is {d} after {t}?",),
    held=("A lesson starts at {t} and lasts {d}. When is it over?",
          "It is {t} now. What time will it be in {d}?", "{n} leaves at {t} and works {d}. "
          "When does {n} stop?"),
)  # fmt: skip
_EARLIER = Family(
    train=("What time is it {d} before {t}?", "{t} minus {d}", "It is {t}. What time was it {d} "
           "ago?", "What is {t} minus {d}?", "{n} arrives at {t} after {d}. When did {n} leave?",
           "{d} before {t}?", "A film ends at {t} and lasted {d}. When did it start?"),
    valid=("When is {d} before {t}?",),
    held=("It is {t} now. What time was it {d} ago?",
          "A lesson ends at {t} and lasted {d}. When did it start?"),
)  # fmt: skip
_BETWEEN = Family(
    train=("How many minutes are there from {s} to {t}?", "How many minutes from {s} to {t}?",
           "A film starts at {s} and ends at {t}. How many minutes does it last?",
           "{n} works from {s} to {t}. How many minutes is that?",
           "How many minutes are between {s} and {t}?", "How long is it from {s} to {t} in "
           "minutes?", "A train leaves at {s} and arrives at {t}. How many minutes does it take?"),
    valid=("Minutes from {s} to {t}?",),
    held=("A lesson starts at {s} and ends at {t}. How many minutes is that?",
          "{n} leaves at {s} and arrives at {t}. How many minutes does it take?"),
)  # fmt: skip


def show(minutes: int) -> str:
    """Minutes since midnight as HH:MM."""
    hours, rest = divmod(minutes % 1440, 60)
    return f"{hours:02d}:{rest:02d}"


def _duration(rng: Random, minutes: int) -> str:
    hours, rest = divmod(minutes, 60)
    if not hours or (hours == 1 and rest and rng.random() < 0.5):
        return f"{minutes} minutes" if rng.random() < 0.85 else f"{minutes} min"
    text = f"{hours} hour" + ("s" if hours > 1 else "")
    return f"{text} and {rest} minutes" if rest else text


def _shift(rng: Random, start: int, minutes: int, forward: bool, text: str) -> list[str]:
    hour, minute = divmod(start, 60)
    op = "+" if forward else "-"
    lines: list[str] = []
    hours, rest = divmod(minutes, 60)
    if hours and "hour" not in text:
        lines += told(rng, minutes, "-", hours * 60, ("One hour and",))
    hour_lines: list[str] = []
    if hours:
        moved = hour + hours if forward else hour - hours
        hour_lines = [f"Hours: {hour} {op} {hours} = {moved}"]
        hour = moved
    minute_lines: list[str] = []
    if rest and forward:
        minute_lines = [f"Minutes: {minute} + {rest} = {minute + rest}"]
        minute += rest
        if minute >= 60:
            minute_lines.append(f"Minutes: {minute} - 60 = {minute - 60}")
            minute_lines.append(f"Hours: {hour} + 1 = {hour + 1}")
            minute, hour = minute - 60, hour + 1
    elif rest:
        if minute < rest:
            minute_lines = [f"Hours: {hour} - 1 = {hour - 1}",
                            f"Minutes: {minute} + 60 = {minute + 60}"]  # fmt: skip
            minute, hour = minute + 60, hour - 1
        minute_lines.append(f"Minutes: {minute} - {rest} = {minute - rest}")
    return lines + hour_lines + minute_lines


def _between(rng: Random, start: int, end: int) -> list[str]:
    (hour, minute), (last, final) = divmod(start, 60), divmod(end, 60)
    if hour == last:
        return [f"Minutes: {final} - {minute} = {final - minute}"]
    if rng.random() < 0.5 or final >= minute:
        lines = [f"Hours: {last} - {hour} = {last - hour}"]
        total = (last - hour) * 60
        lines.append(f"Minutes: {last - hour} * 60 = {total}")
        if final:
            lines.append(f"{total} + {final} = {total + final}")
        if minute:
            lines.append(f"{total + final} - {minute} = {total + final - minute}")
        return lines
    lines = [f"To the next hour: 60 - {minute} = {60 - minute}"]
    total, whole = 60 - minute, last - hour - 1
    if whole:
        lines.append(f"Hours: {last} - {hour + 1} = {whole}")
        lines.append(f"Minutes: {whole} * 60 = {whole * 60}")
        lines.append(f"{whole * 60} + {total} = {whole * 60 + total}")
        total += whole * 60
    if final:
        lines.append(f"{total} + {final} = {total + final}")
    return lines


@skill("clock", weight=1.2)
def make_clock(rng: Random, level: int, split: Split) -> Draft:
    """Within the hour; over the hour; hours and minutes, and backwards."""
    (name,) = people(rng, split, 1)
    minutes = rng.randint(1, (45, 59, 200)[level])
    if rng.random() < 0.6:
        minutes = max(5, minutes // 5 * 5)
    start = rng.randint(1, 19) * 60 + rng.choice((rng.randrange(60), rng.randrange(0, 60, 5)))
    if level == 0:
        start = start // 60 * 60 + rng.randint(0, 59 - minutes % 60) if minutes < 59 else start
    end = start + minutes
    kind = rng.choice(("later", "later", "between", "earlier" if level else "later"))
    if kind == "between":
        text = _BETWEEN.pick(rng, split).format(s=show(start), t=show(end), n=name)
        lines, answer = _between(rng, start, end), str(minutes)
    else:
        forward = kind == "later"
        first = start if forward else end
        length = _duration(rng, minutes)
        family = _LATER if forward else _EARLIER
        text = family.pick(rng, split).format(t=show(first), d=length, n=name)
        lines = _shift(rng, first, minutes, forward, length)
        answer = show(end if forward else start)
    return Draft(text, tuple(lines), answer, f"{kind}{start}+{minutes}")
