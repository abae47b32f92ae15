"""Arithmetic written out in a text: what is false is found, nothing else is."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgemind.verify.arithmetic import check_arithmetic, evaluate

HOLDS = """12 - 5 = 7
Apples left: 12 - 5 = 7.
2 + 3 + 4 = 9
2 + 3 * 4 = 14
(2 + 3) * 4 = 20
10 / 3 = 3.33
2 / 3 = 0.667
1,200 * 3 = 3,600
$5 * 3 = $15
50% * 80 = 40
20 / 4 = 5 apples
16 - 3 - 4 = 9
2 x 3 = 6
7 × 8 = 56 and 56 ÷ 7 = 8
5 − 8 = −3
0.1 + 0.2 = 0.3
1 / 4 = 25%
1 / 3 = 33%"""

SAYS_NOTHING = """x + 3 = 5
3x + 4 = 10
2^3 = 9
7 = 8
a=3
f(2) = 4
14:35 + 50 = 15:25
5 km = 5000 m
1/0 = 3
5 + 3 = 8 - 2 = 6
()() = 3
3 + = 4
== 5 ="""


@pytest.mark.parametrize("line", HOLDS.splitlines() + SAYS_NOTHING.splitlines())
def test_no_objection(line: str) -> None:
    assert check_arithmetic(line) == ()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("12 - 5 = 8", "12 - 5 = 7, not 8"),
        ("Left: 12-5 = 6.", "12-5 = 7, not 6"),
        ("17 * 23 = 381", "17 * 23 = 391, not 381"),
        ("(2 + 3) * 4 = 21", "(2 + 3) * 4 = 20, not 21"),
        ("10 / 3 = 3.34", "10 / 3 = 10/3, not 3.34"),
        ("10 / 4 = 2", "10 / 4 = 2.5, not 2"),
        ("10 / 3 = 3", "10 / 3 = 10/3, not 3"),
        ("5 - 8 = 3", "5 - 8 = -3, not 3"),
        ("6 x 3 = 19 eggs", "6 x 3 = 18, not 19"),
        ("so 2 + 2 = 5, and 2 + 3 = 5", "2 + 2 = 4, not 5"),
        ("1 / 4 = 20%", "1 / 4 = 0.25, not 20"),
    ],
)
def test_objections(line: str, message: str) -> None:
    [objection] = check_arithmetic(f"Let us see.\n{line}\n#### 7")
    assert (objection.line, objection.message) == (2, message)


def test_lines_are_counted_in_long_texts_too() -> None:
    text = "word " * 20_000 + "\n" + "2 + 2 = 4\n" * 3 + "2 + 2 = 5\n"
    [objection] = check_arithmetic(text)
    assert objection.line == 5


NUMBERS = st.integers(0, 9999)


@given(NUMBERS, st.sampled_from("+-*"), NUMBERS, st.integers(-3, 3))
def test_sums_and_products(left: int, sign: str, right: int, error: int) -> None:
    exact = {"+": left + right, "-": left - right, "*": left * right}[sign]
    found = check_arithmetic(f"Total: {left} {sign} {right} = {exact + error}")
    assert bool(found) == bool(error)


@given(NUMBERS, st.integers(1, 999), st.integers(1, 4))
def test_rounded_quotients_hold(left: int, right: int, decimals: int) -> None:
    assert check_arithmetic(f"{left} / {right} = {left / right:.{decimals}f}") == ()


@given(st.text(alphabet="0123456789+-*/()=.,%x $\n", max_size=300))
def test_any_text_is_read(text: str) -> None:
    for objection in check_arithmetic(text):
        assert 1 <= objection.line <= text.count("\n") + 1


@pytest.mark.parametrize(
    "hostile",
    [
        "(" * 50_000 + "= 3",
        "1+" * 50_000 + "1 = 3",
        "9" * 50_000 + " + 1 = 3",
        "1 " * 50_000 + "= 1",
        "1 " * 50_000,
        "1 +" * 50_000,
        "-" * 190 + "1 = 3",
        "(" * 90 + "1 = 3",
    ],
)
def test_hostile_texts_end(hostile: str) -> None:
    check_arithmetic(hostile)


def test_values() -> None:
    assert evaluate("1/3 + 1/6") == Fraction(1, 2)
    assert evaluate("-(2 - 5) * 2") == 6
    assert evaluate("12") is None
    assert evaluate("1 +") is None
    assert evaluate("2 ** 3") is None
