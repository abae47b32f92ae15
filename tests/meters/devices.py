"""Devices that are not there: fake `/sys` trees, programs and libraries whose power a test sets.

Every device can be driven (`pass_time`) and broken (`break_it`) in the same ways.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

from edgemind.meters.base import Place, Running, Sensor, SensorFailed
from edgemind.meters.battery import battery
from edgemind.meters.hwmon import hwmon
from edgemind.meters.macos import ENERGY_FIELD, UsageV6, macos
from edgemind.meters.nvidia import nvidia
from edgemind.meters.pmic import pmic
from edgemind.meters.rapl import rapl
from tests.helpers import Clock

# Lines as vcgencmd prints them: each rail's current and voltage, apart, in another order; two
# voltages that have no current. `{core}` is what varies.
PMIC_TEXT = """\
 3V7_WL_SW_A current(0)=0.10000000A
   3V3_SYS_A current(1)=0.20000000A
  VDD_CORE_A current(7)={core}A
 3V7_WL_SW_V volt(8)=3.70000000V
   3V3_SYS_V volt(9)=3.30000000V
  VDD_CORE_V volt(15)=0.80000000V
     EXT5V_V volt(24)=5.10000000V
      BATT_V volt(25)=0.00000000V
"""
PMIC_REST_WATTS = 0.1 * 3.7 + 0.2 * 3.3


def write(path: Path, text: object) -> Path:
    """A small file as the kernel shows it: with a newline."""
    content = f"{text}\n"
    try:
        if path.read_text() == content:
            return path  # reading is cheaper
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


class Answered:
    """A program that has ended, with what it printed (or why not)."""

    def __init__(self, text: str | None, failure: str = "") -> None:
        self.text = text
        self.failure = failure
        self.killed = False

    def output(self) -> str | None:
        if self.failure:
            raise SensorFailed(self.failure)
        return self.text

    def kill(self) -> None:
        self.killed = True


class Device:
    """A device that draws `watts` over a fake clock. Subclasses show it in their own way."""

    counter = True

    def __init__(self, root: Path, clock: Clock | None = None) -> None:
        self.root = root
        self.clock = clock or Clock()
        self.joules = 1000.0
        self.watts = 5.0
        self.fault = ""
        self.show()

    def place(self, **changes: object) -> Place:
        def wait(seconds: float) -> None:
            self.pass_time(seconds, self.watts)

        options: dict[str, object] = {
            "root": self.root,
            "system": "linux",
            "clock": self.clock,
            "wait": wait,
            "start": self.start,
            "find_module": self.find_module,
        }
        return Place(**{**options, **changes})  # type: ignore[arg-type]

    def sensor(self) -> Sensor:
        raise NotImplementedError

    def start(self, command: Sequence[str]) -> Running:
        raise AssertionError(f"no program is called {command}")

    def find_module(self, name: str) -> object:
        raise ImportError(name)

    def pass_time(self, seconds: float, watts: float) -> None:
        """So many seconds at this power."""
        self.clock.now += seconds
        self.watts = watts
        self.joules += seconds * watts
        if self.fault != "stale":
            self.show()

    def break_it(self, fault: str) -> None:
        """From now on: missing, denied, nan, text, empty, backwards, jump or stale."""
        self.fault = fault
        self.show()

    def show(self) -> None:
        """Bring what can be read up to date."""
        if self.fault == "missing":
            shutil.rmtree(self.root / "sys", ignore_errors=True)
        else:
            self.write_figures()

    def figure(self, healthy: float) -> str:
        """A figure as it is shown, the fault considered."""
        match self.fault:
            case "nan":
                return "nan"
            case "text":
                return "N/A"
            case "empty":
                return ""
            case "backwards":
                return "17" if self.counter else "0"
            case "jump":
                return str(round(healthy * 1e4 + 1e12))
            case _:
                return str(round(healthy))

    def write_figures(self) -> None:
        raise NotImplementedError


class RaplDevice(Device):
    """Two packages with equal shares, a core domain that must not count, a copy through MMIO."""

    WRAPS_AT = 262_143_328_850

    def write_figures(self) -> None:
        folder = self.root / "sys/class/powercap"
        value = (self.joules * 1e6 / 2) % self.WRAPS_AT
        for name, label in (
            ("intel-rapl:0", "package-0"),
            ("intel-rapl:0:0", "core"),
            ("intel-rapl:1", "package-1"),
            ("intel-rapl-mmio:0", "package-0"),
        ):
            write(folder / name / "name", label)
            write(folder / name / "max_energy_range_uj", self.WRAPS_AT)
            write(folder / name / "energy_uj", self.figure(value))

    def sensor(self) -> Sensor:
        return rapl(self.place())


class BatteryDevice(Device):
    """A laptop on its battery; a mouse's battery and the mains besides."""

    counter = False
    status = "Discharging"

    def write_figures(self) -> None:
        folder = self.root / "sys/class/power_supply"
        write(folder / "AC/type", "Mains")
        write(folder / "BAT0/type", "Battery")
        write(folder / "BAT0/status", self.status)
        write(folder / "BAT0/power_now", self.figure(self.watts * 1e6))
        write(folder / "hid-mouse/type", "Battery")
        write(folder / "hid-mouse/scope", "Device")
        write(folder / "hid-mouse/status", "Discharging")
        write(folder / "hid-mouse/power_now", 1)

    def sensor(self) -> Sensor:
        return battery(self.place())


