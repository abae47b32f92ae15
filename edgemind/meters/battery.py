"""The battery: what the whole device draws, while nothing charges it.

`/sys/class/power_supply/*` with type Battery: `power_now` (µW), or `current_now` (µA) times
`voltage_now` (µV). Some firmware gives a discharge a minus sign; figures change every 1 to 30 s.
"""

from __future__ import annotations

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

RANK = 20
FOLDER = "sys/class/power_supply"


class Battery(Sensor):
    """All batteries that are being discharged."""

    name = "battery"
    kind: Kind = "power"
    scope: Scope = "system"
    every = 1.0
    stale_seconds = 65.0  # two updates of the slowest firmware
    limit_watts = 400.0

    def __init__(self, folders: list[Path]) -> None:
        self._folders = folders

    def read(self) -> float:
        states = [text_of(folder / "status") for folder in self._folders]
        if "Charging" in states or "Discharging" not in states:
            raise SensorFailed("no longer discharging")
        pairs = zip(self._folders, states, strict=True)
        watts = sum(power(folder) for folder, state in pairs if state == "Discharging")
        if watts <= 0:
            raise SensorFailed("it shows 0 W")
        return watts


def power(folder: Path) -> float:
    """Watts that one battery gives."""
    try:
        return abs(number_of(folder / "power_now")) * 1e-6
    except FileNotFoundError:
        return abs(number_of(folder / "current_now") * number_of(folder / "voltage_now")) * 1e-12


def battery(place: Place) -> Battery:
    """This device's batteries; raises `Unavailable`."""
    folders, states = [], []
    for folder in sorted((place.root / FOLDER).glob("*")):
        try:
            if text_of(folder / "type") != "Battery":
                continue
            if (folder / "scope").exists() and text_of(folder / "scope") == "Device":
                continue  # a mouse's or a headset's
            states.append(text_of(folder / "status"))
            folders.append(folder)
        except OSError:
            continue
    if not folders:
        raise Unavailable("no battery")
    if "Charging" in states or "Discharging" not in states:
        raise Unavailable(f"not discharging ({states[0].lower() or 'no status'})")
    sensor = Battery(folders)
    sensor.read()
    return sensor
