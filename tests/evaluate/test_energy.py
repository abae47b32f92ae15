"""Measuring loads with a counter of this device, to fit the estimate to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgemind.errors import ConfigError
from edgemind.evaluate.energy import Load, find_counter, measure, stretch_seconds
from edgemind.meters.fit import fit_power
from tests.meters.devices import DEVICES, Device, NvidiaDevice

CORE_WATTS, IDLE_WATTS = 5.0, 3.0


class Worker:
    """Works on a device with so many cores."""

    def __init__(self, device: Device) -> None:
        self.device = device
        self.cpu_seconds = 0.0
        self.slices = 0

    def load(self, cores: float) -> Load:
        def work(seconds: float) -> None:
            self.slices += 1
            # A battery's figure is never twice the same.
            watts = IDLE_WATTS + CORE_WATTS * cores + 0.001 * (self.slices % 3)
            self.device.pass_time(seconds, watts)
            self.cpu_seconds += seconds * cores

        return Load(f"{cores} cores", work)


@pytest.mark.parametrize("name", ["rapl", "battery", "pmic", "hwmon"])
def test_the_watts_are_found(tmp_path: Path, name: str) -> None:
    device = DEVICES[name](tmp_path)
    worker = Worker(device)
    sensor = find_counter(device.place())
    assert sensor.name == name
    loads = [worker.load(cores) for cores in (0.0, 1.0, 4.0)]
    stretches = measure(loads, sensor, lambda: worker.cpu_seconds, device.place())
    _, last = stretch_seconds(sensor)
    assert [stretch.seconds for stretch in stretches] == pytest.approx([last] * 3, abs=1.0)
    power = fit_power(stretches, "test", name)
    assert power.core_watts == pytest.approx(CORE_WATTS, rel=0.02)
    assert power.idle_watts == pytest.approx(IDLE_WATTS, rel=0.05)


def test_no_counter_and_one_that_fails(tmp_path: Path) -> None:
    gpu = NvidiaDevice(tmp_path / "gpu")
    with pytest.raises(ConfigError, match="edgemind doctor"):
        find_counter(gpu.place(gpu=True))
    device = DEVICES["battery"](tmp_path)
    worker = Worker(device)
    sensor = find_counter(device.place())
    device.break_it("missing")
    with pytest.raises(ConfigError, match="battery failed while measuring: it disappeared"):
        measure([worker.load(1.0)], sensor, lambda: worker.cpu_seconds, device.place())
