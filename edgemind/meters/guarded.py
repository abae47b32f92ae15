"""A sensor that may fail as a meter that may not: it never falls, never raises, says its source.

Between two readings the estimate goes on, in the proportion that the sensor has shown to it; when a
reading comes, it counts. Where the estimate had run ahead, the meter stands still until the sensor
has caught up. A sensor that disappears, denies, jumps, runs backwards, goes stale or shows nonsense
is given up, and the estimate goes on from the last good reading, in the proportion known by then.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

from edgemind.budget import Meter
from edgemind.meters.base import Sensor, SensorFailed, reason
from edgemind.meters.cpu_time import FRESH_SECONDS

READ_SHARE = 0.005
"""Most of one core that reading the sensor may cost: one that takes long is read seldom."""
SLACK_SECONDS = 0.1
"""A counter may show at once what it gathered in so long."""
HALF_LIFE_SECONDS = 10.0
PRIOR_JOULES = 1.0
"""How soon the proportion forgets, and how much a first reading has to show against the old one."""
LEAST_SCALE, MOST_SCALE = 0.1, 10.0


class Guarded:
    """A meter over one sensor and the estimate. Any thread may ask.

    `scale` is the sensor's joules for one of the estimate's, as known from before.
    """

    def __init__(
        self,
        sensor: Sensor,
        estimate: Meter,
        clock: Callable[[], float] = time.monotonic,
        scale: float = 1.0,
    ) -> None:
        self.sensor = sensor
        self.failure = ""
        self.readings = 0
        self._estimate = estimate
        self._clock = clock
        self._lock = threading.Lock()
        self._joules = (scale * PRIOR_JOULES, PRIOR_JOULES)  # fading sums: measured, estimated
        self._shown = 0.0
        self._known = 0.0  # what the sensor said, up to the anchor
        self._anchor = (clock(), estimate.joules())
        self._last: float | None = None
        self._changed = self._due = self._fresh_until = self._anchor[0]
        self._cost = 0.0
        self.joules()

    @property
    def source(self) -> str:
        """`measured:<meter>`, or `estimated` and why."""
        if self.failure:
            return f"estimated ({self.sensor.name} failed: {self.failure})"
        if not self.readings:
            return f"estimated ({self.sensor.name}: no reading yet)"
        return f"measured:{self.sensor.name}"

    @property
    def scale(self) -> float:
        """The sensor's joules for one of the estimate's."""
        measured, estimated = self._joules
        return min(max(measured / estimated, LEAST_SCALE), MOST_SCALE)

    def joules(self) -> float:
        """Joules since this meter was made."""
        now = self._clock()
        if now < self._fresh_until:
            return self._shown
        with self._lock:
            if not self.failure and now >= self._due:
                self._read(now)
            since = max(0.0, self._estimate.joules() - self._anchor[1])
            self._shown = max(self._shown, self._known + since * self.scale)
            fresh = now + FRESH_SECONDS
            self._fresh_until = fresh if self.failure else min(fresh, self._due)
            return self._shown

    def _read(self, now: float) -> None:
        try:
            value = self.sensor.read()
            after = self._clock()
            self._pace(now, after)
            self._take(value, after)
        except (SensorFailed, OSError, ValueError) as error:
            self.failure = reason(error)
            self.sensor.close()

    def _pace(self, before: float, after: float) -> None:
        """When to read next: a reading that takes a millisecond is due five times a second."""
        cost = max(0.0, after - before)
        self._cost = cost if self._last is None else self._cost + 0.2 * (cost - self._cost)
        seldom = min(self._cost / READ_SHARE, self.sensor.stale_seconds / 4)
        self._due = after + max(self.sensor.every, seldom)

    def _take(self, value: float | None, now: float) -> None:
        """Let a reading count; `SensorFailed` where it cannot be right."""
        if value is None or value == self._last:
            if now - self._changed > self.sensor.stale_seconds:
                raise SensorFailed(f"nothing new for {now - self._changed:.0f} s")
            return
        if not (math.isfinite(value) and value >= 0):
            raise SensorFailed("not a number")
        estimate = self._estimate.joules()
        seconds = max(0.0, now - self._anchor[0])
        estimated = max(0.0, estimate - self._anchor[1])
        if self.sensor.kind == "power" and value > self.sensor.limit_watts:
            raise SensorFailed(f"jumped to {value:.3g} W")
        if self._last is None:
            self._known += estimated * self.scale  # before the first reading there was only this
        else:
            joules = self._between(self._last, value, seconds, estimated)
            self._known += joules
            self.readings += 1
            fading = 0.5 ** (seconds / HALF_LIFE_SECONDS)
            self._joules = (
                self._joules[0] * fading + joules,
                self._joules[1] * fading + max(estimated, 1e-9),
            )
        self._last, self._changed, self._anchor = value, now, (now, estimate)

    def _between(self, last: float, value: float, seconds: float, estimated: float) -> float:
        """Joules between two readings."""
        if self.sensor.kind == "counter":
            joules = value - last
            if joules < 0:
                raise SensorFailed("ran backwards")
            if joules > self.sensor.limit_watts * (seconds + SLACK_SECONDS):
                raise SensorFailed(f"jumped by {joules:.3g} J in {seconds:.2g} s")
            return joules
        # Two moments say how much at least and at most; the estimate says when it changed.
        low, high = sorted((last * seconds, value * seconds))
        return min(max(estimated * self.scale, low), high)


class Joint:
    """A meter of the device and one of its GPUs, added up."""

    def __init__(self, device: Meter, gpu: Guarded) -> None:
        self._device = device
        self._gpu = gpu

    @property
    def source(self) -> str:
        """`measured:` only if both are."""
        device, gpu = self._device.source, self._gpu.source
        if device.startswith("measured:") and gpu.startswith("measured:"):
            return f"{device}+{self._gpu.sensor.name}"
        if gpu.startswith("measured:"):
            return f"{device} + {gpu}"
        return gpu if device.startswith("measured:") else f"{device} + {gpu}"

    def joules(self) -> float:
        """Joules of both."""
        return self._device.joules() + self._gpu.joules()