class HwmonDevice(Device):
    """A Jetson: an INA3221 whose first rail feeds everything; a disk that must not count."""

    counter = False

    def write_figures(self) -> None:
        folder = self.root / "sys/class/hwmon"
        write(folder / "hwmon0/name", "nvme")
        write(folder / "hwmon0/power1_input", 9_000_000)
        write(folder / "hwmon1/name", "ina3221")
        for number, label, watts in (
            (1, "VDD_IN", self.watts),
            (2, "VDD_CPU_GPU_CV", self.watts / 2),
            (3, "VDD_SOC", self.watts / 4),
        ):
            write(folder / f"hwmon1/in{number}_label", label)
            write(folder / f"hwmon1/in{number}_input", 5000)
            write(folder / f"hwmon1/curr{number}_input", self.figure(watts * 1000 / 5))
        write(folder / "hwmon1/in7_label", "sum of shunt voltages")

    def sensor(self) -> Sensor:
        return hwmon(self.place())


class PmicDevice(Device):
    """A Raspberry Pi 5 whose vcgencmd answers at once, with the power of that moment."""

    counter = False
    text = ""

    def write_figures(self) -> None:
        write(self.root / "usr/bin/vcgencmd", "")
        core = (self.watts - PMIC_REST_WATTS) / 0.8
        shown = f"{core:.8f}" if self.fault in {"", "stale"} else self.figure(core)
        if self.fault == "backwards":
            shown = "-99.0"
        self.text = PMIC_TEXT.format(core=shown)

    def start(self, command: Sequence[str]) -> Running:
        assert list(command) == [str(self.root / "usr/bin/vcgencmd"), "pmic_read_adc"]
        failures = {"missing": "it disappeared", "denied": "no permission"}
        return Answered(self.text, failures.get(self.fault, ""))

    def sensor(self) -> Sensor:
        return pmic(self.place())


class NVMLError(Exception):
    """As the binding's."""


class NvidiaDevice(Device):
    """Two GPUs with equal shares, behind a module with the binding's functions."""

    value = ""

    def write_figures(self) -> None:
        self.value = self.figure(self.joules * 1000 / 2)

    def energy(self, device: int) -> float:
        assert device in {100, 101}
        if self.fault in {"missing", "denied"}:
            raise NVMLError({"missing": "GPU is lost"}.get(self.fault, "Insufficient Permissions"))
        return float(self.value)

    def find_module(self, name: str) -> object:
        assert name == "pynvml"
        return SimpleNamespace(
            NVMLError=NVMLError,
            nvmlInit=lambda: None,
            nvmlDeviceGetCount=lambda: 2,
            nvmlDeviceGetHandleByIndex=lambda index: 100 + index,
            nvmlDeviceGetTotalEnergyConsumption=self.energy,
        )

    def sensor(self) -> Sensor:
        return nvidia(self.place(gpu=True))


class MacDevice(Device):
    """A kernel that fills `rusage_info_v6`."""

    value = ""

    def write_figures(self) -> None:
        self.value = self.figure(self.joules * 1e9)

    def usage(self) -> UsageV6:
        if self.fault == "missing":
            raise OSError(0, "the kernel has no such figure")
        if self.fault == "denied":
            raise PermissionError
        usage = UsageV6()
        usage.fields[ENERGY_FIELD] = min(int(float(self.value)), 2**64 - 1)
        return usage

    def sensor(self) -> Sensor:
        return macos(self.place(system="darwin"), self.usage)


DEVICES: dict[str, type[Device]] = {
    "rapl": RaplDevice,
    "battery": BatteryDevice,
    "pmic": PmicDevice,
    "hwmon": HwmonDevice,
    "nvidia": NvidiaDevice,
    "macos": MacDevice,
}
FAULTS = ("missing", "denied", "nan", "text", "empty", "backwards", "jump", "stale")
