"""Which meter is taken, when it is chosen again, and what a listing says."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgemind.meters.base import Place
from edgemind.meters.choose import (
    ASK_AGAIN_SECONDS,
    BestMeter,
    device_sensor,
    for_answer,
    list_meters,
    sensor_names,
)
from edgemind.meters.estimate import Estimate, Power
from edgemind.meters.store import save_power
from tests.helpers import Clock, FakeMeter
from tests.meters.devices import BatteryDevice, Device, HwmonDevice, NvidiaDevice, RaplDevice

POWER = Power("test", 5.0, 2.0, 0.5)


def best(device: Device, **changes: object) -> BestMeter:
    return BestMeter(device.place(**changes), Estimate(POWER, lambda: 0.0, device.clock))


def test_the_order() -> None:
    assert sensor_names() == ["rapl", "battery", "pmic", "hwmon", "nvidia", "macos"]


def test_a_device_without_any_is_estimated(tmp_path: Path) -> None:
    place = Place(root=tmp_path, system="linux")
    assert device_sensor(place) is None
    meter = BestMeter(place)
    assert (meter.source, for_answer(meter).source) == ("estimated", "estimated")
    assert meter.joules() > 0
    meter.close()


def test_the_best_that_works_is_taken(tmp_path: Path) -> None:
    clock = Clock()
    battery = BatteryDevice(tmp_path, clock)
    meter = best(battery)
    assert for_answer(meter).source == meter.source == "estimated (battery: no reading yet)"
    RaplDevice(tmp_path, clock)
    answering = for_answer(meter)
    assert "battery" in answering.source, "not asked again so soon"
    clock.now += ASK_AGAIN_SECONDS
    assert "rapl" in for_answer(meter).source


def test_one_that_failed_is_tried_again_at_the_next_answer(tmp_path: Path) -> None:
    device = BatteryDevice(tmp_path)
    meter = best(device)
    first = for_answer(meter)
    for _ in range(3):
        device.pass_time(1.0, device.watts + 1.0)
        first.joules()
    assert first.source == "measured:battery"
    device.status = "Charging"
    device.pass_time(1.0, 5.0)
    first.joules()
    assert first.source == "estimated (battery failed: no longer discharging)"
    assert for_answer(meter).source == "estimated", "plugged in: no other meter"
    device.status = "Discharging"
    device.pass_time(ASK_AGAIN_SECONDS, 5.0)
    second = for_answer(meter)
    assert second is not first
    device.pass_time(1.0, 6.0)
    second.joules()
    assert second.source == "measured:battery"
    assert "failed" in first.source, "for the rest of its answer"


def test_the_proportion_is_known_to_the_next_answer(tmp_path: Path) -> None:
    device = RaplDevice(tmp_path)
    meter = best(device)
    first = for_answer(meter)
    for _ in range(20):
        device.pass_time(1.0, 8.0)  # the estimate says 2 W
        first.joules()
    second = for_answer(meter)
    device.clock.now += 0.005  # too soon for a reading
    assert second.joules() == pytest.approx(0.005 * 8.0, rel=0.05)


def test_gpus_are_added_where_they_work_and_are_not_counted_already(tmp_path: Path) -> None:
    clock = Clock()
    gpu = NvidiaDevice(tmp_path, clock)
    meter = best(gpu, gpu=True)
    answering = for_answer(meter)
    gpu.pass_time(1.0, 30.0)
    assert answering.joules() == pytest.approx(32.0, rel=1e-3), "2 W of the estimate besides"
    assert answering.source == "estimated + measured:nvidia"
    cpu = RaplDevice(tmp_path, clock)
    joint = for_answer(best(gpu, gpu=True))
    cpu.pass_time(1.0, 10.0)
    gpu.pass_time(0.0, 30.0)
    joint.joules()
    assert joint.source.startswith("estimated"), "the GPU's counter did not move yet"
    cpu.pass_time(0.5, 10.0)
    gpu.pass_time(0.5, 30.0)
    joint.joules()
    assert joint.source == "measured:rapl+nvidia"
    HwmonDevice(tmp_path / "jetson", clock)
    whole = for_answer(best(gpu, gpu=True, root=tmp_path / "jetson"))
    assert "hwmon" in whole.source and "nvidia" not in whole.source


def test_other_meters_are_left_as_they_are() -> None:
    meter = FakeMeter(Clock())
    assert for_answer(meter) is meter


def test_the_list(tmp_path: Path) -> None:
    clock = Clock()
    RaplDevice(tmp_path, clock)
    battery = BatteryDevice(tmp_path, clock)
    rows = {row.name: row for row in list_meters(battery.place(), POWER)}
    assert [*rows] == [*sensor_names(), "estimate"]
    assert [name for name, row in rows.items() if row.used] == ["rapl"]
    assert rows["battery"].watts == pytest.approx(5.0)
    assert rows["battery"].why == "rapl is better"
    assert rows["rapl"].watts == 0.0, "nobody moved its counter meanwhile"
    assert rows["pmic"].why == "no vcgencmd" and rows["pmic"].watts is None
    assert rows["estimate"].watts is not None and rows["estimate"].watts >= 2.0
    assert "±50%" in rows["estimate"].why and "between readings of rapl" in rows["estimate"].why


def test_the_list_says_watts_of_counters(tmp_path: Path) -> None:
    device = RaplDevice(tmp_path)
    [rapl] = [row for row in list_meters(device.place(), POWER) if row.name == "rapl"]
    assert rapl.used and rapl.watts == pytest.approx(5.0, rel=1e-3)
    assert rapl.why == "counts the processor"


def test_fitted_watts_are_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEMIND_CACHE_DIR", str(tmp_path / "cache"))
    save_power(Power("test", 3.0, 100.0, 0.1, "rapl"))
    clock = Clock()
    meter = BestMeter(Place(root=tmp_path, clock=clock))
    before = meter.joules()
    clock.now += 10
    assert meter.joules() - before == pytest.approx(1000.0, rel=0.1)
