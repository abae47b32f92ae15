"""What a person asks of a text's form, and patterns that would match for ever."""

from __future__ import annotations

import dataclasses
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgemind.errors import ConfigError
from edgemind.types import Objection, Verdict
from edgemind.verify.base import Verifier
from edgemind.verify.constraints import Length, Matches, MustInclude

PLENTY = 60.0
BIG = "word " * 2_000_000


def said(verifier: Verifier, text: str, seconds: float = PLENTY) -> tuple[float, str]:
    """Score and the only objection's message, empty where there is none."""
    verdict = verifier(text, seconds)
    assert len(verdict.objections) <= 1
    return verdict.score, "".join(objection.message for objection in verdict.objections)


def test_patterns() -> None:
    assert Matches(r"\d+")("about 42 apples", PLENTY) == Verdict()
    assert Matches(r"\A\p{Lu}")("Élan", PLENTY) == Verdict()
    score, message = said(Matches(r"\A\d+\Z"), "about 42")
    assert (score, message) == (0, r"does not match the pattern '\\A\\d+\\Z'")
    assert len(said(Matches("x" * 500), "")[1]) < 150


@pytest.mark.parametrize("pattern", ["(", "[a", "a**", r"\p{Nothing}", "(?P<a>x)(?P=b)"])
def test_patterns_that_are_none(pattern: str) -> None:
    with pytest.raises(ConfigError, match=r"the pattern .* is wrong"):
        Matches(pattern)


@pytest.mark.parametrize("pattern", ["(a+)+b", "(a|aa)+", "(a|a)*", "(a*a*)*b"])
def test_patterns_that_backtrack_end(pattern: str) -> None:
    started = time.monotonic()
    score, message = said(Matches(f"^{pattern}$"), "a" * 5000 + "c", seconds=0.1)
    assert score == 0 and "the pattern" in message
    assert time.monotonic() - started < PLENTY / 2


def test_no_time_is_still_a_moment() -> None:
    assert Matches("b$")("ab", 0.0) == Verdict()
    assert Matches("b$")("ab", -1.0) == Verdict()


@pytest.mark.parametrize(
    ("verifier", "text", "score", "message"),
    [
        (Length(2, 3), "one two", 1, ""),
        (Length(2, 3), " one\n two\tthree ", 1, ""),
        (Length(2), "one", 1 / 2, "has 1 word, should have at least 2"),
        (Length(most=2), "a b c d", 1 / 2, "has 4 words, should have at most 2"),
        (Length(most=3, unit="characters"), "äöü", 1, ""),
        (Length(most=2, unit="characters"), "äöü", 2 / 3,
         "has 3 characters, should have at most 2"),
        (Length(2, 2, "lines"), "a\nb\n\n", 1, ""),
        (Length(2, 2, "lines"), "a\n\nb", 2 / 3, "has 3 lines, should have at most 2"),
        (Length(1, unit="lines"), "\n ", 0, "has 0 lines, should have at least 1"),
        (Length(most=0), "a", 0, "has 1 word, should have at most 0"),
        (Length(), "", 1, ""),
        (Length(most=9), BIG, 9 / 2_000_000, "has 2000000 words, should have at most 9"),
    ],
)  # fmt: skip
def test_lengths(verifier: Length, text: str, score: float, message: str) -> None:
    assert said(verifier, text) == (pytest.approx(score), message)


@given(st.text(max_size=60), st.integers(0, 20), st.integers(0, 20))
def test_a_score_below_one_is_an_objection(text: str, least: int, more: int) -> None:
    for unit in ("characters", "words", "lines"):
        verdict = Length(least, least + more, unit)(text, 0.0)  # type: ignore[arg-type]
        assert 0 <= verdict.score <= 1
        assert bool(verdict.objections) == (verdict.score < 1)


@pytest.mark.parametrize("wrong", [(-1, None), (3, 2), (0, -1)])
def test_lengths_that_no_text_has(wrong: tuple[int, int | None]) -> None:
    with pytest.raises(ConfigError, match="no text has"):
        Length(*wrong)
    with pytest.raises(ConfigError, match="not in 'pages'"):
        Length(unit="pages")  # type: ignore[arg-type]


def test_what_must_be_included() -> None:
    verifier = MustInclude(("Paris", "straße", "2 + 2"))
    assert verifier("PARIS, 2 + 2, STRASSE", 0.0) == Verdict()
    assert verifier("paris", 0.0) == Verdict(
        pytest.approx(1 / 3),
        (Objection(0, "does not include 'straße'"), Objection(0, "does not include '2 + 2'")),
    )
    assert MustInclude(("x",))(BIG, 0.0).score == 0


@pytest.mark.parametrize("wrong", ["text", (), ("",), ["a"]])
def test_nothing_to_include(wrong: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError, match="a tuple of texts"):
        MustInclude(wrong)


def test_they_are_values() -> None:
    for verifier in (Matches("a"), Length(1), MustInclude(("a",))):
        assert verifier == dataclasses.replace(verifier)
        assert len({verifier, dataclasses.replace(verifier)}) == 1
        assert "compiled" not in repr(verifier)
