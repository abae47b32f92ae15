"""`edgemind config`, and what a configuration does to `ask`."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from edgemind.cli.main import app
from tests.cli.conftest import Program


def config(*arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(app, ["config", *arguments])
    assert result.exit_code == code, result.output
    return result


@pytest.fixture
def file(home: Path) -> Path:
    path = home / ".config" / "edgemind" / "config.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('model = "a.gguf"\nthreads = 2\nwidth = 3\n[profile.pi]\nthreads = 1\n')
    return path


def test_path(home: Path) -> None:
    assert config("path").stdout == f"{home}/.config/edgemind/config.toml\n"


def test_show(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEMIND_BUDGET_SECONDS", "9")
    told = json.loads(config("show", "--json", "--profile", "pi").stdout)
    assert told["model"] == {"value": "a.gguf", "source": str(file)}
    assert told["threads"] == {"value": 1, "source": f"{file} [profile.pi]"}
    assert told["budget.seconds"] == {"value": 9.0, "source": "EDGEMIND_BUDGET_SECONDS"}
    assert told["usage.record"] == {"value": True, "source": "default"}
    assert told["budget.below_battery.percent"] == {"value": None, "source": "default"}
    lines = config("show").stdout.splitlines()
    assert f'model "a.gguf" {file} EDGEMIND_MODEL' in [" ".join(line.split()) for line in lines]
    assert "EDGEMIND_PROFILE" not in os.environ


def test_wrong_keys_are_refused(file: Path, program: Program) -> None:
    file.write_text("widht = 3")
    for said in (config("show", code=2).stderr, program("ask", "2+2?").stderr):
        assert said == f"edgemind: {file}: widht is no setting: did you mean width?\n"
    assert program.loads == []


def test_flags_go_before_the_configuration(
    file: Path, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    program("ask", "2+2?")
    program("ask", "2+2?", "--profile", "pi")
    assert os.environ.pop("EDGEMIND_PROFILE") == "pi"
    monkeypatch.setenv("EDGEMIND_THREADS", "5")
    program("ask", "2+2?")
    program("ask", "2+2?", "--threads", "7", "--model", "b.gguf")
    program("chat", stdin="hi\n")
    loaded = [(model, options["threads"]) for model, options in program.loads]
    assert loaded == [("a.gguf", 2), ("a.gguf", 1), ("a.gguf", 5), ("b.gguf", 7), ("a.gguf", 5)]


def test_a_width_of_the_configuration(file: Path, program: Program) -> None:
    program.logprob = -2.0
    done = program("ask", "What is 2+2?", "--strategy", "vote")
    assert done.stderr.startswith(("vote · 2 samples", "vote · 3 samples"))
    file.write_text("width = 100000")
    done = program("ask", "What is 2+2?")
    assert done.exit_code == 2 and "width" in done.stderr


def test_an_unknown_profile(file: Path, program: Program) -> None:
    done = program("ask", "2+2?", "--profile", "pie")
    assert done.exit_code == 2
    assert done.stderr == "edgemind: there is no profile 'pie': did you mean pi?\n"
    assert config("show", "--profile", "pie", code=2).stderr == done.stderr


def editor(tmp_path: Path, script: str) -> str:
    path = tmp_path / "editor.py"
    path.write_text(f"import sys\nfrom pathlib import Path\nfile = Path(sys.argv[1])\n{script}\n")
    return f"{sys.executable} {path}"


def test_edit(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDITOR", editor(tmp_path, "assert '# threads' in file.read_text()"))
    path = config("edit").stdout.strip()
    assert Path(path).is_file()
    assert config("show").exit_code == 0  # what is proposed there is only proposed
    uncommented = [
        line.removeprefix("# ").split("   ")[0]
        for line in Path(path).read_text().splitlines()
        if "=" in line or line.startswith("# [")
    ][1:]
    Path(path).write_text("\n".join(uncommented))
    assert json.loads(config("show", "--json").stdout)["threads"]["value"] == 4
    monkeypatch.setenv("VISUAL", editor(tmp_path, "file.write_text('widht = 1')"))
    assert "widht is no setting: did you mean width?" in config("edit", code=2).stderr
    monkeypatch.setenv("VISUAL", editor(tmp_path, "sys.exit(3)"))
    assert "ended with exit code 3" in config("edit", code=2).stderr
    monkeypatch.setenv("VISUAL", "/no/such/editor")
    assert "cannot edit" in config("edit", code=2).stderr
    monkeypatch.setenv("VISUAL", "'unbalanced")
    assert "VISUAL is" in config("edit", code=2).stderr


def test_no_editor(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("EDITOR", raising=False)
    monkeypatch.delenv("VISUAL", raising=False)
    assert "no editor was found: set EDITOR" in config("edit", code=2).stderr
