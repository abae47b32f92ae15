"""The doctor on made-up machines: what it says, what to do about it, and that it never fails."""

from __future__ import annotations

import json
import signal
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from edgemind.choosing import person_library
from edgemind.device.processor import CPUS
from edgemind.doctor import examine as examining
from edgemind.doctor.base import Finding, Site
from edgemind.doctor.examine import as_values, examine, part_names, worst
from edgemind.doctor.libraries import Library
from edgemind.doctor.parts import models as models_part
from edgemind.doctor.parts.learned import ranges
from edgemind.doctor.words import LLAMA
from edgemind.folders import data_folder
from tests.device.test_device import GB
from tests.doctor.machines import LLAMA_FACTS, libraries, raspberry_pi
from tests.meters.devices import RaplDevice
from tests.test_conditions import put


@pytest.fixture
def pi(tmp_path: Path) -> Site:
    return raspberry_pi(tmp_path / "root")


def findings(site: Site) -> dict[str, dict[str, Finding]]:
    return {part.key: {one.key: one for one in part.findings} for part in examine(site)}


def test_a_machine_in_good_order(pi: Site) -> None:
    found = findings(pi)
    assert [*found] == part_names()
    assert found["device"]["machine"].text == "Raspberry Pi 5 Model B Rev 1.0"
    assert found["device"]["system"].text.startswith("Raspberry Pi OS, kernel ")
    assert "4 physical cores; 4 threads" in found["processor"]["cores"].text
    assert found["processor"]["instructions"].text.startswith("dotprod fp16 NEON")
    assert found["memory"]["available"].value == 6_000_000 << 10
    assert found["meters"]["rapl"].value == {
        "used": True,
        "watts": pytest.approx(5.0, rel=1e-3),
        "why": "counts the processor",
    }
    assert found["libraries"]["onnxruntime"].text == "1.30, providers CPU"
    assert found["models"]["edgemind-nano"].state == "ok"
    assert found["learned"]["edgemind-nano"].value == {
        "calibration": "shipped",
        "costs_measured": False,
        "widths": [],
    }
    assert not [one for part in found.values() for one in part.values() if "failed" in one.key]
    states = {(name, one.key) for name, part in found.items() for one in part.values()
              if one.state != "ok"}  # fmt: skip
    # Nobody locked this process; and a kernel may lack Landlock.
    assert states - {("network", "landlock")} == {("network", "lock")}


