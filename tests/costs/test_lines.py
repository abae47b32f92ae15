"""Lines over context: exact on clean data, unmoved by outliers, sane between what was measured."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgemind.costs.lines import BLOCK, PRIOR_SLOPE, Line, Table


def taught(spoil: float = 1.0, answers: int = 20) -> Line:
    """A line of 10 ms and 1 µs a token, of which every tenth observation is `spoil` times as long;
    and one whole answer beside a busy program, at four times the cost."""
    line = Line()
    for answer in range(answers):
        line.begin()
        slow = 4.0 if answer == 7 and spoil > 1 else 1.0
        for step in range(100):
            context = 100 * answer + step
            factor = spoil if step % 10 == 3 else slow
            line.observe(context, factor * (0.010 + 1e-6 * context))
    return line


def test_a_clean_line_is_found() -> None:
    line = taught()
    for context in (0, 500, 2000, 8000):
        assert line.at(context) == pytest.approx(0.010 + 1e-6 * context, rel=0.01)


@pytest.mark.parametrize("spoil", [6000.0, 50.0])
def test_a_stopped_process_and_a_contended_answer_poison_nothing(spoil: float) -> None:
    line = taught(spoil)
    for context in (0, 500, 2000):
        assert line.at(context) == pytest.approx(0.010 + 1e-6 * context, rel=0.05)


def test_the_first_observation_counts_at_once() -> None:
    line = Line()
    assert not line.known
    line.observe(100, 0.5)
    assert line.known
    assert line.at(100) == pytest.approx(0.5)
    assert line.at(1100) > line.at(100)


def test_one_context_says_nothing_about_the_slope() -> None:
    line = Line()
    for _ in range(10):
        line.begin()
        for _ in range(BLOCK):
            line.observe(200, 0.02)
    assert line.at(200) == pytest.approx(0.02)
    assert line.at(1200) == pytest.approx(0.02 * (1 + 1000 * PRIOR_SLOPE), rel=0.03)


def test_it_follows_a_lasting_change() -> None:
    line = taught(answers=10)
    for _ in range(30):
        line.begin()
        for _ in range(100):
            line.observe(500, 0.1)
    assert line.at(500) == pytest.approx(0.1, rel=0.01)


def test_it_is_never_negative_nor_falling() -> None:
    line = Line()
    for answer in range(20):
        line.begin()
        for _ in range(BLOCK):
            line.observe(100 * answer, 0.1 / (1 + answer))
    assert 0 < line.at(0) <= line.at(1000) <= line.at(100_000)


@given(st.lists(st.tuples(st.floats(0, 1e5), st.floats(1e-6, 1e3)), min_size=1, max_size=200))
def test_any_observations_give_positive_bounded_seconds(points: list[tuple[float, float]]) -> None:
    line = Line()
    for context, seconds in points:
        line.observe(context, seconds)
    assert 0 < line.at(0) <= 1e3 * (1 + 1e-9)
    assert line.at(0) <= line.at(1e5) * (1 + 1e-9)


# Tables


def test_an_unmeasured_key_lies_between_its_neighbours() -> None:
    table = Table(float)
    for _ in range(BLOCK):
        table.observe(2, 0, 1.0)
        table.observe(8, 0, 4.0)
    assert table.at(2, 0) == pytest.approx(1.0)
    assert table.at(5, 0) == pytest.approx(2.5)


def test_beyond_what_was_measured_the_prior_gives_the_shape() -> None:
    table = Table(lambda key: 1.0 + key)
    assert table.at(3, 0) == pytest.approx(4.0)
    for _ in range(BLOCK):
        table.observe(4, 0, 0.5)
    assert table.at(9, 0) == pytest.approx(0.5 * 10 / 5)
    assert table.at(1, 0) == pytest.approx(0.5 * 2 / 5)
