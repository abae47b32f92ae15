"""The power management chip of a Raspberry Pi 5, through `vcgencmd pmic_read_adc`.

Sums voltage times current over the rails. What USB devices draw from the 5 V input and what the
chip itself loses are not among them. Asking 50 times a second slows decoding down sixfold, so the
program is started at most twice a second, and its answer is fetched later: nobody waits.
"""

from __future__ import annotations

import math
import re
from pathlib import Path

from edgemind.meters.base import Kind, Place, Running, Scope, Sensor, SensorFailed, Unavailable

RANK = 30
PROGRAMS = ("usr/bin/vcgencmd", "opt/vc/bin/vcgencmd")
LINE = re.compile(r"^\s*(\w+)_([AV])\s+(?:current|volt)\(\d+\)=(\S+?)[AV]\s*$", re.MULTILINE)
FIRST_ANSWER_SECONDS = 2.0
OLD_SECONDS = 2.0


class Pmic(Sensor):
    """The sum of all rails, in watts."""

    name = "pmic"
    kind: Kind = "power"
    scope: Scope = "system"
    every = 0.5
    limit_watts = 60.0

    def __init__(self, place: Place, program: Path) -> None:
        self._place = place
        self._command = (str(program), "pmic_read_adc")
        self._running: Running | None = None
        self._started = 0.0
        self._rails = 0

    def read(self) -> float | None:
        now, answer = self._place.clock(), None
        if self._running is not None:
            try:
                text = self._running.output()
            except SensorFailed:
                self._running = None
                raise
            if text is None:
                return None  # if it hangs, the guard notices that nothing new comes
            self._running = None
            if now - self._started <= OLD_SECONDS:  # else: of a moment long gone
                answer = self._watts(text)
        self._running, self._started = self._place.start(self._command), now
        return answer

    def close(self) -> None:
        """End the program, if it hangs."""
        if self._running is not None:
            self._running.kill()
            self._running = None

    def _watts(self, text: str) -> float:
        watts, rails = rail_watts(text)
        if rails < self._rails or not rails:
            raise SensorFailed(f"{rails} rails instead of {self._rails or 'some'}")
        self._rails = rails
        return watts


def rail_watts(text: str) -> tuple[float, int]:
    """Watts over all rails that have both figures, and how many have."""
    sides: dict[str, dict[str, float]] = {"A": {}, "V": {}}
    for rail, side, value in LINE.findall(text):
        number = float(value)
        if not math.isfinite(number):
            raise ValueError(f"{rail} is {number}")
        sides[side][rail] = number
    both = sides["A"].keys() & sides["V"].keys()
    return sum(sides["A"][rail] * sides["V"][rail] for rail in sorted(both)), len(both)


def pmic(place: Place) -> Pmic:
    """The chip of this Raspberry Pi; raises `Unavailable`."""
    found = [place.root / name for name in PROGRAMS if (place.root / name).exists()]
    if not found:
        raise Unavailable("no vcgencmd")
    sensor = Pmic(place, found[0])
    deadline = place.clock() + FIRST_ANSWER_SECONDS
    try:
        while sensor.read() is None:
            if place.clock() >= deadline:
                raise Unavailable("vcgencmd does not answer")
            place.wait(0.005)
    except (SensorFailed, ValueError):
        raise Unavailable("vcgencmd knows no pmic_read_adc here") from None
    finally:
        sensor.close()
    return sensor