def test_a_frozen_program_is_not_told_of_pip(pi: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgemind.doctor.parts.device._installed", lambda _: False)
    assert "-m pip install" in (findings(pi)["device"]["extras"].action or "")
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert "a Python of your own" in (findings(pi)["device"]["extras"].action or "")


def test_every_note_says_what_to_do(pi: Site) -> None:
    put(
        pi.root,
        {
            "proc/loadavg": "7.0 1 1 1/1 1",
            "sys/fs/cgroup/cpu.max": "150000 100000",
            "sys/fs/cgroup/memory.max": str(60 << 20),
            "sys/class/thermal/thermal_zone0/temp": "91000",
            "sys/devices/platform/soc/soc:firmware/get_throttled": "e0008",
            f"{CPUS}/cpu0/cpufreq/scaling_governor": "powersave",
            "proc/meminfo": "MemTotal: 8000000 kB\nMemAvailable: 400000 kB\n"
            "SwapTotal: 4000000 kB\nSwapFree: 100 kB\n",
        },
    )
    slow = {**LLAMA_FACTS, "features": {"CPU": {"NEON": "1", "DOTPROD": "0"}}, "package": "0.3.1"}
    site = replace(
        pi,
        library=libraries(Library(slow), Library(error="no such file")),
        environment={"OMP_WAIT_POLICY": "ACTIVE"},
    )
    found = findings(site)
    noted = {
        (name, one.key): one for name, part in found.items() for one in part.values()
        if one.state != "ok"
    }  # fmt: skip
    assert noted.keys() >= {
        ("processor", "limit"),
        ("processor", "instructions"),
        ("memory", "available"),
        ("memory", "limit"),
        ("memory", "swap"),
        ("libraries", "llama"),
        ("libraries", "onnxruntime"),
        ("conditions", "clocks"),
        ("conditions", "heat"),
        ("conditions", "throttled"),
        ("conditions", "load"),
        ("conditions", "openmp"),
        ("models", "edgemind-nano"),
    }
    assert all(one.action for one in noted.values())
    assert "threads = 1" in noted["processor", "limit"].action
    unused = noted["processor", "instructions"]
    assert "without DOTPROD" not in unused.text and "without dotprod fp16" in unused.text
    assert "GGML_NATIVE=ON" in unused.action and LLAMA in unused.action
    assert noted["models", "edgemind-nano"].state == "problem"
    assert "does not fit now" in noted["models", "edgemind-nano"].text


@pytest.mark.parametrize("left", [80 << 20, 100 << 20, 200 << 20])
def test_whether_a_model_fits(pi: Site, left: int) -> None:
    put(pi.root, {"sys/fs/cgroup/memory.max": str(left)})
    [found] = findings(pi)["models"].values()
    assert isinstance(found.value, dict)
    needed = found.value["memory"]
    assert found.value["fits"] == {width: need <= left for width, need in needed.items()}
    fits = [*found.value["fits"].values()]
    assert found.state == {(True, True): "ok", (True, False): "note"}.get(
        (fits[0], fits[1]), "problem"
    )


def test_a_library_of_another_processor(pi: Site) -> None:
    broken = Library(error="loading it ends with signal 4", signal=int(signal.SIGILL))
    found = findings(replace(pi, library=libraries(broken)))
    assert "does not have" in found["processor"]["instructions"].text
    assert found["libraries"]["llama"].state == "problem"
    assert "GGML_NATIVE" in found["libraries"]["llama"].action


@pytest.mark.parametrize("name", ["edgemind-nano.gguf", "edgemind-nano-onnx"])
def test_a_library_that_nobody_needs(
    pi: Site, monkeypatch: pytest.MonkeyPatch, nano: Path, name: str
) -> None:
    monkeypatch.setenv("EDGEMIND_MODEL", str(nano.with_name(name)))
    gone = Library(error="gone")
    found = findings(replace(pi, library=libraries(gone, gone)))["libraries"]
    needed, other = ("llama", "onnxruntime")[:: 1 if name.endswith("gguf") else -1]
    assert (found[needed].state, found[other].state) == ("problem", "note")


def test_a_default_model_that_is_gone(pi: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEMIND_MODEL", "no-such-model")
    found = findings(pi)["models"]
    assert found["default"].state == "problem" and "no-such-model" in found["default"].text
    assert found["default"].action == "unset EDGEMIND_MODEL"
    assert found["edgemind-nano"].state == "ok"


def test_a_model_by_its_path(pi: Site, monkeypatch: pytest.MonkeyPatch, nano: Path) -> None:
    folder = nano.with_name("edgemind-nano-onnx")
    monkeypatch.setenv("EDGEMIND_MODEL", str(folder))
    found = findings(pi)
    assert [*found["models"]] == ["edgemind-nano-onnx", "edgemind-nano"]
    assert "answers by default" in found["models"]["edgemind-nano-onnx"].text
    assert "edgemind-nano-onnx" in found["learned"]


def test_a_configuration_that_is_wrong(pi: Site, home: Path) -> None:
    file = home / ".config/edgemind/config.toml"
    put(file.parent, {file.name: "widht = 3\n"})
    found = findings(pi)
    assert found["folders"]["config"].state == "problem"
    assert "widht" in found["folders"]["config"].text
    assert found["models"]["edgemind-nano"].state == "ok"


def test_folders_that_cannot_be_written(
    pi: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("EDGEMIND_DATA_DIR", str(tmp_path / "file" / "data"))
    found = findings(pi)["folders"]["data"]
    assert found.state == "note" and "EDGEMIND_DATA_DIR" in found.action


def test_it_changes_nothing(pi: Site, home: Path) -> None:
    before = sorted(home.rglob("*"))
    examine(pi)
    assert sorted(home.rglob("*")) == before


def test_an_empty_machine(tmp_path: Path) -> None:
    """No /proc, no /sys, no library: everything is said not to be known, nothing fails."""
    place = RaplDevice(tmp_path / "other").place(root=tmp_path / "none")
    gone = Library(error="llama-cpp-python is missing")
    site = Site(place, {}, libraries(gone, gone), cores_allowed=frozenset({0}))
    found = examine(site)
    assert all(one.action for part in found for one in part.findings if one.state != "ok")
    values = as_values(found)
    assert json.loads(json.dumps(values)) == values
    assert [*values["parts"]] == part_names()
    assert [one for part in found for one in part.findings if one.key == "failed"] == []
    assert worst(found) == "problem"


@pytest.mark.skipif(sys.platform != "linux", reason="files that cannot be read")
def test_a_machine_of_nonsense(pi: Site) -> None:
    for path in [one for one in pi.root.rglob("*") if one.is_file()]:
        path.write_bytes(b"\xff\xfe\0 -1 nan :: max")
    found = examine(replace(pi, place=replace(pi.place, wait=lambda _: None)))
    assert [one for part in found for one in part.findings if one.key == "failed"] == []


def test_a_part_that_fails_is_a_note(pi: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_site: Site) -> None:
        raise KeyError("odd")

    monkeypatch.setattr(models_part, "models", fail)
    found = findings(pi)
    assert found["models"]["failed"].state == "note" and "odd" in found["models"]["failed"].text
    assert found["learned"]["edgemind-nano"].state == "ok"


def test_each_library_is_asked_once(pi: Site) -> None:
    asked: list[str] = []

    def ask(name: str) -> Library:
        asked.append(name)
        return libraries()(name)

    examine(replace(pi, library=ask))
    assert sorted(asked) == ["llama", "onnx"]


def test_graphics_cards(pi: Site) -> None:
    put(pi.root, {"sys/class/drm/card0/device/vendor": "0x10de\n"})
    nvml = SimpleNamespace(
        nvmlInit=lambda: None,
        nvmlShutdown=lambda: None,
        nvmlDeviceGetCount=lambda: 1,
        nvmlDeviceGetHandleByIndex=lambda number: number,
        nvmlDeviceGetName=lambda _: b"RTX",
        nvmlSystemGetDriverVersion=lambda: "550",
    )
    site = replace(pi, place=replace(pi.place, find_module=lambda _: nvml))
    found = findings(site)["gpu"]
    assert found["llama"].state == "note" and "GGML_CUDA=ON" in found["llama"].action
    assert found["nvml"].text == "driver 550: RTX"
    card = {"name": "CUDA0", "description": "RTX", "kind": "gpu", "free": GB, "total": 2 * GB}
    seen = Library({**LLAMA_FACTS, "devices": [card]})
    found = findings(replace(site, library=libraries(seen)))["gpu"]
    assert found["llama0"].text.startswith("RTX (CUDA0), 2.1 GB, 1.1 GB free")


def test_a_broken_driver(pi: Site) -> None:
    def fail() -> None:
        raise RuntimeError("Driver/library version mismatch")

    place = replace(pi.place, find_module=lambda _: SimpleNamespace(nvmlInit=fail))
    found = findings(replace(pi, place=place))["gpu"]["nvml"]
    assert found.state == "note" and "mismatch" in found.text


def test_a_catalogue_with_a_model_that_is_gone(pi: Site, nano: Path, tmp_path: Path) -> None:
    from edgemind.card import read_card

    copy = tmp_path / "copy.gguf"
    copy.write_bytes(nano.read_bytes())
    library = person_library(pytest.fail)
    entry = library.add("gone", copy, "link", read_card(copy).facts())
    copy.unlink()
    found = findings(pi)["models"]
    assert found["gone"].state == "note" and "models rm gone" in found["gone"].action
    library.use(entry)
    library.close()
    found = findings(pi)["models"]
    assert found["default"].state == "problem" and data_folder().exists()


def test_numbers_in_words() -> None:
    assert ranges(()) == "" and ranges((1,)) == "1" and ranges((1, 2, 3, 8)) == "1-3, 8"


def test_parts_have_ranks_of_their_own() -> None:
    ranks = [examining._module(name).RANK for name in part_names()]
    assert ranks == sorted(set(ranks))
