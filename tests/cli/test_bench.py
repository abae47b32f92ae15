"""`edgemind bench`: options as llama-bench has them, a table, JSON, a plot."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from edgemind.bench import running
from edgemind.bench.measure import Timed
from edgemind.bench.report import Report
from edgemind.bench.running import Wanted
from edgemind.cli.main import app
from tests.bench.test_bench import RESULTS, report
from tests.test_conditions import put


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["bench", *arguments])


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Wanted]:
    """What was to be measured; nothing is."""
    found: list[Wanted] = []

    def bench(wanted: Wanted, tell: object) -> tuple[Report, tuple[str, ...]]:
        found.append(wanted)
        return report(*RESULTS), ("a notice",)

    monkeypatch.setattr(running, "bench", bench)
    return found


def test_options(asked: list[Wanted]) -> None:
    done = run("m.gguf", "-p", "16, 32", "-n", "8", "-r", "2", "-w", "1,4,4", "-t", "3")
    assert done.exit_code == 0 and "a notice" in done.stderr
    [one] = asked
    assert (one.model, one.prompts, one.steps) == ("m.gguf", [16, 32], 8)
    assert (one.repetitions, one.widths, one.threads) == (2, [1, 4], 3)
    assert run("--quick").exit_code == 0
    assert (asked[1].model, asked[1].prompts, asked[1].widths) == (None, (128,), (1, 8))


def test_settings_take_defaults_place(asked: list[Wanted], home: Path) -> None:
    put(home / ".config/edgemind", {"config.toml": "model = 'mine.gguf'\nthreads = 3\nwidth = 2\n"})
    assert run().exit_code == run("other.gguf", "-t", "1").exit_code == 0
    assert [(one.model, one.threads) for one in asked] == [("mine.gguf", 3), ("other.gguf", 1)]
    assert asked[0].widths == [1, 2, 4, 8, 16]


@pytest.mark.parametrize("options", [("-p", "many"), ("-w", "0"), ("-w", ""), ("-p", "-5")])
def test_lengths_that_are_none(asked: list[Wanted], options: tuple[str, str]) -> None:
    assert run(*options).exit_code == 2 and not asked


def test_json_is_all_there_is_on_stdout(asked: list[Wanted]) -> None:
    shown = json.loads(run("--json").stdout)
    assert [one["test"] for one in shown["results"]] == ["pp64", "tg8", "tg8x4"]


def test_a_plot(asked: list[Wanted], tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    done = run("--plot", str(tmp_path / "a" / "p.svg"))
    assert done.exit_code == 0 and (tmp_path / "a" / "p.svg").is_file()
    done = run("--plot", "p.txt")
    assert done.exit_code == 2 and len(asked) == 1  # said before anything is measured


def test_a_model_that_is_not_there() -> None:
    done = run("/nowhere.gguf")
    assert done.exit_code == 3 and "/nowhere.gguf" in done.stderr


def test_the_bundled_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "copy_bytes_per_second", lambda _: 1e9)
    done = run("-p", "8", "-n", "4", "-w", "1", "-r", "1")
    assert done.exit_code == 0, done.output
    assert "edgemind-nano: llama" in done.stdout and "one repetition only" in done.stdout
    assert Timed.__name__ not in done.stdout
