"""The estimate: CPU seconds of this process and its children times watts, and a share of idling."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from edgemind.meters.cpu_time import (
    FRESH_SECONDS,
    LOOK_SECONDS,
    LOOK_SHARE,
    CpuTime,
    _psutil_seconds,
    descendants,
    living_seconds,
    reaped_seconds,
)
from edgemind.meters.estimate import MACHINES, OTHER, Estimate, Power, typical_power
from tests.helpers import Clock
from tests.meters.devices import write

POWER = Power("test", 5.0, 2.0, 0.5)


def test_joules_are_cpu_seconds_times_watts_and_idling() -> None:
    clock, seconds = Clock(), 2.0
    meter = Estimate(POWER, lambda: seconds, clock)
    assert meter.joules() == pytest.approx(10.0)
    seconds = 2.5
    assert meter.joules() == pytest.approx(12.5)
    clock.now += 3.0
    assert meter.joules() == pytest.approx(18.5)
    assert meter.source == "estimated"


@pytest.mark.parametrize(("machine", "power"), [*MACHINES.items(), ("x86_64", OTHER)])
def test_the_class_of_a_processor(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, machine: str, power: Power
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: machine)
    assert typical_power(tmp_path) == power


def test_a_board_says_its_name(tmp_path: Path) -> None:
    write(tmp_path / "proc/device-tree/model", "Raspberry Pi 5 Model B Rev 1.0\0")
    pi = typical_power(tmp_path, "aarch64")
    assert pi.core_watts * 4 + pi.idle_watts == pytest.approx(6.4), "measured at the board"
    write(tmp_path / "proc/device-tree/model", "Raspberry Pi 4 Model B Rev 1.5\0")
    assert typical_power(tmp_path).name == "a Raspberry Pi"


def test_it_says_how_sure_it_is() -> None:
    assert POWER.describe() == "5 W per busy core + 2 W, ±50%, typical of test"
    assert "fitted to rapl" in Power("test", 5.0, 2.0, 0.5, "rapl").describe()


def test_work_costs_energy() -> None:
    meter = Estimate(Power("test", 5.0, 0.0, 0.5), CpuTime(clock=iter(range(1000)).__next__))
    before = meter.joules()
    sum(number * number for number in range(300_000))
    assert meter.joules() > before


# CPU time


def process(proc: Path, pid: int, ticks: tuple[int, int, int, int], *children: int) -> None:
    """A fake `/proc/PID` of two threads, the second of which started the children."""
    numbers = " ".join(map(str, ticks))
    write(proc / str(pid) / "stat", f"{pid} (a ) b) S 1 1 1 0 -1 4194304 1 2 3 4 {numbers} 20 0 1")
    write(proc / str(pid) / "task" / str(pid) / "children", "")
    write(proc / str(pid) / "task" / str(pid + 1) / "children", " ".join(map(str, children)))


def test_children_and_theirs_are_found(tmp_path: Path) -> None:
    hertz = os.sysconf("SC_CLK_TCK")
    process(tmp_path, 10, (1, 1, 1, 1), 20, 30)
    process(tmp_path, 20, (hertz, hertz, 0, 0), 40)
    process(tmp_path, 30, (0, 0, hertz, hertz))
    process(tmp_path, 40, (3 * hertz, 0, 0, 0), 50)  # 50 has just ended
    assert [*descendants(tmp_path, 10)] == [20, 40, 50, 30]
    assert living_seconds(tmp_path, 10) == pytest.approx(7.0)


def test_without_the_kernels_list_psutil_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process(tmp_path, 10, (1, 1, 1, 1))
    (tmp_path / "10/task/10/children").unlink()
    monkeypatch.setattr("edgemind.meters.cpu_time._psutil_seconds", lambda pid: pid * 2.0)
    assert living_seconds(tmp_path, 10) == 20.0


BUSY = """
import sys, time
while time.process_time() < 0.2:
    pass
print("done", flush=True)
sys.stdin.read()
"""


def test_a_real_child_counts_alive_and_ended() -> None:
    cpu = CpuTime(own=lambda: 0.0)
    before = cpu()
    child = subprocess.Popen(
        [sys.executable, "-c", BUSY], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert child.stdout is not None
    child.stdout.readline()
    cpu._due = cpu._fresh_until = 0.0
    assert cpu() - before >= 0.18, "while it lives"
    assert _psutil_seconds(os.getpid()) >= 0.18
    child.communicate()
    cpu._fresh_until = 0.0
    after = cpu()
    assert 0.18 <= after - before <= 5.0
    assert reaped_seconds() >= 0.18
    cpu._due = cpu._fresh_until = 0.0
    assert cpu() == pytest.approx(after, abs=0.05), "and not twice"


def test_it_never_falls_and_looks_seldom() -> None:
    clock, looks = Clock(), 0
    living = [5.0]

    def look() -> float:
        nonlocal looks
        looks += 1
        clock.now += 0.01
        return living[0]

    cpu = CpuTime(own=lambda: 1.0, reaped=lambda: 0.0, living=look, clock=clock)
    assert cpu() == 6.0
    living[0] = 0.0
    started, looks = clock.now, 0
    while clock.now - started < 60:
        clock.now += 0.05
        assert cpu() == 6.0
    assert looks * 0.01 <= LOOK_SHARE * 60 * 1.1
    assert LOOK_SECONDS < 1


def test_a_child_that_was_reaped_is_not_counted_twice() -> None:
    clock, reaped, living = Clock(), 0.0, 3.0
    cpu = CpuTime(own=lambda: 0.0, reaped=lambda: reaped, living=lambda: living, clock=clock)
    assert cpu() == 3.0
    reaped, living = 3.5, 0.0
    assert cpu() == 3.0, "the last figure is fresh enough"
    clock.now += FRESH_SECONDS
    assert cpu() == 3.5
