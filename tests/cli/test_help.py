"""The list of commands: made without importing them, and true."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from edgemind.cli.main import LATE, SUMMARIES, app

ROOT = Path(__file__).parents[2]

LIST = """
import json, sys
sys.argv = ["edgemind", "--help"]
from edgemind.cli.main import main
try:
    main()
finally:
    print(json.dumps(sorted(sys.modules)))
"""


def test_every_command_is_listed_as_it_calls_itself() -> None:
    assert SUMMARIES.keys() == LATE.keys()
    shown = " ".join(CliRunner().invoke(app, ["--help"]).stdout.replace("│", " ").split())
    for name, summary in SUMMARIES.items():
        assert f"{name} {summary}" in shown


@pytest.mark.parametrize("name", LATE)
def test_the_summary_is_the_commands_own(name: str) -> None:
    command = typer.main.get_command(app).get_command(None, name)  # type: ignore[attr-defined]
    assert command.get_short_help_str(200) == SUMMARIES[name]


def test_the_list_imports_no_command() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LIST], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    heavy = {"numpy", "sqlite3", "tokenizers", "onnxruntime", "llama_cpp", "huggingface_hub"}
    assert loaded & {*heavy, *(module for module, _ in LATE.values())} == set()
