"""Puzzles, programs, dates and sequences solved again by other means, each with one answer."""

from __future__ import annotations

import contextlib
import io
import itertools
import re
from datetime import date, timedelta
from fractions import Fraction
from random import Random

import pytest

from problems import Split, words
from problems.base import Family
from problems.skills import code_tracing, equations, ordering, sequences, truth
from problems.tracing import program
from tests.nano.samples import sample

_LEVELS = range(3)


def test_ordering_puzzles_have_one_order() -> None:
    for level, split, seed in itertools.product(_LEVELS, Split, range(60)):
        puzzle = ordering.puzzle(Random(seed), level, split)
        orders = [o for o in itertools.permutations(puzzle.order) if puzzle.holds(o)]
        assert orders == [puzzle.order]


def _told_order(prompt: str) -> tuple[list[str], list[tuple[str, str]], tuple[str, ...]]:
    """People and facts read from the words of a puzzle, and its scale."""
    for scale in ordering._SCALES:
        pairs = [(a, b) for a, b in re.findall(rf"(\w+) {scale[0]} (\w+)[.]", prompt)]
        pairs += [(b, a) for a, b in re.findall(rf"(\w+) {scale[1]} (\w+)[.]", prompt)]
        if pairs:
            return sorted({name for pair in pairs for name in pair}), pairs, scale
    raise AssertionError(prompt)


def test_the_words_of_ordering_puzzles_lead_to_the_answer() -> None:
    for level, seed in itertools.product(_LEVELS, range(150)):
        draft = ordering.make_ordering(Random(seed), level, Split.TRAIN)
        names, pairs, scale = _told_order(draft.prompt)
        found = [
            order for order in itertools.permutations(names)
            if all(order.index(a) < order.index(b) for a, b in pairs)
        ]  # fmt: skip
        assert len(found) == 1
        (order,), question = found, re.split(r"[.:] ", draft.prompt)[-1]
        last = draft.prompt[draft.prompt.rindex(question) :]
        if " the other" in last:
            asked = [name for name in order if re.search(rf"\b{name}\b", last)]
            assert draft.answer == asked[0]
        elif draft.answer in (order[0], order[-1]) and "number" not in last:
            assert scale[2 if draft.answer == order[0] else 3] in last
        elif draft.answer.isdigit():
            (name,) = [name for name in order if re.search(rf"\b{name}\b", last)]
            seen = order if f"the {scale[2]}" in draft.prompt else order[::-1]
            assert seen.index(name) + 1 == int(draft.answer)
        elif " > " in draft.answer:
            assert tuple(draft.answer.split(" > ")) in (order, order[::-1])
            top = order[0] if f"{scale[2]} to" in last or f"the {scale[2]} first" in last else (
                order[-1])  # fmt: skip
            assert draft.answer.startswith(top)


def test_pair_puzzles_have_one_verdict() -> None:
    for kind in truth._PAIR_SAYS:
        claim = truth.Claim(0, kind, 1)
        found = [case for case in truth.cases(2) if truth.consistent([claim], case)]
        assert found and len({case[1] for case in found}) == 1
        verdict = truth._pair_lines(claim, ("Me", "You"), found[0])[-1]
        assert verdict.endswith("You tells the truth." if found[0][1] else "You lies.")


_SAYS = re.compile(r'(\w+) says: "It was (not )?(\w+)\."')


def test_the_words_of_truth_puzzles_lead_to_the_answer() -> None:
    kinds = {"suspects": 0, "chain": 0, "pair": 0}
    for level, seed in itertools.product(_LEVELS, range(300)):
        draft = truth.make_truth(Random(seed), level, Split.TRAIN)
        names = list(draft.keep)
        if said := _SAYS.findall(draft.prompt):
            kinds["suspects"] += 1
            number = re.findall(r"(?:Exactly|Only|\.|!) ?(one|\d+)? of the", draft.prompt) or [""]
            counts = re.findall(r"\b(one|\d)\b of (?:them|the statements)", draft.prompt, re.I)
            true = 1 if counts[-1].lower() == "one" else int(counts[-1])
            assert number is not None
            fits = [
                suspect for suspect in names
                if sum(
                    ((speaker if who == "me" else who) == suspect) is not bool(negated)
                    for speaker, negated, who in said
                ) == true
            ]  # fmt: skip
            assert fits == [draft.answer], draft.prompt
            continue
        text = draft.prompt.replace("truth-teller", "truth").replace("always lies or", "")
        text = text.replace("liars always lie", "")
        links = re.findall(
            r"(\w+) (?:says|claims)(?: that|:)? \"?(\w+) (?:tells the truth|is a truth|(lies|is a "
            r"liar))", text,
        )  # fmt: skip
        if "we are" in text.lower() or "of us" in text:
            kinds["pair"] += 1
            continue
        kinds["chain"] += 1
        asked = re.search(r"(?:Does|Is) (\w+)", text)
        assert asked and len(links) == len(names) - 1, draft.prompt
        parts = re.split(r'[.]"? ', text)
        facts = [part for part in parts if not re.search("says|claims", part)]
        known = next(f for f in facts if any(name in f for name in names))
        speaker = next(name for name in names if name in known)
        lies = bool(re.search(r"lies|is a liar|never tells", known)) and "never lies" not in known
        found = []
        for case in itertools.product((True, False), repeat=len(names)):
            world = dict(zip(names, case, strict=True))
            if world[speaker] is lies:
                continue
            if all((world[m] is not bool(lie)) is world[n] for n, m, lie in links):
                found.append(world[asked[1]])
        assert found == [draft.answer == "yes"], draft.prompt
    assert min(kinds.values()) > 100


