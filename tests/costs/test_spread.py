"""Quantiles, cut values, and predictions set right by experience."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgemind.costs.spread import calibrated, experienced, quantile, rank, survival_weights


def test_quantiles_lie_between_neighbours() -> None:
    assert quantile([3.0], 0.9) == 3.0
    assert quantile([1.0, 2.0, 4.0], 0.5) == 2.0
    assert quantile([1.0, 2.0, 4.0], 0.75) == 3.0
    assert quantile([1.0, 2.0, 4.0], 2.0) == 4.0


def test_a_cut_value_gives_its_weight_to_those_above() -> None:
    weights = survival_weights([1, 2, 3, 4], [False, True, False, False], [1, 1, 1, 1])
    assert weights == pytest.approx([0.25, 0.0, 0.375, 0.375])
    assert survival_weights([1, 2], [True, True], [1, 1]) == [0.0, 1.0]


@given(
    st.lists(st.tuples(st.floats(0, 1e3), st.booleans(), st.floats(0.01, 2)), min_size=1),
)
def test_weights_add_up_to_one(rows: list[tuple[float, bool, float]]) -> None:
    rows.sort()
    values, cut, weights = zip(*rows, strict=True)
    found = survival_weights(values, cut, weights)
    assert sum(found) == pytest.approx(1.0)
    assert min(found) >= -1e-9


@given(
    st.lists(st.floats(0.01, 1e3), min_size=1, max_size=50),
    st.floats(0.01, 1e4),
    st.lists(st.floats(-5, 5), max_size=50),
    st.floats(0.01, 0.99),
)
def test_calibrated_quantiles_are_ordered(
    draws: list[float], value: float, ranks: list[float], share: float
) -> None:
    draws.sort()
    low, high = (calibrated(draws, level, experienced(ranks)) for level in (share / 2, share))
    assert low <= high * (1 + 1e-9)
    assert calibrated(draws, share, experienced([rank(draws, value, 0.5)] * 1000)) == pytest.approx(
        value, rel=0.2, abs=max(draws[-1] - draws[0], 1e-9)
    )


@pytest.mark.parametrize("factor", [0.5, 1.0, 1.3, 4.0])
@pytest.mark.parametrize("spread", [0.3, 1.0])
def test_wrong_predictions_become_right_with_experience(factor: float, spread: float) -> None:
    """What comes out is `factor` times what is predicted and spreads more, or less: after a while
    90 % lies in the 90 % interval all the same."""
    rng = random.Random(3)
    ranks: list[float] = []
    inside = 0
    for number in range(400):
        scale = rng.uniform(1, 5)
        draws = sorted(scale * rng.lognormvariate(0, 0.5) for _ in range(96))
        actual = factor * scale * rng.lognormvariate(0, spread)
        if number >= 100:
            low, high = (
                calibrated(draws, level, experienced(ranks[-100:])) for level in (0.05, 0.95)
            )
            inside += low <= actual <= high
        ranks.append(rank(draws, actual, rng.random()))
    assert 0.83 <= inside / 300 <= 0.97
