"""What the child called `algebra` does: read two answers into SymPy, and compare them.

Reached from `edgemind.verify.children`, inside the limited process only; the parent's side is
`edgemind.verify.equivalence`. SymPy's parser evaluates what it is given, so it is given nothing
but numbers, operators, brackets, single letters and the names of known functions and constants.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from edgemind.verify.children import Say

MAX_CHARS: Final = 1000
MAX_ITEMS: Final = 16
MAX_DIGITS: Final = 30
MAX_NESTING: Final = 30

_TOKEN: Final = re.compile(r"\d+(?:\.\d+)?|\.\d+|[A-Za-z]+|[-+*/^(),]")
_SCIENTIFIC: Final = re.compile(r"\d[eE][-+]?\d")
_FUNCTIONS: Final = (
    *("sin", "cos", "tan", "cot", "sec", "csc", "asin", "acos", "atan", "sinh", "cosh", "tanh"),
    *("exp", "log", "sqrt"),
)
_RENAMED: Final = {"arcsin": "asin", "arccos": "acos", "arctan": "atan", "ln": "log"}
_GREEK: Final = (
    *("alpha", "beta", "gamma", "delta", "theta", "lambda", "mu", "sigma", "phi", "omega"),
)
_PAIRS: Final = {"(": ")", "[": "]", "{": "}"}


class NotAlgebra(Exception):
    """A text that is no expression, or none that is worth the time."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """Expressions, and the brackets that tell a tuple from an interval from a set."""

    items: tuple[Any, ...]
    brackets: str = ""


def work(request: Any, say: Say, until: float) -> None:
    """Say whether the two texts are the same: true, false, or null where that is not known.

    The parent keeps the time.
    """
    import sympy.core.random

    sympy.core.random.seed(0)  # numbers that SymPy tries out: the same ones every time
    try:
        first, second = (_read(text) for text in request)
        say(_same(first, second))
    except (NotAlgebra, ArithmeticError, TypeError, ValueError, AttributeError, RecursionError):
        say(None)  # SymPy raises any of them for what it cannot do


def _same(a: _Answer, b: _Answer) -> bool:
    if a.brackets != b.brackets or len(a.items) != len(b.items):
        return False
    if a.brackets != "{}":
        return all(_equal(x, y) for x, y in zip(a.items, b.items, strict=True))
    rest = list(b.items)
    for item in a.items:
        match = next((other for other in rest if _equal(item, other)), None)
        if match is None:
            return False
        rest.remove(match)
    return True


def _equal(a: Any, b: Any) -> bool:
    import sympy

    if isinstance(a, tuple) and isinstance(b, tuple):
        # Equations: the same lines, circles and so on up to a factor.
        (left, right), (other_left, other_right) = a, b
        ratio = sympy.simplify((left - right) / (other_left - other_right))
        return bool(ratio.is_number and ratio.is_finite and ratio != 0)
    a, b = _solved(a), _solved(b)
    if isinstance(a, tuple) or isinstance(b, tuple):
        return False
    if a == b:
        return True
    difference = a - b
    known = difference.equals(0)
    return bool(sympy.simplify(difference) == 0 if known is None else known)


def _solved(answer: Any) -> Any:
    """What a lone letter equals, where that is all that an equation says."""
    match answer:
        case (left, right) if left.is_Symbol and left not in right.free_symbols:
            return right
        case (left, right) if right.is_Symbol and right not in left.free_symbols:
            return left
    return answer


def _read(text: str) -> _Answer:
    """An answer in plain notation (`edgemind.verify.notation.plain`)."""
    text = text.strip().strip("$").rstrip(".").strip()
    if len(text) > MAX_CHARS:
        raise NotAlgebra
    opening, closing = text[:1], text[-1:]
    if opening in _PAIRS and closing in ")]}":
        parts = _split(text[1:-1])
        if len(parts) > 1 or opening == "{":
            brackets = "{}" if opening == "{" else opening + closing
            return _Answer(tuple(_expression(part) for part in parts), brackets)
    parts = _split(text)
    if len(parts) == 1 and text.count("+-") == 1:
        parts = [text.replace("+-", "+"), text.replace("+-", "-")]
    items = tuple(_equation(part) for part in parts)
    return _Answer(items, "{}" if len(items) > 1 else "")


def _split(text: str) -> list[str]:
    """At commas outside brackets."""
    parts, depth, start = [], 0, 0
    for index, character in enumerate(text):
        if character in "([{":
            depth += 1
        elif character in ")]}":
            depth -= 1
            if depth < 0:
                raise NotAlgebra
        elif character == "," and not depth:
            parts.append(text[start:index])
            start = index + 1
    parts.append(text[start:])
    if depth or len(parts) > MAX_ITEMS:
        raise NotAlgebra
    return parts


def _equation(text: str) -> Any:
    """An expression, or both sides of an equation."""
    sides = text.split("=")
    if len(sides) == 1:
        return _expression(text)
    if len(sides) != 2:
        raise NotAlgebra
    return _expression(sides[0]), _expression(sides[1])


def _expression(text: str) -> Any:
    import sympy
    from sympy.parsing import sympy_parser as parser

    names: dict[str, Any] = {name: getattr(sympy, name) for name in _FUNCTIONS}
    names |= {name: sympy.Symbol(name) for name in _GREEK}
    names |= {chr(code): sympy.Symbol(chr(code)) for code in _letters()}
    # As `plain` writes it: which root, then of what.
    names["root"] = lambda degree, value: sympy.root(value, degree)
    names |= {"pi": sympy.pi, "e": sympy.E, "i": sympy.I, "infty": sympy.oo}
    safe = " ".join(_tokens(text, names))
    made = {name: getattr(sympy, name) for name in ("Integer", "Float", "Rational", "Symbol")}
    steps = (parser.rationalize, parser.convert_xor, parser.implicit_multiplication_application)
    try:
        value = parser.parse_expr(
            safe,
            names,
            (parser.auto_symbol, parser.auto_number, *steps),
            {**made, "__builtins__": {}},
        )
    except (SyntaxError, parser.TokenError, MemoryError) as error:
        raise NotAlgebra from error
    if not isinstance(value, sympy.Expr):
        raise NotAlgebra
    return value


def _letters() -> Sequence[int]:
    return [*range(ord("a"), ord("z") + 1), *range(ord("A"), ord("Z") + 1)]


def _tokens(text: str, names: dict[str, Any]) -> list[str]:
    """The parts of an expression, every one of them known; `NotAlgebra` for any other text."""
    if _SCIENTIFIC.search(text):
        raise NotAlgebra  # 1e9 is not 1 times e times 9
    tokens: list[str] = []
    place, depth = 0, 0
    while place < len(text):
        if text[place].isspace():
            place += 1
            continue
        match = _TOKEN.match(text, place)
        if match is None:
            raise NotAlgebra
        token, place = match[0], match.end()
        token = _RENAMED.get(token, token)
        depth += (token == "(") - (token == ")")
        if depth > MAX_NESTING or len(token) > MAX_DIGITS:
            raise NotAlgebra
        if token[0].isalpha() and token not in names:
            if len(token) > 3:
                raise NotAlgebra  # a word, not a product of letters
            tokens.extend(token)
        else:
            tokens.append(token)
    if not tokens:
        raise NotAlgebra
    return tokens
