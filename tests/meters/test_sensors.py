"""Each sensor on a fake device: what it shows, what it leaves out, why it is not there."""

from __future__ import annotations

import ctypes
import errno
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from edgemind.meters.base import Place, Program, SensorFailed, Unavailable
from edgemind.meters.battery import battery
from edgemind.meters.hwmon import hwmon
from edgemind.meters.macos import UUID_BYTES, UsageV6, macos
from edgemind.meters.nvidia import nvidia
from edgemind.meters.pmic import Pmic, pmic, rail_watts
from edgemind.meters.rapl import rapl
from tests.helpers import Clock
from tests.meters.devices import (
    DEVICES,
    PMIC_REST_WATTS,
    PMIC_TEXT,
    Answered,
    BatteryDevice,
    HwmonDevice,
    MacDevice,
    NvidiaDevice,
    NVMLError,
    PmicDevice,
    RaplDevice,
    write,
)

Deny = Callable[[str], None]


def value(reading: float | None) -> float:
    assert reading is not None
    return reading


@pytest.mark.parametrize("name", DEVICES)
def test_it_shows_what_is_drawn(tmp_path: Path, name: str) -> None:
    device = DEVICES[name](tmp_path)
    sensor = device.sensor()
    assert sensor.name == name
    first = sensor.read()
    device.pass_time(1.0, 12.0)
    if name == "pmic":
        sensor.read()  # the answer of the program that the reading before started
    shown = value(sensor.read())
    if sensor.kind == "counter":
        assert shown - value(first) == pytest.approx(12.0, rel=1e-6)
    else:
        assert shown == pytest.approx(12.0, rel=1e-3)
    assert shown < sensor.limit_watts or sensor.kind == "counter"
    sensor.close()
    sensor.close()


@pytest.mark.parametrize("name", ["rapl", "battery", "pmic", "hwmon"])
def test_an_empty_device_has_none(tmp_path: Path, name: str) -> None:
    probe = {"rapl": rapl, "battery": battery, "pmic": pmic, "hwmon": hwmon}[name]
    with pytest.raises(Unavailable, match=r"^no "):
        probe(Place(root=tmp_path))


# RAPL


def test_rapl_wraps(tmp_path: Path) -> None:
    device = RaplDevice(tmp_path)
    device.joules = 2 * device.WRAPS_AT * 1e-6 - 10
    device.show()
    sensor = device.sensor()
    before = value(sensor.read())
    for _ in range(4):
        device.pass_time(1.0, 8.0)
        after = value(sensor.read())
        assert after - before == pytest.approx(8.0, rel=1e-5)
        before = after


def test_rapl_that_runs_backwards_fails(tmp_path: Path) -> None:
    device = RaplDevice(tmp_path)
    sensor = device.sensor()
    device.break_it("backwards")
    with pytest.raises(SensorFailed, match="backwards"):
        sensor.read()


def test_psys_counts_where_it_is_more(tmp_path: Path) -> None:
    device = RaplDevice(tmp_path)
    folder = tmp_path / "sys/class/powercap/intel-rapl:2"
    write(folder / "name", "psys")
    write(folder / "max_energy_range_uj", device.WRAPS_AT)
    psys = write(folder / "energy_uj", 0)
    sensor = device.sensor()
    device.pass_time(1.0, 10.0)
    write(psys, 25_000_000)
    assert value(sensor.read()) == pytest.approx(25.0)
    device.pass_time(1.0, 10.0)  # a platform whose psys is dead
    assert value(sensor.read()) == pytest.approx(35.0)


def test_dram_is_not_in_the_package(tmp_path: Path) -> None:
    device = RaplDevice(tmp_path)
    folder = tmp_path / "sys/class/powercap/intel-rapl:0:1"
    write(folder / "name", "dram")
    write(folder / "max_energy_range_uj", device.WRAPS_AT)
    dram = write(folder / "energy_uj", 0)
    sensor = device.sensor()
    write(dram, 3_000_000)
    assert value(sensor.read()) == pytest.approx(3.0)


def test_rapl_without_permission(tmp_path: Path, deny: Deny) -> None:
    device = RaplDevice(tmp_path)
    deny("energy_uj")
    with pytest.raises(Unavailable, match="no permission"):
        device.sensor()


def test_rapl_with_nonsense(tmp_path: Path) -> None:
    device = RaplDevice(tmp_path)
    device.break_it("text")
    with pytest.raises(Unavailable, match="cannot be read"):
        device.sensor()


# Battery


