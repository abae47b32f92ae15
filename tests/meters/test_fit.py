"""Fitting watts to a counter, and keeping them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgemind.errors import ConfigError
from edgemind.meters.estimate import Power
from edgemind.meters.fit import LEAST_ERROR, Stretch, fit_power
from edgemind.meters.store import load_power, power_file, processor_name, save_power
from tests.meters.devices import write


def stretches(core: float, idle: float, *cores_busy: float) -> list[Stretch]:
    return [Stretch(10 * busy, 10.0, 10 * (core * busy + idle)) for busy in cores_busy]


@given(core=st.floats(0.1, 50.0), idle=st.floats(0.0, 50.0), most=st.integers(1, 64))
def test_it_finds_the_watts(core: float, idle: float, most: int) -> None:
    power = fit_power(stretches(core, idle, 0.01, 1.0, float(most)), "test", "rapl")
    assert power.core_watts == pytest.approx(core, rel=1e-3)
    assert power.idle_watts == pytest.approx(idle, rel=1e-3, abs=1e-3)
    assert (power.error, power.fitted_to) == (LEAST_ERROR, "rapl")


def test_what_does_not_fit_widens_the_band() -> None:
    noisy = stretches(5.0, 2.0, 0.0, 1.0, 4.0)
    noisy.append(Stretch(10.0, 10.0, 140.0))
    assert 0.2 < fit_power(noisy, "test", "rapl").error < 1.0


def test_idling_is_never_negative() -> None:
    power = fit_power([Stretch(10, 10, 40), Stretch(40, 10, 200)], "test", "rapl")
    assert power.idle_watts == 0.0 and 4.0 < power.core_watts < 5.0


@pytest.mark.parametrize(
    ("measured", "complaint"),
    [
        ([], "showed no energy"),
        ([Stretch(1, 10, 0), Stretch(2, 10, 0)], "showed no energy"),
        (stretches(5.0, 2.0, 1.0, 1.0, 1.0), "same load"),
        ([Stretch(0, 10, 100), Stretch(10, 10, 20)], "does not rise"),
    ],
)
def test_what_cannot_be_fitted(measured: list[Stretch], complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        fit_power(measured, "test", "rapl")


def test_it_is_kept_for_this_processor(tmp_path: Path) -> None:
    power = Power("test", 4.5, 2.25, 0.07, "battery")
    path = save_power(power, tmp_path, "A CPU (R) @ 3 GHz x8")
    assert path == power_file(tmp_path, "A CPU (R) @ 3 GHz x8")
    assert [*path.parent.iterdir()] == [path]
    assert load_power(tmp_path, "A CPU (R) @ 3 GHz x8") == power
    assert load_power(tmp_path, "A CPU (R) @ 3 GHz x4") is None


GOOD = '{"version": 1, "name": "a", "core_watts": 1, "idle_watts": 1, "error": 1, "fitted_to": ""}'


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (GOOD, ""),
        (GOOD, "[]"),
        (GOOD, GOOD[:40]),
        (GOOD, "\0" * 50),
        ('"version": 1', '"version": 2'),
        ('"core_watts": 1', '"core_watts": NaN'),
        ('"core_watts": 1', '"core_watts": 0'),
        ('"core_watts": 1', '"core_watts": "x"'),
        ('"idle_watts": 1', '"idle_watts": -1'),
        ('"error": 1, ', ""),
    ],
)
def test_a_damaged_file_is_as_good_as_none(tmp_path: Path, old: str, new: str) -> None:
    path = power_file(tmp_path, "x")
    write(path, GOOD)
    assert load_power(tmp_path, "x") is not None
    write(path, GOOD.replace(old, new))
    assert load_power(tmp_path, "x") is None


def test_the_processors_name(tmp_path: Path) -> None:
    assert processor_name(tmp_path)
    write(tmp_path / "proc/cpuinfo", "processor\t: 0\nmodel name\t: Some CPU\n")
    assert processor_name(tmp_path).startswith("Some CPU x")
