"""Counting physical performance cores, on made-up machines."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edgemind.engines.cores import performance_cores


def machine(folder: Path, cores: list[tuple[str, str, str]]) -> Path:
    """A `/sys/devices/system/cpu` whose CPUs have (siblings, capacity, maximum frequency)."""
    for number, (siblings, capacity, frequency) in enumerate(cores):
        home = folder / f"cpu{number}"
        for name, text in (
            ("topology/thread_siblings_list", siblings),
            ("cpu_capacity", capacity),
            ("cpufreq/cpuinfo_max_freq", frequency),
        ):
            if text:
                (home / name).parent.mkdir(parents=True, exist_ok=True)
                (home / name).write_text(f"{text}\n")
    return folder


@pytest.fixture(autouse=True)
def eight_cpus(monkeypatch: pytest.MonkeyPatch) -> None:
    if not hasattr(os, "sched_getaffinity"):
        pytest.skip("this system has no CPU affinity")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: set(range(8)))


@pytest.mark.parametrize(
    ("cores", "count"),
    [
        # A laptop: four cores of two threads each.
        ([(f"{n % 4},{n % 4 + 4}", "", "4200000") for n in range(8)], 4),
        # The same with favoured cores, a few per cent faster.
        ([(f"{n % 4},{n % 4 + 4}", "", str(4_500_000 - 50_000 * (n % 4))) for n in range(8)], 4),
        # big.LITTLE: four big ones and four little ones.
        ([(str(n), "1024" if n >= 4 else "446", "") for n in range(8)], 4),
        # Two performance cores with two threads each, four efficiency cores.
        ([*[(f"{n // 2 * 2}-{n // 2 * 2 + 1}", "", "5000000") for n in range(4)],
          *[(str(n), "", "3600000") for n in range(4, 8)]], 2),
        # Nothing is known: every CPU counts.
        ([], 8),
    ],
)  # fmt: skip
def test_machines(tmp_path: Path, cores: list[tuple[str, str, str]], count: int) -> None:
    assert performance_cores(machine(tmp_path, cores)) == count


def test_only_those_that_the_process_may_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = machine(tmp_path, [(f"{n % 4},{n % 4 + 4}", "", "4200000") for n in range(8)])
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {1, 5, 6})
    assert performance_cores(folder) == 2


def test_this_machine() -> None:
    assert 1 <= performance_cores() <= 8
