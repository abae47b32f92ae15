"""Fitting the router's models: known weights are found again, and promises are kept."""

from __future__ import annotations

import math

import numpy as np
import pytest

from edgemind.router.fit import auroc, error, fit


def drawn(count: int, seed: int = 1) -> tuple[list[dict[str, float]], list[bool]]:
    """Rows of two signals and a target that follows logit = 1 + 2 a - b."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(count, 2))
    chance = 1 / (1 + np.exp(-(1 + 2 * values[:, 0] - values[:, 1])))
    target = rng.random(count) < chance
    return [{"a": float(a), "b": float(b), "same": 3.0} for a, b in values], target.tolist()


def test_known_weights_are_found_again() -> None:
    found = fit(*drawn(6000), ["a", "b", "same"])
    assert found.model.bias == pytest.approx(1, abs=0.15)
    assert found.model.weights["a"] == pytest.approx(2, abs=0.15)
    assert found.model.weights["b"] == pytest.approx(-1, abs=0.15)
    assert found.model.weights["same"] == 0
    assert found.auroc > 0.85 and found.error < 0.03
    rows, target = drawn(4000, seed=2)
    fresh = np.array([found.model.explain(row)[0] for row in rows])
    assert error(fresh, np.array(target, dtype=float)) < 0.03


def test_a_signal_that_was_never_seen_keeps_its_weight() -> None:
    rows, target = drawn(200)
    rows = [{**row, "cut": 0.0} for row in rows]
    assert fit(rows, target, ["a", "cut"], {"cut": -3.0, "a": 9.0}).model.weights["cut"] == -3.0
    assert fit(rows, target, ["a", "cut"]).model.weights["cut"] == 0.0


@pytest.mark.parametrize("target", [[True] * 40, [False] * 40, [True] * 39 + [False]])
def test_a_target_that_hardly_varies_gives_finite_weights(target: list[bool]) -> None:
    rows, _ = drawn(40)
    found = fit(rows, target, ["a", "b"])
    assert all(map(math.isfinite, [found.model.bias, *found.model.weights.values()]))


def test_perfect_separation_gives_finite_weights() -> None:
    rows = [{"a": float(number)} for number in range(-20, 20)]
    found = fit(rows, [row["a"] > 0 for row in rows], ["a"])
    assert found.model.weights["a"] > 0 and math.isfinite(found.model.weights["a"])


def test_auroc_counts_ties_half() -> None:
    assert auroc(np.array([0.1, 0.4, 0.4, 0.9]), np.array([0.0, 0.0, 1.0, 1.0])) == 0.875
    assert auroc(np.array([0.5, 0.5]), np.array([0.0, 1.0])) == 0.5
    assert math.isnan(auroc(np.array([0.5]), np.array([1.0])))


def test_calibration_error_is_the_distance_of_promise_and_share() -> None:
    promises = np.array([0.95] * 10 + [0.05] * 10)
    kept = np.array([1.0] * 10 + [0.0] * 10)
    assert error(promises, kept) == pytest.approx(0.05)
    assert error(promises, 1 - kept) == pytest.approx(0.95)
