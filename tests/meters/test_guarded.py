"""The guard: readings count, the estimate fills the gaps, and no fault reaches the answer."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest

from edgemind.meters.base import STALE_SECONDS, Kind, Scope, Sensor, SensorFailed
from edgemind.meters.estimate import Estimate, Power
from edgemind.meters.guarded import MOST_SCALE, READ_SHARE, Guarded, Joint
from tests.helpers import Clock, FakeMeter
from tests.meters.devices import DEVICES, FAULTS, Device

ESTIMATED_WATTS = 4.0


class ScriptedSensor(Sensor):
    """Shows what a test says: a number, None for nothing new, or an error."""

    name = "scripted"
    scope: Scope = "processor"
    every = 1.0
    limit_watts = 100.0

    def __init__(self, clock: Clock, kind: Kind = "counter") -> None:
        self.kind = kind
        self.clock = clock
        self.value: float | Exception | None = 0.0
        self.takes = 0.0
        self.reads = 0
        self.closed = False

    def read(self) -> float | None:
        self.reads += 1
        self.clock.now += self.takes
        if isinstance(self.value, Exception):
            raise self.value
        return self.value

    def close(self) -> None:
        self.closed = True


def steady(clock: Clock, watts: float = ESTIMATED_WATTS) -> Estimate:
    """An estimate of a constant power."""
    return Estimate(Power("test", 0.0, watts, 0.5), lambda: 0.0, clock)


def made(kind: Kind = "counter") -> tuple[Guarded, ScriptedSensor, Clock]:
    clock = Clock()
    sensor = ScriptedSensor(clock, kind)
    sensor.value = 50.0 if kind == "counter" else 10.0
    return Guarded(sensor, steady(clock), clock), sensor, clock


def test_readings_count_and_the_estimate_fills_the_gaps() -> None:
    meter, sensor, clock = made()
    assert (meter.joules(), meter.source) == (0.0, "estimated (scripted: no reading yet)")
    clock.now += 0.5
    assert meter.joules() == pytest.approx(2.0), "4 W by the estimate"
    clock.now += 0.5
    sensor.value = 58.0
    assert meter.joules() == pytest.approx(8.0), "8 J by the counter"
    assert meter.source == "measured:scripted"
    clock.now += 0.5
    between = meter.joules() - 8.0
    assert 2.0 < between <= 4.0, "in the proportion that the counter showed, or on the way there"


def test_it_waits_where_the_estimate_ran_ahead() -> None:
    meter, sensor, clock = made()
    clock.now += 0.9
    ahead = meter.joules()
    assert ahead == pytest.approx(3.6)
    clock.now += 0.1
    sensor.value = 51.0
    assert meter.joules() == ahead
    clock.now += 0.5
    assert meter.joules() == ahead
    clock.now += 10
    sensor.value = 62.0
    assert meter.joules() == pytest.approx(12.0), "and nothing was counted twice"


def test_power_between_two_moments_is_between_the_two() -> None:
    meter, sensor, clock = made("power")
    clock.now += 2.0
    sensor.value = 20.0
    assert meter.joules() == pytest.approx(20.0), "the estimate says 8 J: at least the lower power"
    meter.joules()
    clock.now += 2.0
    sensor.value = 2.5
    grown = meter.joules() - 20.0
    assert 5.0 <= grown <= 40.0


def test_the_proportion_is_learnt_and_bounded() -> None:
    meter, sensor, clock = made()
    total = 50.0
    for watts, bound in ((12.0, 3.0), (99.0, MOST_SCALE)):
        for _ in range(60):
            clock.now += 1.0
            total += watts
            sensor.value = total
            meter.joules()
        assert meter.scale == pytest.approx(bound, rel=0.02)


def test_reading_costs_a_small_share_of_a_core() -> None:
    meter, sensor, clock = made()
    sensor.takes = 0.02
    started, before = clock.now, sensor.reads
    while clock.now - started < 100:
        clock.now += 0.01
        assert isinstance(sensor.value, float)
        sensor.value += 0.05
        meter.joules()
    assert sensor.reads > before + 2
    assert (sensor.reads - before) * sensor.takes <= 1.2 * READ_SHARE * 100


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (SensorFailed("unplugged"), "unplugged"),
        (FileNotFoundError(2, "No such file"), "it disappeared"),
        (PermissionError(13, "Permission denied"), "no permission"),
        (OSError(5, "Input/output error"), "Input/output error"),
        (ValueError("could not convert"), "not a number"),
        (math.nan, "not a number"),
        (math.inf, "not a number"),
        (-1.0, "not a number"),
        (20.0, "ran backwards"),
        (50_054.0, "jumped by 5e+04 J in 1 s"),
    ],
)
def test_what_ends_a_sensor(value: float | Exception, why: str) -> None:
    meter, sensor, clock = made()
    clock.now += 1.0
    sensor.value = 54.0
    before = meter.joules()
    clock.now += 1.0
    sensor.value = value
    after = meter.joules()
    assert after == pytest.approx(before + ESTIMATED_WATTS)
    assert meter.source == f"estimated (scripted failed: {why})"
    assert sensor.closed
    reads = sensor.reads
    sensor.value = 60.0
    clock.now += 10.0
    assert meter.joules() == pytest.approx(after + 10 * ESTIMATED_WATTS)
    assert sensor.reads == reads, "given up for the rest of the answer"


def test_power_that_cannot_be() -> None:
    meter, sensor, clock = made("power")
    clock.now += 1.0
    sensor.value = 101.0
    meter.joules()
    assert "jumped to 101 W" in meter.source


@pytest.mark.parametrize("kind", ["counter", "power"])
@pytest.mark.parametrize("shows", ["the same", "nothing"])
def test_stale(kind: Kind, shows: str) -> None:
    meter, sensor, clock = made(kind)
    if shows == "nothing":
        sensor.value = None
    while clock.now < 100 + STALE_SECONDS:
        clock.now += 1.0
        meter.joules()
        assert not meter.failure
    clock.now += 1.0
    joules = meter.joules()
    assert meter.failure == "nothing new for 31 s"
    assert joules == pytest.approx(31 * ESTIMATED_WATTS), "and the estimate had counted on"


def test_a_figure_that_changes_seldom_is_not_stale() -> None:
    meter, sensor, clock = made("power")
    for second in range(1, 200):
        clock.now += 1.0
        sensor.value = 10.0 + (second // 25) * 0.1
        meter.joules()
    assert meter.source == "measured:scripted"
    assert meter.joules() == pytest.approx(199 * 10.3, rel=0.05)


def test_a_first_reading_that_fails() -> None:
    clock = Clock()
    sensor = ScriptedSensor(clock)
    sensor.value = SensorFailed("gone")
    meter = Guarded(sensor, steady(clock), clock)
    clock.now += 1.0
    assert meter.joules() == pytest.approx(ESTIMATED_WATTS)
    assert meter.source == "estimated (scripted failed: gone)"


def test_two_meters_added_up() -> None:
    guard, sensor, clock = made()
    joint = Joint(FakeMeter(clock), guard)
    before = joint.joules()
    assert joint.source == "estimated (scripted: no reading yet)"
    clock.now += 1.0
    sensor.value = 60.0
    assert joint.joules() - before == pytest.approx(12.0)
    assert joint.source == "measured:fake+scripted"
    assert Joint(steady(clock), guard).source == "estimated + measured:scripted"
    guard.failure = "gone"
    assert joint.source == "estimated (scripted failed: gone)"
    assert Joint(steady(clock), guard).source == "estimated + estimated (scripted failed: gone)"


# Every fault of every device, in the middle of an answer


def drive(
    device: Device, sensor: Sensor, deny: Callable[[], None], fault: str
) -> tuple[Guarded, float, float]:
    """Ten seconds of health, seventy of the fault; the meter, joules before and at the end."""
    meter = Guarded(sensor, steady(device.clock), device.clock)
    shown = [meter.joules()]
    for step in range(110):
        if step == 40:
            assert not meter.failure
            before = meter.joules()
            device.break_it(fault)
            if fault == "denied":
                deny()
        # Never twice the same power: a figure that stays the same is a fault.
        device.pass_time(0.25 if step < 40 else 1.0, 11.0 + 0.01 * (step % 7))
        shown.append(meter.joules())
    assert shown == sorted(shown)
    assert all(map(math.isfinite, shown))
    return meter, before, shown[-1]


BREAKS = [
    (name, fault)
    for name in DEVICES
    for fault in FAULTS
    if name != "macos" or fault not in {"nan", "text", "empty"}  # the kernel gives a number
]


@pytest.mark.parametrize(("name", "fault"), BREAKS)
def test_every_fault_of_every_device(
    tmp_path: Path, deny: Callable[[str], None], name: str, fault: str
) -> None:
    device = DEVICES[name](tmp_path)
    file = {"rapl": "energy_uj", "battery": "power_now", "hwmon": "curr"}.get(name, "none")
    meter, before, after = drive(device, device.sensor(), lambda: deny(file), fault)
    assert before == pytest.approx(110, rel=0.25)
    assert meter.source.startswith(f"estimated ({name} failed: "), meter.source
    spent = after - before
    assert spent == pytest.approx(70 * 11.0, rel=0.35), "the estimate, as the meter had shown it"


@pytest.mark.parametrize("name", DEVICES)
def test_a_healthy_device_is_measured(tmp_path: Path, name: str) -> None:
    """The trace of an answer: idling, a prompt, decoding, idling. Compared with what was drawn."""
    device = DEVICES[name](tmp_path)
    sensor = device.sensor()
    meter = Guarded(sensor, steady(device.clock), device.clock)
    started, before = device.joules, meter.joules()
    for step in range(180):
        watts = 3.0 if step < 20 or step > 160 else 25.0 if step < 40 else 14.0
        device.pass_time(0.5, watts + 0.01 * (step % 5))
        meter.joules()
    assert meter.source == f"measured:{name}"
    drawn = device.joules - started
    tolerance = 0.01 if sensor.kind == "counter" else 0.03
    assert meter.joules() - before == pytest.approx(drawn, rel=tolerance)
