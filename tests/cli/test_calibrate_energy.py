"""`edgemind calibrate --energy`: what it says, keeps and refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest

from edgemind.meters.base import Place
from edgemind.meters.store import load_power, processor_name
from edgemind.types import Budget
from tests.cli.conftest import Program
from tests.meters.devices import RaplDevice


class Machine(RaplDevice):
    """A device whose models draw 4 W for each thread, on top of the 5 W that it idles with."""

    cpu_seconds = 0.0

    def idle(self, seconds: float) -> None:
        self.pass_time(seconds, 5.0)

    def load(self, model: str | None, threads: int | None) -> AbstractContextManager[object]:
        machine = self

        class Model:
            def ask(self, prompt: str, *, budget: Budget, **options: object) -> None:
                assert budget.seconds is not None
                cores = threads or 4
                machine.pass_time(budget.seconds, 5.0 + 4.0 * cores)
                machine.cpu_seconds += budget.seconds * cores

        return nullcontext(Model())


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine(tmp_path)
    monkeypatch.setenv("EDGEMIND_CACHE_DIR", str(tmp_path / "cache"))
    module = "edgemind.cli.calibrate_energy"
    monkeypatch.setattr(f"{module}.Place", lambda: made.place(wait=made.idle))
    monkeypatch.setattr(f"{module}.load", made.load)

    def cpu_time(clock: Callable[[], float]) -> Callable[[], float]:
        return lambda: made.cpu_seconds

    monkeypatch.setattr(f"{module}.CpuTime", cpu_time)
    return made


def test_it_is_fitted_and_kept(program: Program, machine: Machine, tmp_path: Path) -> None:
    done = program("calibrate", "--energy", "--json")
    assert done.exit_code == 0, done.stderr
    shown = json.loads(done.stdout)
    assert shown["core_watts"] == pytest.approx(4.0, rel=0.01)
    assert shown["idle_watts"] == pytest.approx(5.0, rel=0.01)
    assert shown["fitted_to"] == "rapl"
    assert "all threads: 21.00 W with 4.00 cores busy; the estimate said" in done.stderr
    kept = load_power(tmp_path / "cache", processor_name(tmp_path))
    assert kept is not None and kept.core_watts == shown["core_watts"]


def test_a_dry_run_keeps_nothing(program: Program, machine: Machine, tmp_path: Path) -> None:
    assert program("calibrate", "--energy", "--dry-run").exit_code == 0
    assert not (tmp_path / "cache").exists()


def test_without_a_counter_it_says_so(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def place(**options: object) -> Place:
        return Place(root=tmp_path, system="linux")

    monkeypatch.setattr("edgemind.cli.calibrate_energy.Place", place)
    done = program("calibrate", "--energy")
    assert done.exit_code == 2
    assert "no counter of energy here" in done.stderr and "edgemind doctor" in done.stderr
    assert done.stderr.count("\n") == 1 and not done.stdout
