"""The machine's state from made-up `/sys` and `/proc` trees, whole, odd and missing."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from edgemind.clock import steady_clock
from edgemind.conditions import Machine, machine_memory, memory
from edgemind.plan import narrowed


def put(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def supply(name: str, **fields: str) -> dict[str, str]:
    return {f"class/power_supply/{name}/{key}": f"{value}\n" for key, value in fields.items()}


@pytest.mark.parametrize(
    ("files", "source"),
    [
        ({}, "mains"),
        (supply("AC", type="Mains", online="1"), "mains"),
        (supply("BAT0", type="Battery", status="Discharging"), "battery"),
        (supply("BAT0", type="Battery", status="Charging"), "mains"),
        (supply("hid", type="Battery", status="Discharging", scope="Device"), "mains"),
        (
            supply("AC", type="Mains", online="1")
            | supply("BAT0", type="Battery", status="Discharging"),
            "battery",
        ),
    ],
)
def test_power_source(tmp_path: Path, files: dict[str, str], source: str) -> None:
    put(tmp_path, files)
    assert Machine(tmp_path, tmp_path).power_source() == source


def test_throttling_is_a_counter_that_rose_since_the_last_look(tmp_path: Path) -> None:
    home = "devices/system/cpu/cpu{}/thermal_throttle/{}_throttle_count"
    put(tmp_path, {home.format(n, kind): "7" for n in (0, 1) for kind in ("core", "package")})
    machine = Machine(tmp_path)
    assert [machine.throttled() for _ in range(2)] == [False, False]
    put(tmp_path, {home.format(1, "core"): "8"})
    assert [machine.throttled() for _ in range(2)] == [True, False]
    put(tmp_path, {home.format(1, "core"): "0"})
    assert not machine.throttled(), "counters start anew after a sleep"
    put(tmp_path, {home.format(1, "core"): "many"})
    assert not machine.throttled()


@pytest.mark.parametrize(
    ("text", "hot"),
    [("0", False), ("50005", True), ("4", True), ("1", False), ("e0000", False), ("what", False)],
)
def test_a_raspberry_pi_says_so_itself(tmp_path: Path, text: str, hot: bool) -> None:
    put(tmp_path, {"devices/platform/soc/soc:firmware/get_throttled": f"{text}\n"})
    assert Machine(tmp_path).throttled() is hot


def test_memory(tmp_path: Path) -> None:
    put(tmp_path, {"meminfo": "MemTotal: 4194304 kB\nMemFree: 1 kB\nMemAvailable: 2097152 kB\n"})
    assert memory(tmp_path) == (2 << 30, 4 << 30)
    assert Machine(proc_folder=tmp_path).short_of_memory() == 0
    put(tmp_path, {"meminfo": "MemTotal: 4194304 kB\nMemAvailable: 65536 kB\n"})
    assert Machine(proc_folder=tmp_path).short_of_memory() == 4.0
    put(tmp_path, {"meminfo": "nonsense"})
    assert Machine(proc_folder=tmp_path).short_of_memory() == 0


def test_memory_of_a_control_group(tmp_path: Path) -> None:
    """What a container may use bounds what there is, and what is low is a share of that."""
    proc, group = tmp_path / "proc", tmp_path / "sys/fs/cgroup"
    put(proc, {"meminfo": "MemTotal: 67108864 kB\nMemAvailable: 33554432 kB\n"})
    put(group, {"memory.max": str(2 << 30), "memory.current": str(1 << 30)})
    assert memory(proc) == (1 << 30, 2 << 30)
    assert machine_memory(proc) == (32 << 30, 64 << 30)
    assert Machine(proc_folder=proc).short_of_memory() == 0
    put(group, {"memory.current": str((2 << 30) - (64 << 20))})
    assert Machine(proc_folder=proc).short_of_memory() == 4.0
    put(group, {"memory.max": "max"})
    assert memory(proc) == (32 << 30, 64 << 30)
    put(proc, {"meminfo": "nonsense"})
    put(group, {"memory.max": str(1 << 30), "memory.current": "0"})
    assert memory(proc) == (1 << 30, 1 << 30)


def test_less_memory_fewer_samples() -> None:
    assert [narrowed(8, shortage) for shortage in (0, 0.5, 1, 2, 4, 100)] == [8, 8, 4, 2, 1, 1]
    assert narrowed(1, 100) == 1


def test_the_clock_goes_on_while_the_machine_sleeps(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def gettime(number: int) -> float:
        asked.append(number)
        return 5.0

    monkeypatch.setattr(time, "CLOCK_BOOTTIME", 7, raising=False)
    monkeypatch.setattr(time, "clock_gettime", gettime)
    assert steady_clock()() == 5.0
    assert set(asked) == {7}


def test_a_kernel_without_that_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_number: int) -> float:
        raise OSError("no such clock")

    monkeypatch.setattr(time, "CLOCK_BOOTTIME", 7, raising=False)
    monkeypatch.setattr(time, "clock_gettime", refuse)
    assert steady_clock() is time.monotonic
