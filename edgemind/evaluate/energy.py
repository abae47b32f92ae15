"""Fit the estimate's watts to a counter: let the device idle, let it work, and compare.

Reached through `edgemind calibrate --energy`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edgemind.errors import ConfigError
from edgemind.meters.base import Place, Sensor, SensorFailed, reason
from edgemind.meters.choose import device_sensor
from edgemind.meters.fit import Stretch

COUNTER_SECONDS = 10.0
POWER_SECONDS = 60.0
SETTLE_SECONDS = 30.0
"""A battery's figure says what was drawn up to half a minute ago."""
SLICE_SECONDS = 1.0

NO_COUNTER = (
    "there is no counter of energy here to fit the estimate to (a battery counts only while it is "
    "discharged): edgemind doctor says why"
)


@dataclass(frozen=True, slots=True)
class Load:
    """One kind of work: its name, and a function that works for about so many seconds."""

    name: str
    work: Callable[[float], None]


def find_counter(place: Place) -> Sensor:
    """The sensor to fit to; `ConfigError` where there is none."""
    sensor = device_sensor(place)
    if sensor is None:
        raise ConfigError(NO_COUNTER)
    return sensor


def stretch_seconds(sensor: Sensor) -> tuple[float, float]:
    """How long to settle and how long to measure at each load."""
    if sensor.kind == "counter":
        return 1.0, COUNTER_SECONDS
    return SETTLE_SECONDS, POWER_SECONDS


def measure(
    loads: Sequence[Load], sensor: Sensor, cpu_seconds: Callable[[], float], place: Place
) -> list[Stretch]:
    """One stretch for each load; `ConfigError` where the counter fails meanwhile."""
    settle, last = stretch_seconds(sensor)
    try:
        return [_one(load, sensor, cpu_seconds, place, settle, last) for load in loads]
    except (SensorFailed, OSError, ValueError) as error:
        raise ConfigError(f"{sensor.name} failed while measuring: {reason(error)}") from None


def _one(
    load: Load,
    sensor: Sensor,
    cpu_seconds: Callable[[], float],
    place: Place,
    settle: float,
    last: float,
) -> Stretch:
    """Work in slices and read the sensor after each: power is summed, counters are subtracted."""
    started = place.clock()
    while place.clock() - started < settle:
        load.work(SLICE_SECONDS)
    before = _read(sensor, place)
    started, cpu_before, joules = place.clock(), cpu_seconds(), 0.0
    now, value = started, before
    while now - started < last:
        load.work(SLICE_SECONDS)
        latest = sensor.read()
        later = place.clock()
        if sensor.kind == "power":
            watts = value if latest is None else (value + latest) / 2
            joules += watts * (later - now)
        value, now = value if latest is None else latest, later
    if sensor.kind == "counter":
        joules = value - before
    return Stretch(cpu_seconds() - cpu_before, now - started, joules)


def _read(sensor: Sensor, place: Place) -> float:
    """The next figure; a slow sensor is asked until it has one."""
    deadline = place.clock() + sensor.stale_seconds
    while (value := sensor.read()) is None:
        if place.clock() > deadline:
            raise SensorFailed("no answer")
        place.wait(sensor.every)
    return value
