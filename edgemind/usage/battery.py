"""The charge of a battery that is draining, for limits that depend on it."""

from __future__ import annotations


def draining_percent() -> float | None:
    """Charge in per cent; None where there is no battery, or it is not draining."""
    import psutil

    if not hasattr(psutil, "sensors_battery"):
        return None
    try:
        battery = psutil.sensors_battery()
    except (
        OSError,
        ValueError,
        psutil.Error,
    ):  # files of the kernel that come, go and say nonsense
        return None
    if battery is None or battery.power_plugged:
        return None
    return float(battery.percent)
