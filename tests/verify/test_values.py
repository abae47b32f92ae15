"""Which answers are the same: canonical keys and equivalence."""

from __future__ import annotations

import datetime
import time
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from edgemind.verify import scalars
from edgemind.verify.values import MAX_CHARS, Shape, canonical, equivalent, shape

CPU_SECONDS = 5
NOON = 12
SAME_KEY = {
    # Numbers.
    "5": ["5", "5.", "5.0", "5.00", "+5", " 5 ", "**5**", "`5`", "$5$", "\\(5\\)", "\\[5\\]", "05",
          "$5.00", "\\$5", "5 dollars", "USD 5", "5 €", "£5", "5%", "5\\%", "5 percent", "5 km",
          "5\\text{ km}", "5 \\ \\text{miles}", "5 miles per hour", "5 \\ minutes/week", "five",
          "x = 5", "\\boxed{5}", "Answer: 5", "The answer is 5.", "about 5", "5 \\]",
          "\\frac{10}{2}",
          "5^\\circ", "5°", "5 degrees", "(5)", "\\{5\\}", "５", "5 cm^2", "5\\mbox{ cm}^2", "5e0"],
    "-3": ["-3", "−3", "- 3", "-3.0", "-$3", "-\\$3.00", "$-3", "-\\frac{6}{2}"],
    "0": ["0", "-0", "0.0", "zero", "\\frac{0}{7}"],
    "1234.5": ["1,234.5", "1234.50", "$1,234.50", "1.2345e3", "1.2345 \\times 10^{3}", "1\\,234.5"],
    "0.5": ["1/2", ".5", "0.50", "\\frac{1}{2}", "\\dfrac12", "\\frac 12", "½", "2/4", "5e-1"],
    "2.5": ["2 1/2", "2\\frac{1}{2}", "2 \\dfrac{1}{2}", "2½", "2 and 1/2", "5/2", "2 1/2 cups"],
    "-1/3": ["-1/3", "-\\frac{1}{3}", "\\frac{-1}{3}", "-\\tfrac13", "−2/6"],
    "270/7": ["270/7", "\\frac{270}7\\text{ degrees}"],
    "5000000": ["5 million", "$5 million", "5,000,000", "five million"],
    "11111111100": ["11,\\! 111,\\! 111,\\! 100", "11111111100"],
    "72": ["seventy-two", "Seventy two", "72"],
    # Dates and times.
    "05/01/2021": ["5/1/2021", "05/01/2021", "5-1-2021", "5/01/2021."],
    "2021-05-13": ["5/13/2021", "13/5/2021", "2021-05-13", "2021-5-13", "May 13, 2021",
                   "13 May 2021", "May 13th, 2021", "13th of May, 2021", "13.5.2021",
                   "Thursday, May 13, 2021"],
    "14:05": ["2:05 pm", "14:05", "2:05 PM", "2:05 p.m.", "02:05pm", "2:05 \\text{ pm}"],
    "00:00": ["12 am", "midnight", "0:00", "12:00 a.m."],
    "12:00": ["12 pm", "noon", "12:00"],
    # Options and yes/no.
    "B": ["B", "(b)", "b)", "B.", "[B]", "(B)", "Option B", "\\text{(B)}", "**(B)**", "(B) 42",
          "b"],
    "yes": ["Yes", "yes.", "YES!", "True", "Yes, it is.", "\\text{Yes}", "**Yes**"],
    "no": ["No", "no", "False.", "No, because 3 < 4"],
    # Lists.
    "(1, 2)": ["(1,2)", "( 1, 2 )", "\\left(1, 2\\right)", "(1.0, 4/2)", "(1 2)"],
    "(0.6, 8/3]": ["\\left(\\frac{3}{5},\\frac{8}{3}\\right]", "(3/5, 8/3]"],
    "[-2, 7]": ["[-2,7]", "x \\in [-2,7]", "[-2 7]"],
    "-2, 1": ["1,-2", "-2, 1", "1 and -2", "\\{1, -2\\}", "{-2, 1, 1}", "$1, -2$"],
    "2, 500": ["2, 500", "500, 2"],
    "2500": ["2,500"],
    "(2, 500)": ["(2,500)"],
    "(-infty, 2) cup (3, infty)": ["(-\\infty, 2) \\cup (3, \\infty)", "(-∞,2)∪(3,∞)"],
    "-2, 1+-sqrt(5)": ["\\{1\\pm\\sqrt{5},-2\\}"],
    "[-1/3, 2/3, 5/3]": ["\\begin{pmatrix} -1/3 \\\\ 2/3 \\\\ 5/3 \\end{pmatrix}",
                         "\\begin{pmatrix} -\\dfrac{1}{3} \\\\ \\dfrac{2}{3} \\\\ \\dfrac{5}{3} "
                         "\\end{pmatrix}"],
    "[[-1, 0], [0, -1]]": ["\\begin{bmatrix} -1 & 0 \\\\ 0 & -1 \\end{bmatrix}"],
    # Formulas.
    "70sqrt(2)": ["70 \\sqrt{2}", "70\\sqrt2", "70√2", "70 \\cdot \\sqrt{2}", "70*sqrt(2)"],
    "-pi/6": ["-\\frac{\\pi}{6}", "-\\dfrac{\\pi}{6}", "-π/6", "-\\pi/6"],
    "sqrt(3)/3": ["\\frac{\\sqrt{3}}{3}", "\\sqrt{3}/3"],
    "(11+9a)/20": ["\\frac{11+9a}{20}", "\\dfrac{11 + 9a}{20}", "(11 + 9a)/20"],
    "(1/2)x": ["\\frac{1}{2}x", "(1/2)x"],
    "x^2+3x-6": ["x^2 + 3x - 6", "x^{2}+3x-6", "x² + 3x − 6"],
    "2x+3": ["y = 2x + 3", "2x+3"],
    "4210_5": ["4210_{5}", "4210_5"],
    "cot x": ["\\cot x", "cot x"],
    "3R^2": ["3R^2"],
    "3r^2": ["3r^{2}"],
    "emptyset": ["\\emptyset", "∅", "\\varnothing"],
    # Text.
    "eiffel tower": ["The Eiffel Tower.", "eiffel tower", "**Eiffel Tower**", '"the Eiffel tower"'],
    "evelyn": ["\\text{Evelyn}", "Evelyn", "evelyn"],
    "6 hours and 40 minutes": ["6 hours and 40 minutes", "6 hours and 40 \\text{ minutes}"],
    "no solution": ["No solution", "no solution."],
    "seven samurai": ["Seven Samurai"],
    "": ["", " ", "**", "$$", "...", "\\)", "\u200b"],
}  # fmt: skip
PAIRS = [(answer, key) for key, answers in SAME_KEY.items() for answer in answers]


