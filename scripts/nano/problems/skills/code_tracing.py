"""What a small Python program prints: assignments, if and else, for and while."""

from __future__ import annotations

from random import Random

from ..base import Draft, Family, Split, skill
from ..tracing import Assign, For, If, Machine, Statement, While, names, program, trace, update

_ASK = Family(
    train=("What does this program print?\n{c}", "What is printed?\n{c}",
           "{c}\nWhat does it print?",
           "{c}\n\nWhat is the output?", "Trace this code:\n{c}", "output of this code?\n{c}",
           "What is the result of this Python code?\n{c}", "```python\n{c}\n```\nWhat is printed?",
           "Run this in your head and tell me the output.\n{c}", "```\n{c}\n```\nOutput?"),
    valid=("Which number does this print?\n{c}",),
    held=("Tell me what this program prints.\n{c}", "{c}\n\nWhich number is printed?",
          "Follow the code. What comes out?\n{c}"),
)  # fmt: skip
_VALUE = Family(
    train=("What is {v} after this code?\n{c}", "{c}\nWhat is the value of {v}?",
           "{c}\n\nWhat is {v} at the end?", "Find the final value of {v}.\n{c}"),
    valid=("Which value has {v} in the end?\n{c}",),
    held=("Tell me the value of {v} when this is done.\n{c}", "{c}\n\n{v} = ?"),
)  # fmt: skip


def _number(rng: Random, top: int) -> str:
    return str(rng.randint(1, top))


def _straight(rng: Random, level: int, first: bool) -> tuple[tuple[Statement, ...], str]:
    """Assignments only: two or three steps."""
    a, b = names(rng, 2, first)
    top = (12, 30, 50)[level]
    body: list[Statement] = [Assign(a, _number(rng, top)), Assign(b, _number(rng, top))]
    for _ in range(rng.randint(1, 2 + level)):
        target, source = rng.choice(((a, b), (b, a), (a, ""), (b, "")))
        if source:
            body.append(update(rng, target, source, "++-*"))
        else:
            body.append(update(rng, target, str(rng.randint(2, 9)), "++-*"))
    if rng.random() < 0.3:
        c = next(name for name in names(rng, 3, first) if name not in (a, b))
        body.append(Assign(c, a, rng.choice("+-*"), b))
        return tuple(body), c
    return tuple(body), rng.choice((a, b))


def _branch(rng: Random, level: int, first: bool) -> tuple[tuple[Statement, ...], str]:
    """An if with else, at times a second one."""
    a, b = names(rng, 2, first)
    top = (15, 30, 60)[level]
    body: list[Statement] = [Assign(a, _number(rng, top)), Assign(b, _number(rng, top))]
    for _ in range(1 + (level == 2)):
        right = rng.choice((b, _number(rng, top)))
        op = rng.choice("><")
        if level and rng.random() < 0.3:
            right, op = rng.choice("23"), "%"
        then: tuple[Statement, ...] = (update(rng, a, rng.choice((b, _number(rng, 9)))),)
        other: tuple[Statement, ...] = (update(rng, a, _number(rng, 9)),)
        body.append(If(a, op, right, then, other if rng.random() < 0.7 else ()))
    if level and rng.random() < 0.5:
        body.append(update(rng, a, b, "+-"))
    return tuple(body), a


def _loop(rng: Random, level: int, first: bool) -> tuple[tuple[Statement, ...], str]:
    """A for over a range or a list; with an if inside at the hard level."""
    total, index = names(rng, 2, first)
    if rng.random() < 0.6:
        index = "i" if first else "j"
    rounds = rng.randint(2, (3, 4, 5)[level])
    if level and rng.random() < 0.4:
        items = tuple(rng.randint(1, 20) for _ in range(rounds))
        head = str(list(items))
    else:
        low = rng.choice((0, 0, 1, rng.randint(1, 5)))
        items = tuple(range(low, low + rounds))
        head = f"range({low}, {low + rounds})" if low else f"range({rounds})"
    step: Statement = update(rng, total, rng.choice((index, _number(rng, 9))), "++-")
    if rng.random() < 0.2:
        step = update(rng, total, rng.choice("23"), "*")
    body: tuple[Statement, ...] = (step,)
    if level == 2 and rng.random() < 0.6:
        test = If(index, rng.choice("><"), _number(rng, 5), (step,))
        if rng.random() < 0.4:
            test = If(index, "%", "2", (step,), (update(rng, total, "1", "+-"),))
        body = (test,)
    elif level == 2 and rng.random() < 0.5:
        body = (step, update(rng, total, _number(rng, 5), "+-"))
    start = "0" if rng.random() < 0.5 else _number(rng, 20)
    return (Assign(total, start), For(index, items, head, body)), total


def _repeat(rng: Random, level: int, first: bool) -> tuple[tuple[Statement, ...], str]:
    """A while that ends after a few rounds, counting them at times."""
    a, count = names(rng, 2, first)
    up = rng.random() < 0.7
    start, end = rng.randint(1, 12), rng.randint(20, 60)
    step = update(rng, a, str(rng.randint(2, 3)), "*") if up and rng.random() < 0.5 else (
        update(rng, a, str(rng.randint(6, 15)), "+" if up else "-"))  # fmt: skip
    body: list[Statement] = [step]
    head: list[Statement] = [Assign(a, str(start if up else end))]
    counting = rng.random() < 0.5
    if counting:
        head.append(Assign(count, "0"))
        body.append(Assign(count, count, "+", "1", rng.random() < 0.6))
    limit = str(end if up else start)
    loop = While(a, "<" if up else ">", limit, tuple(body))
    return (*head, loop), count if counting and rng.random() < 0.6 else a


def draw(rng: Random, level: int, first: bool) -> tuple[tuple[Statement, ...], str, Machine]:
    """A program whose numbers stay small, the variable that is asked for, and its run."""
    kinds = ((_straight, _straight, _branch, _loop), (_branch, _loop, _loop, _straight),
             (_loop, _loop, _repeat, _branch))[level]  # fmt: skip
    while True:
        body, asked = rng.choice(kinds)(rng, level, first)
        try:
            machine = trace(body)
        except OverflowError:
            continue
        if machine.lines and max(map(abs, machine.values.values())) < 1000:
            return body, asked, machine


@skill("code", weight=1.2)
def make_code(rng: Random, level: int, split: Split) -> Draft:
    """Straight lines; one loop or branch; loops with branches and while."""
    first = split is not Split.HELD_OUT or rng.random() < 0.5
    body, asked, machine = draw(rng, level, first)
    text = program(body)
    key = text
    if rng.random() < 0.75:
        prompt = _ASK.say(rng, split, c=f"{text}\nprint({asked})")
    else:
        prompt = _VALUE.say(rng, split, c=text, v=asked)
    lines = list(machine.lines)
    answer = str(machine.values[asked])
    # A last line that names the answer, unless it stands there already.
    if not lines[-1].startswith(f"{asked}: "):
        lines.append(f"{asked} = {answer}")
    return Draft(prompt, tuple(lines), answer, key, dress=False)
