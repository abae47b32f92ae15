"""`edgemind doctor`: lines for a person, JSON for programs, an exit code for both."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from edgemind.cli.doctor import lines
from edgemind.cli.main import app
from edgemind.doctor.base import Finding, Part, Site
from edgemind.doctor.examine import SCHEMA, part_names
from edgemind.doctor.libraries import Library
from edgemind.guard.lock import NetworkLock
from edgemind.guard.telemetry import OFFLINE, SWITCHES
from tests.doctor.machines import raspberry_pi
from tests.test_conditions import put


@pytest.fixture
def device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """The device that the command finds."""
    pi = raspberry_pi(tmp_path / "root")
    monkeypatch.setattr("edgemind.cli.doctor.site", lambda _: pi)
    return pi


def doctor(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["doctor", *arguments])


def test_lines_for_a_person(device: Site) -> None:
    done = doctor()
    assert done.exit_code == 0, done.output
    shown = done.stdout.splitlines()
    assert [line for line in shown if line in part_names()] == part_names()
    assert any(line.split()[:4] == ["ok", "rapl", "used:", "counts"] for line in shown)
    assert shown[-1].startswith("no problem, ") and "\x1b" not in done.stdout


def test_json(device: Site) -> None:
    done = doctor("--json")
    shown = json.loads(done.stdout)
    assert [*shown] == ["schema", "state", "parts"] and shown["schema"] == SCHEMA
    assert [*shown["parts"]] == part_names()
    for part in shown["parts"].values():
        for finding in part.values():
            assert [*finding] == ["state", "text", "value", "action"]
            assert finding["state"] in ("ok", "note")
    assert shown["parts"]["device"]["machine"]["value"] == "Raspberry Pi 5 Model B Rev 1.0"


def test_a_problem_is_an_exit_code(device: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = Site(device.place, {}, lambda _: Library(error="gone"), device.models)
    monkeypatch.setattr("edgemind.cli.doctor.site", lambda _: broken)
    assert doctor().exit_code == 1
    done = doctor("--json")
    assert done.exit_code == 1 and json.loads(done.stdout)["state"] == "problem"


def test_whether_the_network_is_locked(device: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def network() -> dict[str, object]:
        return dict(json.loads(doctor("--json").stdout)["parts"]["network"])

    found = network()
    assert found["lock"]["state"] == "note"  # type: ignore[index]
    assert found["lock"]["text"].startswith("open: nobody asked")  # type: ignore[index]
    assert "DO_NOT_TRACK" in found["telemetry"]["text"]  # type: ignore[index]
    lock = NetworkLock("seccomp", tested=True)
    monkeypatch.setattr("edgemind.doctor.parts.network.current_lock", lambda: lock)
    environment = dict.fromkeys((*SWITCHES, OFFLINE), "1")
    locked = Site(device.place, environment, device.library, cores_allowed=device.cores_allowed)
    monkeypatch.setattr("edgemind.cli.doctor.site", lambda _: locked)
    found = network()
    assert found["lock"]["value"] is True  # type: ignore[index]
    assert found["telemetry"]["text"] == "off"  # type: ignore[index]


def test_gpu_layers_ask_for_the_gpu(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Site] = []
    monkeypatch.setattr("edgemind.cli.doctor.examine", lambda site: asked.append(site) or [])
    assert doctor().exit_code == doctor("--gpu-layers", "-1").exit_code == 0
    assert [site.place.gpu for site in asked] == [False, True]
    put(home / ".config/edgemind", {"config.toml": "gpu_layers = -1\n"})
    assert doctor().exit_code == 0 and asked[2].place.gpu


@pytest.mark.parametrize("columns", [40, 60, 80, 110])
def test_lines_fit_a_terminal(columns: int) -> None:
    text = "a word and another " * 12
    found = [Part("part", (Finding("key", text, state="note", action=text),))]
    shown = ["".join(piece for piece, _ in line) for line in lines(found, columns)]
    assert max(map(len, shown[:-1])) <= columns
    assert sum(line.count("another") for line in shown) == 24
    assert len([*lines(found, None)]) == 5  # its name, text, action, a blank, the verdict


def test_a_long_name_has_a_line_of_its_own() -> None:
    found = [Part("models", (Finding("x" * 40, "fits"), Finding("short", "fits")))]
    shown = ["".join(piece for piece, _ in line) for line in lines(found, 60)]
    assert shown[1].endswith("x" * 40) and shown[2].split() == ["fits"]
    assert shown[3].split() == ["ok", "short", "fits"]
