"""Expressions of two or three operators with precedence and brackets."""

from __future__ import annotations

from random import Random

from .. import steps
from ..base import Draft, Family, Split, skill
from .arithmetic import glyph

_ASK = Family(
    train=(
        "What is {e}?", "{e}", "{e}?", "{e} =", "Calculate {e}.", "Compute {e}.", "Evaluate {e}.",
        "How much is {e}?", "Work out {e}.", "Find the value of {e}.", "What does {e} equal?",
        "Solve {e}", "{e} = ?", "Simplify {e}.", "Can you compute {e}?", "Result of {e}?",
    ),
    valid=("What do you get for {e}?", "Tell me {e}."),
    held=("What is the value of {e}?", "What is the result of {e}?", "Please work out {e}."),
)  # fmt: skip

Node = int | tuple["Node", str, "Node"]


def value(node: Node) -> int | None:
    """The node's value, or None where a step is negative or does not divide."""
    if isinstance(node, int):
        return node
    left, op, right = value(node[0]), node[1], value(node[2])
    if left is None or right is None:
        return None
    if op == "/":
        return left // right if right and left % right == 0 else None
    result = {"+": left + right, "-": left - right, "*": left * right}[op]
    return result if result >= 0 else None


def show(node: Node, signs: dict[str, str], gap: str, parent: str = "", right: bool = False) -> str:
    """Text with the fewest brackets."""
    if isinstance(node, int):
        return str(node)
    op = node[1]
    text = (
        f"{show(node[0], signs, gap, op)}{gap}{signs[op]}{gap}{show(node[2], signs, gap, op, True)}"
    )
    weak = op in "+-"
    need = parent in ("*", "/") if weak or right else False
    if right and parent == "-":
        need = weak
    return f"({text})" if need else text


def work(rng: Random, node: Node) -> list[str]:
    """Lines for a node, its two sides in either order."""
    if isinstance(node, int):
        return []
    sides = [work(rng, node[0]), work(rng, node[2])]
    if rng.random() < 0.3:
        sides.reverse()
    left, right = value(node[0]), value(node[2])
    assert left is not None and right is not None
    return [*sides[0], *sides[1], *steps.compute(rng, left, node[1], right)]


def _draw(rng: Random, level: int) -> Node:
    big = (20, 60, 150)[level]
    small = (9, 12, 20)[level]

    def pair(op: str) -> Node:
        if op == "*":
            return (rng.randint(2, small), "*", rng.randint(2, 9))
        if op == "/":
            b = rng.randint(2, 9)
            return (b * rng.randint(2, small), "/", b)
        return (rng.randint(2, big), op, rng.randint(2, big))

    ops = [rng.choice("+-*/") if level else rng.choice("++--*") for _ in range(3)]
    first = pair(ops[0])
    number = rng.randint(2, big if ops[1] in "+-" else 9)
    tree: Node = (first, ops[1], number) if rng.random() < 0.6 else (number, ops[1], first)
    if level == 2:
        third: Node = pair(ops[2]) if rng.random() < 0.4 else rng.randint(2, 60)
        op = rng.choice("+-")
        tree = (tree, op, third) if rng.random() < 0.7 else (third, op, tree)
    elif level == 0 and ops[1] in "+-" and rng.random() < 0.3:
        tree = (rng.randint(2, 20), rng.choice("+-"), rng.randint(2, 20))
        tree = (tree, rng.choice("+-"), rng.randint(2, 20))
    return tree


@skill("expression", weight=1.0)
def make_expression(rng: Random, level: int, split: Split) -> Draft:
    """Two operators; two with larger numbers and division; three."""
    tree = _draw(rng, level)
    while (result := value(tree)) is None or result > 2000:
        tree = _draw(rng, level)
    signs = {op: glyph(rng, op) for op in "+-*/"}
    text = show(tree, signs, " " if rng.random() < 0.75 else "")
    prompt = _ASK.pick(rng, split).format(e=text)
    key = show(tree, dict(zip("+-*/", "+-*/", strict=True)), "")
    return Draft(prompt, tuple(work(rng, tree)), str(result), key)