@pytest.mark.parametrize("status", ["Charging", "Full", "Not charging", "Unknown"])
def test_a_battery_counts_only_while_it_is_discharged(tmp_path: Path, status: str) -> None:
    device = BatteryDevice(tmp_path)
    sensor = device.sensor()
    device.status = status
    device.show()
    with pytest.raises(Unavailable, match=status.lower()):
        device.sensor()
    with pytest.raises(SensorFailed, match="no longer"):
        sensor.read()


def test_current_times_voltage(tmp_path: Path) -> None:
    device = BatteryDevice(tmp_path)
    folder = tmp_path / "sys/class/power_supply/BAT0"
    (folder / "power_now").unlink()
    write(folder / "current_now", -1_500_000)  # some firmware gives a discharge a minus sign
    write(folder / "voltage_now", 12_000_000)
    assert device.sensor().read() == pytest.approx(18.0)


def test_two_batteries_of_which_one_rests(tmp_path: Path) -> None:
    device = BatteryDevice(tmp_path)
    folder = tmp_path / "sys/class/power_supply/BAT1"
    write(folder / "type", "Battery")
    status = write(folder / "status", "Not charging")
    write(folder / "power_now", 2_000_000)
    sensor = device.sensor()
    assert sensor.read() == pytest.approx(5.0)
    write(status, "Discharging")
    assert sensor.read() == pytest.approx(7.0)


# PMIC


def test_rails_are_paired_by_name() -> None:
    watts, rails = rail_watts(PMIC_TEXT.format(core="2.5"))
    assert rails == 3
    assert watts == pytest.approx(PMIC_REST_WATTS + 2.5 * 0.8)
    assert rail_watts("VCHI initialization failed") == (0.0, 0)
    with pytest.raises(ValueError, match="VDD_CORE"):
        rail_watts(PMIC_TEXT.format(core="nan"))


def test_a_pi_without_the_chip(tmp_path: Path) -> None:
    device = PmicDevice(tmp_path)
    device.text = 'error=1 error_msg="Command not registered"'
    with pytest.raises(Unavailable, match="knows no"):
        device.sensor()


def test_a_program_that_hangs_is_ended(tmp_path: Path) -> None:
    device = PmicDevice(tmp_path)
    hanging = Answered(None)
    with pytest.raises(Unavailable, match="does not answer"):
        pmic(device.place(start=lambda command: hanging))
    assert hanging.killed


def test_a_rail_that_is_gone_and_an_answer_that_is_old(tmp_path: Path) -> None:
    device = PmicDevice(tmp_path)
    sensor = device.sensor()
    assert sensor.read() is None
    device.pass_time(100.0, 9.0)
    assert sensor.read() is None, "what was asked long ago says nothing of now"
    assert value(sensor.read()) == pytest.approx(9.0)
    device.text = "\n".join(line for line in device.text.splitlines() if "3V3" not in line)
    sensor.read()
    with pytest.raises(SensorFailed, match="2 rails instead of 3"):
        sensor.read()


def test_the_program_really_runs(tmp_path: Path) -> None:
    script = f"import sys; sys.stdout.write({PMIC_TEXT.format(core='1.0')!r})"
    place = Place(root=tmp_path, start=lambda _: Program((sys.executable, "-c", script)))
    sensor = Pmic(place, tmp_path / "vcgencmd")
    assert sensor.read() is None
    running = sensor._running
    assert isinstance(running, Program)
    running._process.wait(60)
    assert sensor._watts(running.output() or "") == pytest.approx(PMIC_REST_WATTS + 0.8)
    sensor.close()


def test_programs_that_fail() -> None:
    with pytest.raises(SensorFailed, match="disappeared"):
        Program(("/nowhere/vcgencmd",))
    failing = Program((sys.executable, "-c", "raise SystemExit(3)"))
    failing._process.wait(60)
    with pytest.raises(SensorFailed, match="exit code 3"):
        failing.output()
    hanging = Program((sys.executable, "-c", "input()"))
    hanging.kill()
    assert hanging._process.returncode is not None


# hwmon


def test_rails_are_added_where_none_feeds_all(tmp_path: Path) -> None:
    device = HwmonDevice(tmp_path)
    folder = tmp_path / "sys/class/hwmon"
    for number, label in enumerate(("VDD_GPU_SOC", "VDD_CPU_CV", "VIN_SYS_5V0"), 1):
        write(folder / f"hwmon1/in{number}_label", label)
        write(folder / f"hwmon1/in{number}_input", 5000)
        write(folder / f"hwmon1/curr{number}_input", 1000 * number)
    write(folder / "hwmon2/name", "ina3221")
    write(folder / "hwmon2/in2_label", "VDDQ_VDD2_1V8AO")  # fed from VIN_SYS_5V0
    write(folder / "hwmon2/in2_input", 1800)
    write(folder / "hwmon2/curr2_input", 1000)
    assert device.sensor().read() == pytest.approx(30.0)


