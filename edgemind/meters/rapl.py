"""RAPL: the energy counters of Intel and AMD processors, through Linux' powercap.

`/sys/class/powercap/intel-rapl:N` is a package (or psys), `intel-rapl:N:M` a part of it. Packages
are summed, with their `dram`, which is not a part of the package's own figure. `psys` is the whole
platform, packages included: of the two the larger counts, since boards exist whose psys is dead.
Since 2020 (CVE-2020-8694) only root may read the counters, unless the administrator says otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edgemind.meters.base import (
    Kind,
    Place,
    Scope,
    Sensor,
    SensorFailed,
    Unavailable,
    number_of,
    text_of,
)

RANK = 10
FOLDER = "sys/class/powercap"
MICRO = 1e-6
PACKAGE_WATTS = 1000.0  # no package draws more


@dataclass(slots=True)
class Domain:
    """One counter: its folder, where it wraps, what it showed last and all joules since."""

    folder: Path
    wraps_at: float
    last: float
    joules: float = 0.0

    def advance(self) -> float:
        """Read it; joules since it was opened. A step back is a wrap if it is a plausible one."""
        value = number_of(self.folder / "energy_uj")
        step = value - self.last
        if step < 0:
            step += self.wraps_at
            if not 0 <= step <= self.wraps_at / 2:
                raise SensorFailed("ran backwards")
        self.last = value
        self.joules += step * MICRO
        return self.joules


class Rapl(Sensor):
    """All packages of the machine as one counter."""

    name = "rapl"
    kind: Kind = "counter"
    scope: Scope = "processor"  # with psys more, but not for certain a graphics card
    every = 0.01  # the counters move once a millisecond

    def __init__(self, packages: list[Domain], platform: list[Domain]) -> None:
        self._packages = packages
        self._platform = platform
        self._seen = (0.0, 0.0)
        self._joules = 0.0
        self.limit_watts = PACKAGE_WATTS * len(packages or platform)

    def read(self) -> float:
        seen = (
            sum(domain.advance() for domain in self._packages),
            sum(domain.advance() for domain in self._platform),
        )
        self._joules += max(now - before for now, before in zip(seen, self._seen, strict=True))
        self._seen = seen
        return self._joules


def rapl(place: Place) -> Rapl:
    """The counters of this machine; raises `Unavailable`."""
    folder = place.root / FOLDER
    packages: list[Domain] = []
    platform: list[Domain] = []
    denied = broken = False
    for path in sorted(folder.glob("intel-rapl:*")):
        try:
            label = text_of(path / "name")
            inner = path.name.count(":") > 1
            if inner and label != "dram":
                continue  # core and uncore are parts of their package
            value = number_of(path / "energy_uj")
            wraps_at = number_of(path / "max_energy_range_uj")
        except PermissionError:
            denied = True
            continue
        except (OSError, ValueError):
            broken = True
            continue
        (platform if label == "psys" else packages).append(Domain(path, wraps_at, value))
    if denied:
        raise Unavailable("no permission to read energy_uj: only root may, on most systems")
    if not packages and not platform:
        raise Unavailable("the counters cannot be read" if broken else f"no /{FOLDER}/intel-rapl:*")
    return Rapl(packages, platform)
