"""Decimal arithmetic: one operation, two places, and expressions with precedence."""

from __future__ import annotations

from random import Random

from .. import decimals
from ..base import Draft, Family, Split, skill
from ..decimals import Decimal
from .arithmetic import glyph

_ASK = Family(
    train=(
        "What is {e}?", "{e}", "{e}?", "{e} =", "Calculate {e}.", "Compute {e}.", "{e} = ?",
        "How much is {e}?", "Work out {e}.", "Find the value of {e}.", "What does {e} equal?",
        "Solve {e}", "Evaluate {e} exactly.", "Can you compute {e}?", "What comes out of {e}?",
        "I typed {e}, what should I get?", "Give {e} as a decimal number.", "whats {e}",
    ),
    valid=("What do you get for {e}?", "Tell me the value of {e}."),
    held=("What is the exact value of {e}?", "Please work out {e}.", "{e} gives what?",
          "Could you calculate {e} for me?"),
)  # fmt: skip
_WORDS = {
    "+": Family(
        train=("What is {a} plus {b}?", "Add {a} and {b}.", "Find the sum of {a} and {b}.",
               "Increase {a} by {b}.", "{a} plus {b}", "Add {b} to {a}."),
        valid=("What is the total of {a} and {b}?",),
        held=("How much are {a} and {b} together?", "Tell me the sum of {a} and {b}."),
    ),
    "-": Family(
        train=("What is {a} minus {b}?", "Subtract {b} from {a}.", "{a} minus {b}",
               "Take {b} away from {a}.", "Decrease {a} by {b}.",
               "What is the difference between {a} and {b}?"),
        valid=("Find the difference between {a} and {b}.",),
        held=("How much is {a} less {b}?", "What remains of {a} without {b}?"),
    ),
    "*": Family(
        train=("What is {a} times {b}?", "Multiply {a} by {b}.", "{a} times {b}",
               "What is the product of {a} and {b}?", "How much is {a} times {b}?"),
        valid=("Find the product of {a} and {b}.",),
        held=("Tell me what {a} times {b} makes.", "Work out {a} times {b}."),
    ),
    "/": Family(
        train=("What is {a} divided by {b}?", "Divide {a} by {b}.", "{a} divided by {b}",
               "How many times does {b} go into {a}?", "How much is {a} divided by {b}?"),
        valid=("Find {a} divided by {b}.",),
        held=("Tell me what {a} divided by {b} makes.", "Work out {a} divided by {b}."),
    ),
}  # fmt: skip

Node = Decimal | tuple["Node", str, "Node"]


def _value(node: Node) -> Decimal | None:
    if isinstance(node, Decimal):
        return node
    left, op, right = _value(node[0]), node[1], _value(node[2])
    if left is None or right is None:
        return None
    result = decimals.value(left, op, right)
    if result is None or result.units < 0 or result.places > 3:
        return None
    return result


def _show(
    node: Node, signs: dict[str, str], gap: str, parent: str = "", right: bool = False
) -> str:
    if isinstance(node, Decimal):
        return str(node)
    op = node[1]
    sides = (_show(node[0], signs, gap, op), _show(node[2], signs, gap, op, True))
    text = f"{gap}{signs[op]}{gap}".join(sides)
    weak = op in "+-"
    need = (weak or right) if parent in ("*", "/") else weak and right and parent == "-"
    return f"({text})" if need else text


def _work(rng: Random, node: Node) -> list[str]:
    if isinstance(node, Decimal):
        return []
    sides = [_work(rng, node[0]), _work(rng, node[2])]
    if rng.random() < 0.3:
        sides.reverse()
    left, right = _value(node[0]), _value(node[2])
    assert left is not None and right is not None
    return [*sides[0], *sides[1], *decimals.compute(rng, left, node[1], right)]


def _number(rng: Random, top: int, places: int) -> Decimal:
    """A number up to `top` with exactly so many places."""
    units = rng.randint(2, top * 10**places)
    if places and units % 10 == 0:
        units += rng.randint(1, 9)
    return Decimal.of(units, places)


def _pair(rng: Random, op: str, level: int) -> Node:
    if op in "+-":
        places = (1, 1) if not level else (rng.randint(0, 2), rng.randint(1, 2))
        top = (9, 60, 90)[level]
        return (_number(rng, top, places[0]), op, _number(rng, top, places[1]))
    first = _number(rng, (9, 20, 20)[level], 1)
    second = Decimal(rng.randint(2, 9))
    if level and rng.random() < 0.4:
        first, second = _number(rng, 9, 1), Decimal.of(rng.randint(2, 12 + 30 * (level - 1)), 1)
    if op == "*":
        return (first, "*", second) if rng.random() < 0.6 else (second, "*", first)
    return (first * second, "/", second)


def _draw(rng: Random, level: int) -> Node:
    tree = _pair(rng, rng.choice("++--*/" if level < 2 else "+-**/"), level)
    if level == 2:
        op = rng.choice("++--*")
        other: Node = _number(rng, 30, 1) if op != "*" else Decimal(rng.randint(2, 9))
        if op != "*" and rng.random() < 0.3:
            other = _pair(rng, "*", 1)
        tree = (tree, op, other) if rng.random() < 0.6 else (other, op, tree)
    return tree


@skill("decimal", weight=1.2)
def make_decimal(rng: Random, level: int, split: Split) -> Draft:
    """One place, one operation; two places; two or three operators with brackets."""
    tree = _draw(rng, level)
    while (result := _value(tree)) is None or result.units > 999999 or _whole(tree):
        tree = _draw(rng, level)
    signs = {op: glyph(rng, op) for op in "+-*/"}
    if isinstance(tree, tuple) and level < 2 and rng.random() < 0.4:
        prompt = _WORDS[tree[1]].say(rng, split, a=tree[0], b=tree[2])
    else:
        text = _show(tree, signs, " " if rng.random() < 0.75 else "")
        prompt = _ASK.say(rng, split, e=text)
    key = _show(tree, dict(zip("+-*/", "+-*/", strict=True)), "")
    return Draft(prompt, tuple(_work(rng, tree)), str(result), key)


def _whole(node: Node) -> bool:
    """No decimal point anywhere: another skill's business."""
    if isinstance(node, Decimal):
        return not node.places
    return _whole(node[0]) and _whole(node[2])
