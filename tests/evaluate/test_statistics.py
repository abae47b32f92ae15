"""Intervals against published or hand-made figures."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgemind.evaluate.statistics import Interval, mean, paired_means, paired_shares, share

HITS = st.lists(st.booleans(), max_size=60)


def test_wilson() -> None:
    # 81 of 263: 0.2553 to 0.3662 (Newcombe 1998, Statistics in Medicine 17, table I).
    found = share([True] * 81 + [False] * 182)
    assert (round(found.value, 4), round(found.low, 4), round(found.high, 4)) == (
        0.3080,
        0.2553,
        0.3662,
    )
    # 0 of 20: 0 to 0.1611 (the same table).
    none = share([False] * 20)
    assert (none.value, round(none.low, 6), round(none.high, 4)) == (0, 0, 0.1611)
    assert share([]) == Interval(0.0, 0.0, 1.0)


def test_mean() -> None:
    found = mean([1.0, 2.0, 3.0, 4.0])
    half = 1.959964 * (5 / 3 / 4) ** 0.5
    assert found.value == 2.5
    assert (found.low, found.high) == pytest.approx((2.5 - half, 2.5 + half))
    assert mean([7.0]) == Interval(7.0, 7.0, 7.0)
    assert mean([]) == Interval(0.0, 0.0, 0.0)


def test_paired_shares() -> None:
    left = [True] * 30 + [True] * 12 + [False] * 4 + [False] * 54
    right = [True] * 30 + [False] * 12 + [True] * 4 + [False] * 54
    found = paired_shares(left, right)
    centre, half = 8 / 102, 1.959964 * (17 - 64 / 102) ** 0.5 / 102
    assert found.value == pytest.approx(0.08)
    assert (found.low, found.high) == pytest.approx((centre - half, centre + half))
    assert paired_shares(left, left).low < 0 < paired_shares(left, left).high
    assert paired_shares([], []).value == 0


def test_pairs_take_out_what_questions_have_in_common() -> None:
    assert paired_means([1.0, 5.0, 9.0], [0.0, 4.0, 8.0]) == Interval(1.0, 1.0, 1.0)


@given(HITS, st.data())
def test_intervals_hold_their_estimate(hits: list[bool], data: st.DataObject) -> None:
    others = data.draw(st.lists(st.booleans(), min_size=len(hits), max_size=len(hits)))
    for found, least in ((share(hits), 0), (paired_shares(hits, others), -1)):
        assert least <= found.low <= found.value <= found.high <= 1
