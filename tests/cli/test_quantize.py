"""`edgemind models quantize`: what it prints, makes and refuses."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from edgemind.cli.main import app
from tests.engines.conftest import tiny, tiny_onnx  # noqa: F401 (fixtures)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["models", "quantize", *map(str, arguments)])


def test_the_bundled_model(nano: Path, tmp_path: Path) -> None:
    target, page = tmp_path / "small.gguf", tmp_path / "page.txt"
    page.write_text("What is 17 + 5? 17 + 5 = 22. The answer is 22. " * 10)
    result = run(nano, target, "--type", "q4_k_m", "--text", page, "--problems", 12)
    assert result.exit_code == 0, result.stderr
    source, made, share, reading, perplexity, divergence, problems = result.stdout.splitlines()
    assert source.startswith("source  4.81 MB  ") and "(Q8_0 " in source
    assert made.startswith("made    2.82 MB  ") and "(Q4_K " in made
    assert share.strip().startswith("59% of its size, in ")
    assert re.fullmatch(r"on \d+ tokens of page.txt:", reading)
    before, after = map(float, re.findall(r"[\d.]+", perplexity)[:2])
    assert 1 < before < 1000 and abs(after / before - 1) < 0.5
    assert 0 < float(divergence.split()[1]) < 0.2
    right, kept, asked = map(int, re.findall(r"\d+", problems))
    assert asked == 12 and right >= 4 and kept >= 4


def test_a_model_that_answers_nothing(tiny: Path, tmp_path: Path) -> None:  # noqa: F811
    result = run(tiny, tmp_path / "a.gguf", "--type", "Q8_0", "--problems", 12)
    assert result.exit_code == 0, result.stderr
    assert " tokens of edgemind's page:" in result.stdout
    assert "problems    not measured: the source does not answer them" in result.stdout


def test_an_onnx_folder(tiny_onnx: dict[str, Path], tmp_path: Path) -> None:  # noqa: F811
    target, page = tmp_path / "small", tmp_path / "page.txt"
    page.write_text("The sea was calm and the boats went out.")
    result = run(
        tiny_onnx["concatenating"], target, "--type", "q4", "--text", page, "--problems", 0
    )
    assert result.exit_code == 0, result.stderr
    assert "divergence" in result.stdout and "problems" not in result.stdout
    assert (target / "model_q4.onnx").is_file()


def test_without_a_check(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    monkeypatch.setattr("edgemind.cli.quantize.load", lambda *_, **__: pytest.fail("opened"))
    result = run(tiny, tmp_path / "a.gguf", "--type", "Q8_0", "--no-check")
    assert result.exit_code == 0 and len(result.stdout.splitlines()) == 3


def test_exit_codes(tiny: Path, tmp_path: Path) -> None:  # noqa: F811
    target = tmp_path / "a.gguf"
    missing = run(tmp_path / "none.gguf", target, "--type", "Q8_0")
    assert (missing.exit_code, missing.stdout) == (3, "")
    wrong = run(tiny, target, "--type", "Q9")
    assert wrong.exit_code == 2 and "no type of GGUF file is called 'Q9'" in wrong.stderr
    unread = run(tiny, target, "--type", "Q8_0", "--imatrix-text", tmp_path / "none.txt")
    assert unread.exit_code == 2 and "cannot read" in unread.stderr
    assert [*tmp_path.iterdir()] == []


def test_ctrl_c_leaves_nothing(
    tiny: Path,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        assert len([*tmp_path.iterdir()]) == 1  # the hidden folder
        raise KeyboardInterrupt

    monkeypatch.setattr("edgemind.quantize.making.call", interrupted)
    assert run(tiny, tmp_path / "a.gguf", "--type", "Q8_0").exit_code == 130
    assert [*tmp_path.iterdir()] == []
