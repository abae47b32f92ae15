"""What the two libraries say of themselves, asked in a child that may not survive it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from edgemind.doctor.libraries import Library, _features, ask_library
from edgemind.doctor.words import LLAMA


def test_ggmls_account_of_itself() -> None:
    text = "CUDA : ARCHS = 890 | USE_GRAPHS = 1 | CPU : SSE3 = 1 | OPENMP = 1 | "
    assert _features(text) == {
        "CUDA": {"ARCHS": "890", "USE_GRAPHS": "1"},
        "CPU": {"SSE3": "1", "OPENMP": "1"},
    }
    assert _features("") == {}


def test_the_libraries_that_are_installed() -> None:
    llama, onnx = ask_library("llama"), ask_library("onnx")
    assert llama.error == "" and llama.facts["package"] == LLAMA.partition("==")[2]
    assert llama.facts["features"]["CPU"] and llama.facts["devices"][0]["kind"] == "cpu"
    assert "CPUExecutionProvider" in onnx.facts["providers"]


@pytest.mark.parametrize(
    ("task", "error", "number"),
    [
        ("os.kill(os.getpid(), 4)", "loading it ends with signal 4", 4),
        ("os._exit(3)", "loading it ends with code 3", 0),
        ("say({'error': 'odd\\x1b[2J'})", "odd?[2J", 0),
    ],
)
def test_libraries_that_do_not_load(
    monkeypatch: pytest.MonkeyPatch, task: str, error: str, number: int
) -> None:
    script = f"""
import os
from edgemind.verify.children import serve
def task(request, say, until):
    {task}
serve("libraries", lambda: True, {{"libraries": task}})
"""
    command = (sys.executable, "-P", "-c", script)
    monkeypatch.setattr("edgemind.verify.children.command", lambda _: command)
    assert ask_library("llama") == Library(error=error, signal=number)


def test_the_pinned_version_is_the_projects() -> None:
    text = (Path(__file__).parents[2] / "pyproject.toml").read_text()
    assert f'"{LLAMA}"' in text
