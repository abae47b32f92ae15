"""Answers that are the same mathematically; what is read, what is refused, what takes too long."""

from __future__ import annotations

import time

import pytest

from edgemind.verify import equivalence
from edgemind.verify.algebra_child import NotAlgebra, _read, _same
from edgemind.verify.children import Reply
from edgemind.verify.equivalence import has_algebra, same_answer
from edgemind.verify.notation import plain

pytest.importorskip("sympy")
PLENTY = 60.0

SAME = [
    ("(x+1)^2", "x^2+2x+1"),
    ("\\frac{\\sqrt{3}}{3}", "\\frac{1}{\\sqrt{3}}"),
    ("2\\pi", "\\pi+\\pi"),
    ("2\\sqrt{3}", "\\sqrt{12}"),
    ("0.5x", "x/2"),
    ("3i+4", "4+3i"),
    ("\\ln(4)", "2\\ln 2"),
    ("e^{i\\pi}x", "-x"),
    ("\\sin^2 x + \\cos^2 x", "1"),
    ("x(x+1)", "x^2+x"),
    ("a(b+c)", "ab+ac"),
    ("\\sqrt[3]{8}x", "2x"),
    ("\\arcsin(1)", "\\frac{\\pi}{2}"),
    ("(1, \\sqrt{4})", "(1,2)"),
    ("[0, \\sqrt{9}]", "[0,3]"),
    ("1 \\pm \\sqrt{5}", "1-\\sqrt5, 1+\\sqrt5"),
    ("\\{\\sqrt{4}, x\\}", "\\{x, 2\\}"),
    ("2x+2y=4", "x+y=2"),
    ("y=2x+2", "y=2(x+1)"),
    ("2x+3=y", "y=2x+3"),
    ("\\infty", "\\infty"),
]
DIFFERENT = [
    ("2x", "3x"),
    ("x", "y"),
    ("(x+1)^2", "x^2+1"),
    ("\\sqrt{2}", "1.414"),
    ("[0, \\sqrt{9}]", "(0,3]"),
    ("(\\sqrt{4}, 1)", "(1,2)"),
    ("\\{\\sqrt{4}, x\\}", "\\{x, 3\\}"),
    ("\\{x, x+1\\}", "\\{x, x\\}"),
    ("x+y=2", "x+y=3"),
    ("x+y=2", "x+y"),
    ("1 \\pm \\sqrt{5}", "1-\\sqrt5"),
    ("\\frac{x}{0}", "x"),
]


@pytest.mark.parametrize(("a", "b"), SAME)
def test_same(a: str, b: str) -> None:
    assert _same(_read(plain(a)), _read(plain(b)))


@pytest.mark.parametrize(("a", "b"), DIFFERENT)
def test_different(a: str, b: str) -> None:
    assert not _same(_read(plain(a)), _read(plain(b)))


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os')",
        "x.__class__",
        "().__class__",
        "lambda: 1",
        "lambdax",
        "open",
        "exec",
        "S('x')",
        "'x'",
        '"x"',
        "x[0]",
        "x;y",
        "x\ny;",
        "a if b else c",
        "x:=3",
        "@x",
        "`x`",
        "x == y",
        "1_000",
        "1e9999",
        "9" * 40,
        "(" * 40 + "x" + ")" * 40,
        "x" * 2000,
        "x+",
        "sin",
        "()",
        "",
        ",",
        "1," * 30,
        "Integer",
        "None",
        "x)(y",
        "\u0661",
    ],
)
def test_what_is_not_read(text: str) -> None:
    """Nothing but known names gets to the parser, which evaluates what it is given."""
    with pytest.raises((NotAlgebra, TypeError)):
        _read(text)


def test_by_a_child() -> None:
    assert same_answer("(x+1)^2", "$x^2+2x+1$", PLENTY)
    assert not same_answer("(x+1)^2", "x^2+2x+2", PLENTY)


def test_what_needs_no_child(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(equivalence, "call", lambda *_: pytest.fail("no child is needed"))
    assert same_answer("\\frac12", "0.5")
    assert not same_answer("1", "2")
    assert not same_answer("Paris", "x^2")
    assert not same_answer("x^2", "the square of x")
    assert not same_answer("yes", "no")
    assert not same_answer("(B)", "x^2")
    assert not same_answer("", "x^2")
    assert not same_answer("x^2", "x*x", seconds=0.5)
    assert not same_answer("x" * 5_000_000, "x^2")
    with monkeypatch.context() as patch:
        patch.setattr(equivalence, "find_spec", lambda name: None)
        assert not has_algebra()
        assert not same_answer("x^2", "x*x")


def test_both_orders_ask_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def call(name: str, request: object, seconds: float) -> Reply:
        asked.append(request)
        return Reply((True,), 0)

    monkeypatch.setattr(equivalence, "call", call)
    assert same_answer("x^2", "x*x") and same_answer("x*x", "x^2")
    assert asked[0] == asked[1]


def test_what_takes_too_long_is_not_the_same() -> None:
    started = time.monotonic()
    assert not same_answer("9^9^9^9^9x", "x+1", seconds=1.0)
    assert time.monotonic() - started < PLENTY
