"""macOS: the kernel's own figure for the energy of this process, which needs no root.

`proc_pid_rusage` with `RUSAGE_INFO_V6` (macOS 13) has `ri_energy_nj`, nanojoules that the process's
threads used on the cores of Apple silicon. Intel Macs leave it 0: there the estimate remains. The
GPU and children are not in it.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable

from edgemind.meters.base import Kind, Place, Scope, Sensor, SensorFailed, Unavailable

RANK = 60
LIBRARY = "/usr/lib/libproc.dylib"
RUSAGE_INFO_V6 = 6
UUID_BYTES = 16
FIELDS = 56  # 64-bit fields after the UUID, from Apple's sys/resource.h
ENERGY_FIELD = 40  # ri_energy_nj


class UsageV6(ctypes.Structure):
    """`struct rusage_info_v6`; only one field of it is of interest."""

    _fields_ = (("uuid", ctypes.c_uint8 * UUID_BYTES), ("fields", ctypes.c_uint64 * FIELDS))


def usage_of_this_process() -> UsageV6:
    """What the kernel says; `OSError` where it says nothing (before macOS 13)."""
    usage = UsageV6()
    library = ctypes.CDLL(LIBRARY)
    if library.proc_pid_rusage(os.getpid(), RUSAGE_INFO_V6, ctypes.byref(usage)):
        raise OSError(0, "the kernel has no such figure")
    return usage


class Macos(Sensor):
    """The process's energy as the kernel sees it."""

    name = "macos"
    kind: Kind = "counter"
    scope: Scope = "process"
    every = 0.02
    limit_watts = 500.0

    def __init__(self, usage: Callable[[], UsageV6]) -> None:
        self._usage = usage

    def read(self) -> float:
        nanojoules = int(self._usage().fields[ENERGY_FIELD])
        if not nanojoules:
            raise SensorFailed("this processor has no such counter")
        return nanojoules * 1e-9


def macos(place: Place, usage: Callable[[], UsageV6] = usage_of_this_process) -> Macos:
    """This process's counter; raises `Unavailable`."""
    if place.system != "darwin":
        raise Unavailable("not macOS")
    sensor = Macos(usage)
    sensor.read()
    return sensor
