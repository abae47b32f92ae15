"""Power sensors on the board, through Linux' hwmon: a Jetson's INA3221, ACPI power meters, others.

Only drivers whose figures are known to stand for the processor or more are taken: most of what
hwmon shows are single parts (disks, fans, graphics cards). Units: µJ, µW, mV, mA.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
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

RANK = 40
FOLDER = "sys/class/hwmon"
INPUT_RAILS = ("VDD_IN", "POM_5V_IN", "5V_IN", "VIN")
"""What feeds the whole of a Jetson, where the board measures it."""
PARTS_OF_RAILS = ("VDDQ", "NC")
"""Rails that another measured one feeds (the memory's: VIN_SYS_5V0), or that feed nothing."""
CHANNELS = range(1, 4)  # higher ones of an INA3221 are its shunts


@dataclass(frozen=True, slots=True)
class Rail:
    """One figure: how to read it, in watts or joules."""

    label: str
    read: Callable[[], float]


class Hwmon(Sensor):
    """The sum of some rails."""

    name = "hwmon"
    every = 0.1  # each figure may be a conversation over I2C
    limit_watts = 2000.0

    def __init__(self, kind: Kind, scope: Scope, rails: list[Rail]) -> None:
        self.kind: Kind = kind
        self.scope: Scope = scope
        self.rails = rails

    def read(self) -> float:
        total = sum(rail.read() for rail in self.rails)
        if self.kind == "power" and total <= 0:
            raise SensorFailed("it shows 0 W")
        return total


def hwmon(place: Place) -> Hwmon:
    """The board's sensors; raises `Unavailable`."""
    ina3221: list[Rail] = []
    others: list[Hwmon] = []
    for folder in sorted((place.root / FOLDER).glob("hwmon*")):
        try:
            driver = text_of(folder / "name")
        except OSError:
            continue
        if driver == "ina3221":
            ina3221 += _channels(folder)
        elif driver == "amd_energy":
            others.append(Hwmon("counter", "processor", [*_files(folder, "energy", "Esocket")]))
        elif driver == "power_meter" or driver.startswith("ina2"):
            others.append(Hwmon("power", "system", [*_files(folder, "power")]))
        elif driver == "macsmc_hwmon":
            others.append(Hwmon("power", "system", [*_files(folder, "power", "Total System")]))
    whole = [rail for rail in ina3221 if rail.label in INPUT_RAILS]
    rails = whole or [rail for rail in ina3221 if not rail.label.startswith(PARTS_OF_RAILS)]
    sensors = [Hwmon("power", "system", rails), *others]
    why = "no sensor of the board or the processor"
    for sensor in sensors:
        try:
            if sensor.rails:
                sensor.read()
                return sensor
        except PermissionError:
            why = "no permission"
        except (OSError, ValueError, SensorFailed):
            why = "its sensor cannot be read"
    raise Unavailable(why)


def _channels(folder: Path) -> Iterator[Rail]:
    """The three rails of an INA3221: millivolts times milliamperes."""
    for number in CHANNELS:
        rail = Rail(
            _label(folder / f"in{number}_label"),
            _product(folder / f"in{number}_input", folder / f"curr{number}_input"),
        )
        try:
            rail.read()
        except (FileNotFoundError, ValueError):
            continue
        except OSError as error:
            if error.errno == errno.ENODATA:  # a channel that is switched off
                continue
        yield rail


def _files(folder: Path, quantity: str, label: str = "") -> Iterator[Rail]:
    """`power1_input`, `energy2_input` and so on whose label begins with `label`."""
    averages = [] if quantity == "energy" else [*folder.glob("power*_average")]
    for path in sorted([*folder.glob(f"{quantity}*_input")] or averages):
        said = _label(path.with_name(f"{path.name.partition('_')[0]}_label"))
        if said.startswith(label):
            yield Rail(said, _micro(path))


def _label(path: Path) -> str:
    try:
        return text_of(path)
    except OSError:
        return ""


def _product(volts: Path, amperes: Path) -> Callable[[], float]:
    return lambda: number_of(volts) * number_of(amperes) * 1e-6


def _micro(path: Path) -> Callable[[], float]:
    return lambda: number_of(path) * 1e-6