@pytest.mark.parametrize(
    ("driver", "files", "watts"),
    [
        ("power_meter", {"power1_average": 90_000_000}, 90.0),
        ("ina226", {"power1_input": 4_500_000}, 4.5),
        ("macsmc_hwmon", {"power1_input": 7, "power2_input": 6_000_000,
                          "power1_label": "Heatpipe Power", "power2_label": "Total System Power"},
         6.0),
    ],
)  # fmt: skip
def test_other_sensors_of_boards(
    tmp_path: Path, driver: str, files: dict[str, int | str], watts: float
) -> None:
    write(tmp_path / "sys/class/hwmon/hwmon3/name", driver)
    for name, content in files.items():
        write(tmp_path / "sys/class/hwmon/hwmon3" / name, content)
    sensor = hwmon(Place(root=tmp_path))
    assert (sensor.kind, sensor.scope) == ("power", "system")
    assert sensor.read() == pytest.approx(watts)


def test_sockets_are_counted_and_cores_are_not(tmp_path: Path) -> None:
    folder = tmp_path / "sys/class/hwmon/hwmon0"
    write(folder / "name", "amd_energy")
    for number, (label, energy) in enumerate((("Ecore000", 5), ("Esocket0", 70), ("Esocket1", 30))):
        write(folder / f"energy{number}_label", label)
        write(folder / f"energy{number}_input", energy * 1_000_000)
    sensor = hwmon(Place(root=tmp_path))
    assert (sensor.kind, sensor.scope) == ("counter", "processor")
    assert sensor.read() == pytest.approx(100.0)


def test_a_channel_that_is_off_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    device = HwmonDevice(tmp_path)
    folder = tmp_path / "sys/class/hwmon/hwmon1"
    write(folder / "in1_label", "VDD_CPU_GPU_CV")

    def read(path: Path) -> float:
        if path.name == "in3_input":
            raise OSError(errno.ENODATA, "No data available")
        return float(path.read_text())

    monkeypatch.setattr("edgemind.meters.hwmon.number_of", read)
    assert device.sensor().read() == pytest.approx(7.5)


def test_hwmon_without_permission_or_with_nonsense(tmp_path: Path, deny: Deny) -> None:
    device = HwmonDevice(tmp_path)
    device.break_it("backwards")
    with pytest.raises(Unavailable, match="cannot be read"):
        device.sensor()
    deny("curr")
    with pytest.raises(Unavailable, match="no permission"):
        device.sensor()


# NVIDIA


def test_nvml_is_not_even_imported_without_a_gpu_in_use(tmp_path: Path) -> None:
    def never(name: str) -> object:
        raise AssertionError(name)

    with pytest.raises(Unavailable, match="--gpu-layers"):
        nvidia(Place(root=tmp_path, find_module=never))


def test_reasons_against_nvidia(tmp_path: Path) -> None:
    device = NvidiaDevice(tmp_path)

    def missing(name: str) -> object:
        raise ImportError(name)

    with pytest.raises(Unavailable, match=r"edgemind\[nvidia\]"):
        nvidia(device.place(gpu=True, find_module=missing))

    def failing() -> None:
        raise NVMLError("Driver Not Loaded")

    module = SimpleNamespace(NVMLError=NVMLError, nvmlInit=failing)
    with pytest.raises(Unavailable, match="Driver Not Loaded"):
        nvidia(device.place(gpu=True, find_module=lambda _: module))
    empty = SimpleNamespace(NVMLError=NVMLError, nvmlInit=int, nvmlDeviceGetCount=int)
    with pytest.raises(Unavailable, match="no GPU"):
        nvidia(device.place(gpu=True, find_module=lambda _: empty))
    device.break_it("denied")
    with pytest.raises(Unavailable, match="Insufficient Permissions"):
        device.sensor()


# macOS


def test_the_struct_is_apples() -> None:
    assert ctypes.sizeof(UsageV6) == UUID_BYTES + 56 * 8 == 464


def test_no_mac_and_a_mac_without_the_figure(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="not macOS"):
        macos(Place(root=tmp_path, system="linux"))
    device = MacDevice(tmp_path, Clock())
    device.joules = 0
    device.show()
    with pytest.raises(SensorFailed, match="no such counter"):
        device.sensor()
