"""Which meter: every module of this package is asked, the best one that works is taken.

Chosen anew at each answer, since a laptop may have been unplugged: `for_answer`. `list_meters` says
for each meter whether it is used, why not, and what it shows.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

import edgemind.meters
from edgemind.budget import Meter
from edgemind.meters.base import Place, Sensor, SensorFailed, Unavailable, reason
from edgemind.meters.cpu_time import CpuTime
from edgemind.meters.estimate import Estimate, Power, typical_power
from edgemind.meters.guarded import Guarded, Joint
from edgemind.meters.store import load_power

SUPPORT = {"base", "choose", "cpu_time", "estimate", "fit", "guarded", "store"}
ASK_AGAIN_SECONDS = 10.0
WATCH_SECONDS = 0.25
"""How long a listing looks at counters, to say watts."""
GPU_GUESS = Power("a GPU", 0.0, 100.0, 0.5)
"""What a GPU's counter is compared with between readings; the proportion is learned at once."""


@dataclass(frozen=True, slots=True)
class Found:
    """One meter asked: its sensor, or why there is none."""

    name: str
    sensor: Sensor | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Listed:
    """One line for a person: is the meter used, why (not), and what it shows now, in watts."""

    name: str
    used: bool
    why: str
    watts: float | None


def sensor_names() -> list[str]:
    """The keys of all meters but the estimate, best first."""
    modules = [module.name for module in pkgutil.iter_modules(edgemind.meters.__path__)]
    names = [name for name in modules if name not in SUPPORT]
    return sorted(names, key=lambda name: int(_module(name).RANK))


def find_sensor(name: str, place: Place) -> Found:
    """Ask one meter."""
    probe: Callable[[Place], Sensor] = getattr(_module(name), name)
    try:
        return Found(name, probe(place))
    except Unavailable as error:
        return Found(name, None, str(error))
    except (SensorFailed, OSError, ValueError) as error:
        return Found(name, None, reason(error))


def device_sensor(place: Place) -> Sensor | None:
    """The best sensor of the device or the processor, if there is one."""
    for name in sensor_names():
        found = find_sensor(name, place)
        if found.sensor is not None:
            if found.sensor.scope != "gpu":
                return found.sensor
            found.sensor.close()
    return None


def gpu_sensor(place: Place, device: Sensor | None) -> Sensor | None:
    """The sensor of the GPUs, where they are used and not in the device's figure already."""
    if not place.gpu or (device is not None and device.scope == "system"):
        return None
    found = [find_sensor(name, place) for name in sensor_names()]
    sensors = [one.sensor for one in found if one.sensor is not None]
    for sensor in sensors:
        if sensor.scope != "gpu":
            sensor.close()
    return next((sensor for sensor in sensors if sensor.scope == "gpu"), None)


class BestMeter:
    """The best meter of this device; as a `Meter` it is the estimate until it is chosen."""

    def __init__(self, place: Place | None = None, estimate: Estimate | None = None) -> None:
        self._place = place or Place()
        clock = self._place.clock
        power = load_power() or typical_power(self._place.root)
        self._estimate = estimate or Estimate(power, CpuTime(clock=clock), clock)
        self._gpu_estimate = Estimate(GPU_GUESS, lambda: 0.0, clock)
        self._sensors: list[Sensor] = []
        self._guards: list[Guarded] = []
        self._scales: dict[str, float] = {}
        self._ask_again = -float("inf")

    @property
    def source(self) -> str:
        """The source of the meter that was chosen last."""
        return self._guards[0].source if self._guards else self._estimate.source

    def joules(self) -> float:
        """Joules by the estimate."""
        return self._estimate.joules()

    def for_answer(self) -> Meter:
        """A meter for one answer. One that failed is tried again here, and not before."""
        now = self._place.clock()
        for guard in self._guards:
            self._scales[guard.sensor.name] = guard.scale
        if now >= self._ask_again or any(guard.failure for guard in self._guards):
            for sensor in self._sensors:
                sensor.close()
            device = device_sensor(self._place)
            gpu = gpu_sensor(self._place, device)
            self._sensors = [sensor for sensor in (device, gpu) if sensor is not None]
            self._ask_again = now + ASK_AGAIN_SECONDS
        self._guards = [self._guard(sensor) for sensor in self._sensors]
        meter: Meter = self._estimate
        for guard in self._guards:
            meter = guard if guard.sensor.scope != "gpu" else Joint(meter, guard)
        return meter

    def _guard(self, sensor: Sensor) -> Guarded:
        estimate = self._gpu_estimate if sensor.scope == "gpu" else self._estimate
        scale = self._scales.get(sensor.name, 1.0)
        return Guarded(sensor, estimate, self._place.clock, scale)

    def close(self) -> None:
        """Let go of the sensors."""
        for sensor in self._sensors:
            sensor.close()


def for_answer(meter: Meter) -> Meter:
    """The meter for the next answer: a chosen one may be another by now."""
    return meter.for_answer() if isinstance(meter, BestMeter) else meter


def list_meters(place: Place, power: Power | None = None) -> list[Listed]:
    """Every meter, best first, the estimate last; looks at them for a quarter of a second."""
    found = [find_sensor(name, place) for name in sensor_names()]
    working = [one.sensor for one in found if one.sensor is not None]
    best = next((sensor for sensor in working if sensor.scope != "gpu"), None)
    used = [best] if best is not None else []
    if best is None or best.scope != "system":
        used += [sensor for sensor in working if sensor.scope == "gpu"]
    power = power or load_power() or typical_power(place.root)
    estimate = Estimate(power, CpuTime(clock=place.clock), place.clock)
    before = [_value(sensor) for sensor in working], estimate.joules()
    started = place.clock()
    place.wait(WATCH_SECONDS)
    seconds = place.clock() - started
    watts = {
        sensor.name: _watts(sensor, first, seconds)
        for sensor, first in zip(working, before[0], strict=True)
    }
    rows = []
    for one in found:
        why = one.why
        if one.sensor is not None:
            if one.sensor in used:
                why = f"counts the {SEES[one.sensor.scope]}"
            else:
                why = f"{best.name} is better" if best is not None else "not needed"
            one.sensor.close()
        rows.append(Listed(one.name, one.sensor in used, why, watts.get(one.name)))
    estimated = (estimate.joules() - before[1]) / seconds if seconds > 0 else None
    why = power.describe() + (f"; between readings of {best.name}" if best is not None else "")
    return [*rows, Listed("estimate", best is None, why, estimated)]


SEES = {
    "system": "whole device",
    "processor": "processor",
    "process": "process",
    "gpu": "GPUs",
}


def _value(sensor: Sensor) -> float | None:
    try:
        return sensor.read()
    except (SensorFailed, OSError, ValueError):
        return None


def _watts(sensor: Sensor, before: float | None, seconds: float) -> float | None:
    now = _value(sensor)
    if sensor.kind == "power":
        return now if now is not None else before
    if now is None or before is None or seconds <= 0:
        return None
    return max(0.0, now - before) / seconds


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"edgemind.meters.{name}")
