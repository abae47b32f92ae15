"""Grammars: what is read, what is refused, and how a cut text is finished."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgemind.errors import ConfigError
from edgemind.structure.chars import MAX_CODE, SURROGATES, Chars
from edgemind.structure.grammar import Grammar
from edgemind.structure.primitives import RULES, compact, integers, literal

VALUE = Grammar("".join(f"{name} ::= {rule}\n" for name, rule in RULES.items()) + "root ::= value")

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(1 - 10**15, 10**15 - 1)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("ab\"\\é😀", max_size=3), inner)
    ),
    max_leaves=8,
)  # fmt: skip


@pytest.mark.parametrize(
    ("grammar", "text", "completion"),
    [
        ('root ::= "yes" | "no"', "", "no"),
        ('root ::= "yes" | "no"', "y", "es"),
        ('root ::= "yes" | "no"', "no", ""),
        ('root ::= "yes" | "no"', "x", None),
        ('root ::= "yes" | "no"', "noo", None),
        ("root ::= [0-9]{3} [^a-z]+", "12", "0 "),
        ('root ::= "a"{2,4} "."', "", "aa."),
        ('root ::= "a"{2,4} "."', "aaaa", "."),
        ('root ::= "a"{2,4} "."', "aaaaa", None),
        ('root ::= "ab"*', "aba", "b"),
        ('root ::= ("a" | "b"\n  | "c")? x # comment\n\nx ::= "\\x41\\u00e9\\n"', "c", "Aé\n"),
        ("root ::= [\\]\\[^-]", "", "]"),
        ("root ::= [^ 0a]", "", "!"),
        ('root ::= "(" root ")" | "x"', "((", "x))"),
        ('root ::= x{0,2}\nx ::= "a" | ', "aa", ""),
        ('root ::= ""', "", ""),
        ("root ::= .", "", " "),
    ],
)
def test_completions(grammar: str, text: str, completion: str | None) -> None:
    assert Grammar(grammar).completion(text) == completion


def test_what_does_not_fit_is_left_out() -> None:
    grammar = Grammar('root ::= "[" [0-9]+ "]"')
    assert grammar.whole("[12") == "[12]"
    assert grammar.whole("[12x9") == "[12]"
    assert grammar.whole("") == "[0]"


@given(values, st.integers(0, 200))
def test_every_beginning_of_json_can_be_finished(value: object, cut: int) -> None:
    text = compact(value)
    assert VALUE.completion(text) == "" or isinstance(value, int)
    whole = VALUE.whole(text[:cut])
    json.loads(whole)
    assert whole.startswith(text[:cut])
    assert VALUE.completion(whole) == ""


def test_many_values_that_begin_alike() -> None:
    grammar = Grammar("root ::= " + " | ".join(f'"v{n:04}"' for n in range(3500)))
    assert grammar.whole("v3499") == "v3499"
    assert grammar.whole("v34") == "v3400"


def test_a_text_that_can_be_read_in_too_many_ways_is_left_alone() -> None:
    grammar = Grammar('root ::= x* "!"\nx ::= "a" | "a" y\ny ::= "a" | "a" y z\nz ::= "" | "a"')
    started = time.perf_counter()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("edgemind.structure.grammar.MAX_STATES", 20)
        text = "a" * 200
        assert grammar.whole(text) == text
        assert grammar.completion(text) is None
    assert time.perf_counter() - started < 5


def test_long_and_deep_texts_take_no_time() -> None:
    started = time.perf_counter()
    deep = "[" * 2000
    assert VALUE.whole(deep) == deep + "]" * 2000
    assert VALUE.whole('"' + "x" * 20_000)[-1] == '"'
    assert time.perf_counter() - started < 5


@pytest.mark.parametrize(
    ("grammar", "complaint"),
    [
        ("", "no rule 'root'"),
        ('a ::= "x"', "no rule 'root'"),
        ("root ::= foo", "no rule 'foo'"),
        ('root ::= "a"\nroot ::= "b"', "line 2.*twice"),
        ('root "a"', "line 1.*::="),
        ('::= "a"', "expected a name"),
        ('root ::= ("a"', "expected \\) and not the end"),
        ('root ::= "a" )', "did not expect '\\)'"),
        ('root ::= "a', "does not end"),
        ("root ::= [a", "does not end"),
        ("root ::= []", "empty"),
        ("root ::= [z-a]", "backwards"),
        ('root ::= "\\q"', "unknown escape"),
        ('root ::= "\\u12"', "unknown escape"),
        ('root ::= "\\UFFFFFFFF"', "unknown escape"),
        ("root ::= *", "nothing to repeat"),
        ('root ::= "a"{3,2}', "at least 3 and at most 2"),
        ('root ::= "a"{x}', "up to 2000"),
        ('root ::= "a"{2001}', "up to 2000"),
        ('root ::= "a"{2', "expected }"),
        ('root ::= "a\0b"', "NUL"),
        ('root ::= "a\ud800b"', "surrogate"),
        ('root ::= "\\ud800"', "unknown escape"),
        ("root ::= <think>", "not supported"),
        ('root ::= "a" root', "never end"),
        ('root ::= root "a" | "b"', "left recursion"),
        ('root ::= b root "x" | "z"\nb ::= c\nc ::= "y" | ', "left recursion"),
        ("root ::= " + "(" * 5000 + '"a"' + ")" * 5000, "nested deeper"),
        ("root ::= " + '("a"{2000} | "b"){2000} ' * 15, "too large"),
        ('root ::= (("a"{2000}){2000}){2000}', "even the shortest"),
        ("root ::= " + "x" * (1 << 20), "longer than"),
        (
            'root ::= a0\na60 ::= "y"\n'
            + "".join(f'a{n} ::= a{n + 1} | a{n + 1} "x"\n' for n in range(60)),
            "too many ways",
        ),
    ],
)
def test_bad_grammars(grammar: str, complaint: str) -> None:
    started = time.perf_counter()
    with pytest.raises(ConfigError, match=complaint):
        Grammar(grammar)
    assert time.perf_counter() - started < 5


@given(
    st.integers(-(10**6), 10**6), st.integers(0, 10**6), st.lists(st.integers(-200, 10**6 + 200))
)
def test_ranges_of_integers(least: int, span: int, offsets: list[int]) -> None:
    most = least + span
    rules = Grammar(f"root ::= {integers(least, most)}")
    for number in [least - 1, least, most, most + 1, 0, *(least + offset for offset in offsets)]:
        assert (rules.completion(str(number)) == "") == (least <= number <= most), number
    assert rules.completion("-0") is None
    assert rules.completion("00") is None


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_literals(text: str) -> None:
    written = compact(text)
    assert Grammar(f"root ::= {literal(written)}").completion(written) == ""


codes = st.integers(0, MAX_CODE) | st.integers(0xD000, 0xE800) | st.integers(0, 50)
ranges = st.lists(st.tuples(codes, codes).map(sorted).map(tuple), max_size=4).map(tuple)


@given(ranges, st.booleans(), st.lists(codes))
def test_spans_of_characters(parts: Any, negated: bool, asked: list[int]) -> None:
    chars = Chars(parts, negated)
    for code in {*asked, *(end + step for part in parts for end in part for step in (-1, 0, 1))}:
        if 0 <= code <= MAX_CODE and not SURROGATES[0] <= code <= SURROGATES[1]:
            spanned = any(low <= code <= high for low, high in chars.spans)
            assert spanned == chars.matches(chr(code)), code
    assert not any(low <= SURROGATES[1] and high >= SURROGATES[0] for low, high in chars.spans)


@given(values, st.data())
def test_a_text_is_read_in_any_pieces(value: object, data: st.DataObject) -> None:
    text = compact(value)
    here, at = VALUE.start(), 0
    while at < len(text):
        length = data.draw(st.integers(1, 5))
        there = here.after(text[at : at + length])
        assert there is not None
        assert there is here.after(text[at : at + length])
        here, at = there, at + length
    assert here.may_end == (VALUE.completion(text) == "")
    assert here.after("x") is None


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgemind.structure.walk.MAX_REMEMBERED", 200)
    start = Grammar('root ::= [a-z]{0,300} "!"').start()
    for text in ("x" * 300, "abc" * 100, "zyx" * 100):
        for _ in range(2):
            assert start.after(text) is not None
            assert start.after(text + "!").may_end  # type: ignore[union-attr]
            assert start.after(text + "?") is None
            assert len(start._walk._positions) <= 20
    assert not start.worn
    monkeypatch.setattr("edgemind.structure.walk.MAX_MET", 100)
    assert start.worn


def test_dates_are_days_of_the_calendar() -> None:
    parts = "".join(f"{name} ::= {rule}\n" for name, rule in RULES.items())
    dates = Grammar(parts + "root ::= date")
    for good in ("2024-02-29", "2000-02-29", "1999-12-31", "2023-04-30", "0001-01-01"):
        assert dates.completion(good) == "", good
    for bad in ("2023-02-29", "1900-02-29", "2023-02-30", "2023-04-31", "2023-13-01", "0000-01-01"):
        assert dates.completion(bad) is None, bad
    times = Grammar(parts + "root ::= time")
    assert times.completion("23:59:59.25+01:00") == ""
    assert times.completion("24:00:00Z") is None
    assert re.fullmatch(r"\d\d:\d\d:\d\dZ", times.whole(""))
