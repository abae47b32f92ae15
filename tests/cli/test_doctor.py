"""`edgemind doctor`: one table, also as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgemind.cli.doctor import Section
from edgemind.guard.lock import NetworkLock
from edgemind.guard.telemetry import OFFLINE, SWITCHES
from edgemind.meters.base import Place
from edgemind.meters.choose import sensor_names
from tests.cli.conftest import Program
from tests.meters.devices import RaplDevice


@pytest.fixture
def device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RaplDevice:
    """The device that the command finds."""
    made = RaplDevice(tmp_path)

    def place(**options: object) -> Place:
        return made.place(**options)

    monkeypatch.setattr("edgemind.cli.doctor.Place", place)
    return made


def test_the_table(program: Program, device: RaplDevice) -> None:
    done = program("doctor")
    assert done.exit_code == 0, done.stderr
    lines = done.stdout.partition("\n\n")[0].splitlines()
    assert lines[0].split() == ["meter", "used", "watts", "why"]
    assert lines[1].split()[:3] == ["rapl", "yes", "5.00"]
    assert [line.split()[0] for line in lines[1:]] == [*sensor_names(), "estimate"]
    assert sum(line.split()[1] == "yes" for line in lines[1:]) == 1
    assert lines[2].split()[1:] == ["no", "–", "no", "battery"]


def test_json(program: Program, device: RaplDevice) -> None:
    shown = json.loads(program("doctor", "--json").stdout)
    assert [*shown] == ["meters", "network"]
    assert shown["meters"][0] == {
        "meter": "rapl",
        "used": True,
        "watts": pytest.approx(5.0, rel=1e-3),
        "why": "counts the processor",
    }
    assert shown["meters"][1]["watts"] is None


def test_whether_the_network_is_locked(
    program: Program, device: RaplDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DO_NOT_TRACK", raising=False)
    rows = {
        row["network"]: row["state"]
        for row in json.loads(program("doctor", "--json").stdout)["network"]
    }
    assert rows["network"].startswith("open: nobody asked")  # not in this process
    assert rows["self-test"] == "no refusal seen" and "DO_NOT_TRACK" in rows["telemetry"]
    lock = NetworkLock("seccomp", tested=True)
    monkeypatch.setattr("edgemind.cli.doctor.current_lock", lambda: lock)
    for name in (*SWITCHES, OFFLINE):
        monkeypatch.setenv(name, "1")
    shown = program("doctor").stdout
    assert "network    locked\n" in shown and "telemetry  off\n" in shown


def test_gpu_layers_ask_for_the_gpu(program: Program, device: RaplDevice) -> None:
    assert "--gpu-layers" in program("doctor").stdout
    assert "edgemind[nvidia]" in program("doctor", "--gpu-layers", "-1").stdout


def test_a_section_is_aligned() -> None:
    section = Section("x", ("a", "bb"), (("long", 1.0), (None, True)))
    assert section.lines() == ["a     bb", "long  1.00", "–     yes"]
    assert section.to_values() == [{"a": "long", "bb": 1.0}, {"a": None, "bb": True}]
