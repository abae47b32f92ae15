"""The estimate: CPU seconds times watts, and nothing else."""

from __future__ import annotations

import platform

import pytest

from edgemind.meters.estimate import OTHER_WATTS_PER_CORE, WATTS_PER_CORE, Estimate


def test_joules_are_cpu_seconds_times_watts() -> None:
    seconds = 2.0
    meter = Estimate(5.0, lambda: seconds)
    assert meter.joules() == pytest.approx(10.0)
    seconds = 2.5
    assert meter.joules() == pytest.approx(12.5)
    assert meter.source == "estimated"


@pytest.mark.parametrize(
    ("name", "watts"), [*WATTS_PER_CORE.items(), ("x86_64", OTHER_WATTS_PER_CORE)]
)
def test_watts_of_a_processor(monkeypatch: pytest.MonkeyPatch, name: str, watts: float) -> None:
    monkeypatch.setattr(platform, "machine", lambda: name)
    assert Estimate().watts_per_core == watts


def test_work_costs_energy() -> None:
    meter = Estimate()
    before = meter.joules()
    sum(number * number for number in range(300_000))
    assert meter.joules() > before