@pytest.mark.parametrize(("answer", "key"), PAIRS)
def test_canonical(answer: str, key: str) -> None:
    assert canonical(answer) == key


@pytest.mark.parametrize("key", SAME_KEY)
def test_keys_are_their_own_keys(key: str) -> None:
    assert canonical(key) == key


DIFFERENT = [
    ("3", "-3"), ("1.5", "15"), ("2 0", "20"), ("3R^2", "3r^2"), ("(2,4)", "24"),
    ("(2, 4)", "[2, 4]"),
    ("(1, 2)", "(2, 1)"), ("2:05", "2:05 pm"), ("5/1/2021", "2021-05-01"), ("2k", "2"), ("5x", "5"),
    ("52_8", "52"), ("2 \\pi", "2"), ("5 and a half", "5"), ("6 red 5 blue", "6"),
    ("13.1.00", "13.1"),
    ("8..55", "8.55"), ("10^2", "102"), ("10²", "102"), ("5-10", "5"), ("No solution", "no"),
    ("1/3", "0.33"), ("50%", "0.5"), ("vitamin A", "vitamin"), ("2 5/3", "2"),
]  # fmt: skip


@pytest.mark.parametrize(("a", "b"), DIFFERENT)
def test_different_answers_vote_apart(a: str, b: str) -> None:
    assert canonical(a) != canonical(b)


SHAPES: list[tuple[str, Shape]] = [
    ("yes", "yes_no"), ("(B)", "choice"), ("5/1/2021", "date"), ("2 pm", "time"), ("$5", "number"),
    ("(1, 2)", "list"), ("2\\sqrt{3}", "formula"), ("Paris, France", "text"), ("", "text"),
    ("31/31/2021", "formula"), ("25:00", "formula"),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "expected"), SHAPES)
def test_shape(answer: str, expected: Shape) -> None:
    assert shape(answer) == expected


EQUIVALENT = [
    ("\\frac{1}{2}", "0.5"), ("50%", "0.5"), ("50%", "50"), ("16.67", "50/3"),
    ("0.333", "\\frac13"),
    ("(16.67, 2)", "(50/3, 2)"), ("c", "\\text{(C)}"), ("15", "15\\mbox{ cm}^2"),
    ("$32,348", "32348"),
    ("x=5", "5"), ("-0.667", "-2/3"),
]  # fmt: skip
NOT_EQUIVALENT = [
    ("0.33", "1/3"), ("0.3333", "0.333"), ("3.14", "\\pi"), ("17", "50/3"), ("16.66", "50/3"),
    ("", ""), ("5", ""), ("0.13", "1/8"), ("0.5", "50"), ("(1, 2)", "[1, 2]"), ("100%", "0.01"),
    ("yes", "no"), ("3R^2", "3r^2"),
]  # fmt: skip


@pytest.mark.parametrize(("a", "b"), EQUIVALENT)
def test_equivalent(a: str, b: str) -> None:
    assert equivalent(a, b)
    assert equivalent(b, a)


@pytest.mark.parametrize(("a", "b"), NOT_EQUIVALENT)
def test_not_equivalent(a: str, b: str) -> None:
    assert not equivalent(a, b)
    assert not equivalent(b, a)


def test_tolerance_is_relative() -> None:
    assert equivalent("100", "101", tolerance=0.01)
    assert not equivalent("100", "102", tolerance=0.01)
    assert not equivalent("0", "0.001", tolerance=0.01)
    for tolerance in (-0.1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="tolerance"):
            equivalent("1", "1", tolerance)


