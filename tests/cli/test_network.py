"""Every face under strace: no socket but the lock's self-test; without the lock none at all."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

import edgemind
from edgemind.cli import main
from edgemind.cli.prove import _root, places
from edgemind.evaluate.calibrate import LEAST
from edgemind.folders import cache_folder, data_folder
from edgemind.guard.evidence import OWN, PAIR, SELF_TEST, judge
from edgemind.guard.lock import NetworkLock
from scripts import random_model
from tests.engines import onnx_models
from tests.engines.conftest import tiny  # noqa: F401 (a fixture)
from tests.guard.children import ROOT, calls, linux, python, traced
from tests.guard.test_evidence import PLACES

LOCKED = (sys.executable, "-m", "edgemind")
UNLOCKED = (sys.executable, "-c", "from edgemind.cli.main import app; app()")
"""The same program but for `main`, which puts the lock on."""


def network(traces: Mapping[int, list[str]]) -> list[str]:
    """Why each network call of a run was allowed; itself where it was not."""
    found = judge(traces, 0, PLACES).findings
    return [one.group or one.what for one in found if one.kind == "network"]


def faces(model: Path, folder: Path) -> dict[str, tuple[list[str], bytes]]:
    questions = folder / "questions.jsonl"
    lines = [{"question": f"What is {one}+1?", "answer": str(one + 1)} for one in range(2)]
    questions.write_text("".join(json.dumps(line) + "\n" for line in lines))
    short = ["--model", str(model), "--threads", "1", "--tokens", "12"]
    return {
        "ask": (["ask", "What is 2+2?", *short, "--strategy", "vote"], b""),
        "chat": (["chat", *short], b"Hi\nAnd 2+2?\n"),
        "eval": (["eval", str(questions), *short, "--limit", "1", "--policies", "direct"], b""),
    }


@linux
@pytest.mark.parametrize("face", ["ask", "chat", "eval"])
def test_faces(face: str, tiny: Path, tmp_path: Path) -> None:  # noqa: F811
    arguments, given = faces(tiny, tmp_path)[face]
    locked = traced([*LOCKED, *arguments], tmp_path / "locked", given)
    assert list(calls(locked, "seccomp"))
    assert [one for one in network(locked) if one != PAIR] == [SELF_TEST]
    unlocked = traced([*UNLOCKED, *arguments], tmp_path / "unlocked", given)
    root = _root(unlocked)  # the child that renders its template is locked all the same
    assert not list(calls({root: unlocked[root]}, "seccomp"))
    assert [one for one in network(unlocked) if one != PAIR] == []


@linux
def test_calibrating(tmp_path: Path) -> None:
    """It opens no socket, reads the questions, and writes nothing but what it learns, in its place.

    A context that hardly holds the questions keeps the samples, and so the test, short.
    """
    model, questions = tmp_path / "model.gguf", tmp_path / "questions.jsonl"
    random_model.write_model(model, dataclasses.replace(random_model.SHAPES["tiny"], context=112))
    lines = [{"question": f"{one} + 2?", "answer": str(one + 2)} for one in range(LEAST)]
    questions.write_text("".join(json.dumps(line) + "\n" for line in lines))
    arguments = ["calibrate", str(model), "--data", str(questions), "--threads", "1"]
    may = places(str(model))
    may = dataclasses.replace(may, named=(*may.named, questions), here=ROOT)
    traces = traced([*UNLOCKED, *arguments, "--width", "2"], tmp_path / "trace")
    found = judge(traces, _root(traces), may)
    assert found.against == () and network(traces) == []
    changes = [one.what for one in found.findings if (one.kind, one.group) == ("write", OWN)]
    # The first look at a model is kept, too: its template, and that it loads.
    assert folders_of(changes) == {"calibrations", "costs", "templates", "trusted"}
    assert len([*(data_folder() / "calibrations").iterdir()]) == 1


def folders_of(changes: Iterable[str]) -> set[str]:
    """The folders below edgemind's own in which files were changed."""
    own = "|".join(re.escape(str(one.resolve())) for one in (data_folder(), cache_folder()))
    found = (re.fullmatch(rf"(?:\w+ )?(?:{own})/(\w+)/[^/]+", change) for change in changes)
    return {one[1] for one in found if one is not None}


