"""Cost models on disk: round trips, damaged files, and writers that are killed."""

from __future__ import annotations

import importlib.util
import json
import os
import random
import sys
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgemind.costs.forecast import Asked
from edgemind.costs.history import Work
from edgemind.costs.model import CostModel
from edgemind.costs.store import Shelf, _dump, read, write
from edgemind.folders import cache_folder
from edgemind.types import Phase, Route, Spent

ROUTE = Route("vote", 8, "", 0.5)
KILL = Path(__file__).parents[2] / "scripts" / "bench_kill.py"


def taught() -> CostModel:
    costs = CostModel(1_000_000)
    for number in range(20):
        costs.begin()
        costs.observe_prefill(100, 0.1)
        for step in range(30):
            costs.observe_step(1 + number % 3, 0.01, 100 + step)
        costs.observe_power((Phase("draft", 1.0, 5.0),))
        spent = Spent(seconds=1.0, joules=5.0, tokens=60)
        forecast = costs.predict(ROUTE, 100)
        costs.observe_answer(ROUTE, Asked(100), Work(30, False, 30, 15, 0.9), spent, cut=False)
        costs.observe_forecast(forecast, spent)
    return costs


def test_round_trip(tmp_path: Path) -> None:
    costs, path = taught(), tmp_path / "new" / "model.json"
    assert write(path, costs)
    again = read(path, 1_000_000)
    assert _dump(again) == _dump(costs)
    again.begin()
    costs.begin()
    assert again.step(2, 500).seconds == pytest.approx(costs.step(2, 500).seconds, rel=1e-4)
    told, expected = again.predict(ROUTE, 100).prediction(), costs.predict(ROUTE, 100).prediction()
    assert told.seconds.p90 == pytest.approx(expected.seconds.p90, rel=1e-3)
    assert [file.name for file in path.parent.iterdir()] == ["model.json"]
    assert path.stat().st_size < 100_000


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "null",
        "[]",
        "{}",
        '{"version": 1}',
        '{"version": 99}',
        "[" * 100_000,
        '{"version": 1, "steps": {"1": [[0, -1]]}}',
        '{"version": 1, "steps": {"0": []}, "prefills": {}}',
        '{"version": 1, "steps": {"1": [[0, 1e999]]}}',
        '{"version": 1, "steps": {"1": [[0, 1' + "0" * 400 + "]]}}",
        '{"version": 1, "steps": {"1": [[0, NaN]]}}',
        '{"version": 1, "steps": {"one": [[0, 1]]}}',
        '{"version": 1, "steps": {"1": [["0", "1"]]}}',
        '{"version": 1, "steps": {"1": [[0]]}}',
    ],
)
def test_a_damaged_file_counts_as_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "model.json"
    path.write_text(text)
    assert _dump(read(path, 1_000_000)) == _dump(CostModel(1_000_000))
    assert write(path, taught()), "and is replaced"
    assert read(path, 1_000_000).measured


@given(st.data())
def test_no_damage_crashes(data: st.DataObject) -> None:
    whole = json.dumps(_dump(taught())).encode()
    at = data.draw(st.integers(0, len(whole) - 1))
    end = data.draw(st.integers(at, min(len(whole), at + 20)))
    spoilt = whole[:at] + data.draw(st.binary(max_size=20)) + whole[end:]
    folder = Path(os.environ["HOME"])
    (folder / "spoilt.json").write_bytes(spoilt)
    costs = read(folder / "spoilt.json", 1_000_000)
    assert costs.step(1, 100).seconds > 0
    assert costs.predict(ROUTE, 100).prediction().seconds.p95 >= 0


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    path.write_text(json.dumps(_dump(taught())) + " " * (1 << 20))
    assert not read(path, 1_000_000).measured


def test_a_folder_that_cannot_be_written_costs_only_what_was_learned(tmp_path: Path) -> None:
    (tmp_path / "costs").write_text("a file in the way")
    shelf = Shelf(tmp_path, "model", 1_000_000, "cpu:2")
    shelf.model("mains").observe_step(1, 0.01)
    assert not shelf.save()


def test_models_devices_and_power_sources_are_kept_apart(tmp_path: Path) -> None:
    paths = {
        Shelf(tmp_path, name, size, device).path(power)
        for name in ("a", "b/../c")
        for size in (1, 2)
        for device in ("cpu:1", "cpu:2")
        for power in ("mains", "battery")
    }
    assert len(paths) == 16
    assert {path.parent for path in paths} == {tmp_path / "costs"}
    shelf = Shelf(tmp_path, "a", 1, "cpu:1")
    assert shelf.model("mains") is shelf.model("mains") is not shelf.model("battery")


def test_the_cache_folder(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert home in cache_folder().parents
    monkeypatch.setenv("EDGEMIND_CACHE_DIR", "/elsewhere")
    assert cache_folder() == Path("/elsewhere")


def test_what_a_killed_writer_left_is_swept_away(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    gone = tmp_path / "model.json.999999999.tmp"
    alive = tmp_path / f"model.json.{os.getppid()}.tmp"
    for left in (gone, alive):
        left.write_text("half a f")
    assert write(path, taught())
    assert not gone.exists()
    assert alive.exists(), "its writer is still at it"


def kill_script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bench_kill", KILL)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_kill_9_leaves_a_whole_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(KILL.parents[1]))
    versions, wrong = kill_script().campaign(tmp_path, 3, random.Random(1))
    assert wrong == []
    assert versions > 0
    assert "bench_kill" not in sys.modules