def votes(answers: list[str]) -> str:
    """The key with the most votes."""
    keys = [key for answer in answers if (key := canonical(answer))]
    return max(keys, key=keys.count)


def test_votes_that_raw_strings_would_split() -> None:
    """Recorded answers of small models, eight samples each."""
    dates = ["05/01/2021", "5/1/2021", "5/1/2021", "05/01/2021", "05/02/2021", "05/02/2021",
             "05/02/2021", "5/2/21"]  # fmt: skip
    assert votes(dates) == "05/01/2021"
    interval = ["\\dfrac{1}{4}", "\\frac14", "\\frac{1}{4}", "0.25", "4", "4", "\\)", "1/4"]
    assert votes(interval) == "0.25"
    red = ["10", "10", "10", "10", "11", "14", "6 \\text{ red } 5 \\text{ blue}",
           "8 \\text{ red shoe boxes and } 4 \\text{ blue shoe boxes}"]  # fmt: skip
    assert votes(red) == "10"


MARKED = st.lists(
    st.sampled_from(
        [*"0123456789", *" .,:/-+%$()[]{}^_=*", "\\frac", "\\sqrt", "\\text{", "\\left(", "\\pi",
         "\\begin{pmatrix}", "\\end{pmatrix}", "&", "\\\\", " and ", " pm", "yes", "May ",
         "the ", "a",
         "B", "km", "e9", "infty", "cup", "½", "²", "million", "x = ", "\\!", "\\circ", "#", "'"]
    ),
    max_size=14,
).map("".join)  # fmt: skip


@given(st.one_of(st.text(max_size=60), MARKED))
@example("1e60," * 300)
@example("\ufdfa" * 3000)
@example("ΐß" * 2000)
@example("(1e60, " * 40)
def test_total_idempotent_and_bounded(answer: str) -> None:
    key = canonical(answer)
    assert canonical(key) == key
    assert len(key) <= MAX_CHARS
    assert canonical(answer) == key


@given(st.one_of(st.text(max_size=30), MARKED), st.one_of(st.text(max_size=30), MARKED))
def test_equivalent_is_symmetric_and_contains_equal_keys(a: str, b: str) -> None:
    assert equivalent(a, b) == equivalent(b, a)
    assert equivalent(a, a) == (canonical(a) != "")


@given(st.integers(-(10**20), 10**20))
def test_integers_in_every_form(value: int) -> None:
    forms = [f"{value}", f"{value:,}", f"{value}.00", f"\\boxed{{{value}}}", f"{value} apples",
             f"{value}%", f"**{value}**", f"\\frac{{{2 * value}}}{{2}}"]  # fmt: skip
    assert {canonical(form) for form in forms} == {str(value)}


@given(st.fractions(max_denominator=10**6))
def test_fractions_round_trip(value: Fraction) -> None:
    key = canonical(f"{value.numerator}/{value.denominator}")
    assert Fraction(key) == value
    assert canonical(f"\\frac{{{value.numerator}}}{{{value.denominator}}}") == key
    assert scalars.format_number(value) == key


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-1e9, max_value=1e9))
def test_decimals_round_trip(value: Decimal) -> None:
    assert Fraction(canonical(f"{value:f}")) == Fraction(value)


MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September",
          "October", "November", "December"]  # fmt: skip


@given(st.dates(min_value=datetime.date(1000, 1, 1)))
def test_dates_in_words_and_iso(value: datetime.date) -> None:
    iso = value.isoformat()
    assert canonical(iso) == iso
    assert canonical(f"{MONTHS[value.month - 1]} {value.day}, {value.year}") == iso
    assert canonical(f"{value.day} {MONTHS[value.month - 1][:3]} {value.year}") == iso


@given(st.times())
def test_times_of_both_clocks(value: datetime.time) -> None:
    half = "am" if value.hour < NOON else "pm"
    written = f"{(value.hour - 1) % 12 + 1}:{value.minute:02} {half}"
    assert canonical(written) == f"{value.hour:02}:{value.minute:02}"


HOSTILE = [
    "9" * 100_000, "1e999999999", "1e-999999999", "10^999999999", "1/0", "0/0", "{" * 50_000,
    "(" * 50_000, "(1," * 20_000, "\\frac" * 20_000, "\\sqrt[" * 20_000, "\\sqrt" * 20_000,
    "½" * 9_000,
    "\\frac{" * 300 + "1" + "}{2}" * 300, "\\begin{pmatrix}" * 3_000, "&\\\\" * 9_000, "-" * 9_999,
    "\ud800" * 3_000, "\x00" * 1_000, "the " * 9_000, "x=" * 3_000, "1 million million",
    " " * 200_000,
]  # fmt: skip


@pytest.mark.parametrize("answer", HOSTILE, ids=lambda answer: ascii(answer[:8]))
def test_hostile_answers_take_no_time(answer: str) -> None:
    start = time.process_time()
    key = canonical(answer)
    assert canonical(key) == key
    equivalent(answer, answer + "1")
    assert time.process_time() - start < CPU_SECONDS