def test_suspect_puzzles_have_one_culprit() -> None:
    claims = [truth.Claim(0, "is", 1), truth.Claim(1, "is", 1, False), truth.Claim(2, "is", 0)]
    assert truth.guilty(claims, 3, 2) == [0]
    assert truth.guilty(claims, 3, 1) == [1, 2]


def test_programs_print_what_the_trace_says() -> None:
    for level, seed in itertools.product(_LEVELS, range(200)):
        body, asked, machine = code_tracing.draw(Random(seed), level, True)
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(f"{program(body)}\nprint({asked})", {})
        assert out.getvalue().strip() == str(machine.values[asked])


def _dates(prompt: str) -> list[date]:
    months = "|".join(words.MONTHS)
    pattern = rf"({months}) (\d+), (\d+)|(\d+) ({months}) (\d+)|(\d{{4}})-(\d\d)-(\d\d)"
    found = []
    for a, b, c, d, e, f, g, h, i in re.findall(pattern, prompt, re.I):
        month = (a or e).capitalize()
        number = words.MONTHS.index(month) + 1 if month else int(h)
        found.append(date(int(c or f or g), number, int(b or d or i)))
    return found


def test_dates_agree_with_the_calendar() -> None:
    checked = 0
    for level, split in itertools.product(_LEVELS, Split):
        for problem in sample("calendar", level, split):
            days = _dates(problem.prompt)
            if len(days) == 2 and problem.answer.isdigit():
                assert abs((days[1] - days[0]).days) == int(problem.answer)
            elif len(days) == 2:
                assert words.DAYS[days[-1].weekday()] == problem.answer
            elif days:
                number = re.search(r"(\d+) days", problem.prompt)
                if number is None or problem.answer.isdigit():
                    continue
                assert (days[0] + timedelta(int(number[1]))).isoformat() == problem.answer
            elif problem.answer in ("yes", "no"):
                (year,) = map(int, re.findall(r"\d{4}", problem.prompt))
                leap = (date(year, 3, 1) - date(year, 2, 1)).days == 29
                assert (problem.answer == "yes") is leap
            checked += 1
    assert checked > 500


def test_sequences_follow_one_rule() -> None:
    for level, seed in itertools.product(_LEVELS, range(300)):
        draft = sequences.make_sequence(Random(seed), level, Split.TRAIN)
        terms = [int(n) for n in re.findall(r"-?\d+", draft.key.split("]")[0])] if draft.key else []
        if draft.key and draft.key.endswith("]"):
            assert sequences.following(terms) == int(draft.answer)
            fits = {rule(terms) for rule in sequences.RULES} - {None}
            assert fits == {int(draft.answer)}


def test_equations_hold_when_the_answer_is_put_in(monkeypatch: pytest.MonkeyPatch) -> None:
    bare = Family(("{e}",), ("{e}",), ("{e}",))
    monkeypatch.setattr(equations, "_SOLVE", bare)
    checked = 0
    for level, seed in itertools.product(_LEVELS, range(200)):
        draft = equations.make_equation(Random(seed), level, Split.TRAIN)
        if "=" not in draft.prompt:
            continue
        text = re.sub(r"(?<=\d)(?=[a-z(])", "*", draft.prompt)
        (letter,) = set(re.findall("[a-z]", text))
        left, right = (eval(side, {}, {letter: Fraction(draft.answer)}) for side in text.split("="))
        assert left == right, draft
        # One unknown, linear and not constant: no other value fits.
        other = [eval(side, {}, {letter: Fraction(draft.answer) + 1}) for side in text.split("=")]
        assert other[0] != other[1]
        checked += 1
    assert checked > 400


def test_letters_and_sorted_lists_agree_with_python() -> None:
    for level, split in itertools.product(_LEVELS, Split):
        for problem in sample("ranking", level, split):
            for mark, reverse in (("<", False), (">", True)):
                if mark in problem.answer:
                    parts = [Fraction(part) for part in problem.answer.split(mark)]
                    assert parts == sorted(parts, reverse=reverse)
                    asked = re.findall(r"-?\d+(?:\.\d+)?", problem.prompt)
                    assert sorted(map(Fraction, asked)) == sorted(parts)
        for problem in sample("letters", level, split):
            letters = "".join(re.findall("[a-z]", problem.solution.splitlines()[0]))
            assert letters in problem.prompt
            if "vowel" in problem.prompt:
                assert sum(letter in "aeiou" for letter in letters) == int(problem.answer)
            elif not problem.answer.isdigit() and len(problem.answer) > 1:
                assert problem.answer == letters[::-1]