@linux
def test_the_onnx_engine(tmp_path: Path) -> None:
    """onnxruntime, which reports by itself if it is let."""
    model = onnx_models.write(tmp_path / "model", onnx_models.Kind(kv_heads=2))
    asking = ["ask", "2+2?", "--model", str(model), "--threads", "1", "--tokens", "5"]
    home = tmp_path / "home"
    places = {"HOME": str(home), "XDG_CACHE_HOME": str(home / ".cache")}
    for name, program, expected in (("locked", LOCKED, [SELF_TEST]), ("unlocked", UNLOCKED, [])):
        traces = traced([*program, *asking], tmp_path / name, environment=places)
        assert any("onnxruntime" in line for line in calls(traces, "openat"))
        assert [one for one in network(traces) if one != PAIR] == expected
    assert {path.name for path in (home / ".cache").glob("*")} <= {"edgemind"}


@linux
def test_the_lock_is_on_before_an_engine_is_opened(tiny: Path, tmp_path: Path) -> None:  # noqa: F811
    traces = traced([*LOCKED, "ask", "2+2?", "--model", str(tiny), "--tokens", "3"], tmp_path / "t")
    lines = traces[_root(traces)]  # the probe, a child of it, is locked too
    place = next(i for i, line in enumerate(lines) if line.startswith("seccomp("))
    engine = [i for i, line in enumerate(lines) if "llama" in line and "edgemind" not in line]
    model = [i for i, line in enumerate(lines) if str(tiny) in line and line.startswith("open")]
    assert engine and model and place < min(*engine, *model)


LOAD = """
import json, os, sys
import edgemind
kwargs = json.loads(sys.argv[2])
before = "llama_cpp" in sys.modules
with edgemind.load(sys.argv[1], threads=1, **kwargs) as mind:
    answer = mind.ask("2+2?", budget=edgemind.Budget(tokens=3))
with edgemind.load(sys.argv[1], threads=1) as mind:
    later = mind.ask("2+2?", budget=edgemind.Budget(tokens=3))
names = ("ORT_DISABLE_TELEMETRY", "HF_HUB_DISABLE_TELEMETRY", "DO_NOT_TRACK", "HF_HUB_OFFLINE")
print(json.dumps([before, answer.network, later.network, json.loads(answer.to_json())["network"],
                  *(os.environ.get(name) for name in names)]))
"""


@linux
@pytest.mark.parametrize(
    ("options", "network", "offline"),
    [({}, "open", "0"), ({"lock": False}, "open", "0"), ({"lock": True}, "locked:seccomp", "1")],
)
def test_the_door_of_python(
    options: object,
    network: str,
    offline: str,
    tiny: Path,  # noqa: F811
    tmp_path: Path,
) -> None:
    environment = {"HF_HUB_OFFLINE": "0", "ORT_DISABLE_TELEMETRY": "0"}
    said = json.loads(python(LOAD, tmp_path, tiny, json.dumps(options), environment=environment))
    assert said == [False, network, network, network, "1", "1", "1", offline]


def test_a_lock_that_was_asked_for_and_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    none = NetworkLock("none", why="no such thing here")
    monkeypatch.setattr("edgemind.loading.lock_network", lambda: none)
    with pytest.raises(edgemind.PrivacyError, match="no such thing here"):
        edgemind.load(lock=True)


@pytest.fixture
def locks(monkeypatch: pytest.MonkeyPatch) -> list[NetworkLock]:
    """What `main` put on; here it can put on nothing, and the environment stays as it is."""
    made: list[NetworkLock] = []

    def lock_network() -> NetworkLock:
        made.append(NetworkLock("none", why="no such thing here"))
        return made[-1]

    monkeypatch.setattr(main, "lock_network", lock_network)
    monkeypatch.setattr(os, "environ", {})
    return made


def test_every_command_is_locked_but_those_that_load_no_model(
    locks: list[NetworkLock], capsys: pytest.CaptureFixture[str]
) -> None:
    for command in ("ask", "chat", "calibrate", "eval", "usage", "anything"):
        main.lock([command, "prove", "--quiet"])
        assert os.environ["ORT_DISABLE_TELEMETRY"] == os.environ["HF_HUB_OFFLINE"] == "1"
        said = capsys.readouterr().err
        assert said == "edgemind: the network is not locked: no such thing here\n"
    assert len(locks) == 6
    for words in (["models", "list"], ["models", "--x", "pull"], ["ask", "models", "pull"]):
        main.lock(words)
    capsys.readouterr()
    assert len(locks) == 9
    del locks[6:]
    main.lock(["--version"])
    assert capsys.readouterr().err == "" and len(locks) == 7
    for command in ("prove", "_child"):
        main.lock([command, "ask"])
    for words in (["models", "pull", "org/repo"], ["config", "edit"]):
        main.lock(words)
    assert len(locks) == 7
