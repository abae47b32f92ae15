"""The man page and the completions say what the commands say."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import edgemind
from edgemind.cli.main import LATE, SUMMARIES
from edgemind.settings import OTHERS


@pytest.fixture
def pages(packaging: Callable[[str], Any]) -> Any:
    return packaging("pages")


def test_the_man_page_tells_of_every_command(pages: Any) -> None:
    text = pages.man_page(86_400)
    assert text.startswith(f'.TH EDGEMIND 1 "1970-01-02" "edgemind {edgemind.__version__}"')
    headings = [line.removeprefix(".SS edgemind ") for line in text.splitlines() if ".SS" in line]
    assert {line.split()[0] for line in headings} == set(LATE)
    assert "models pull" in headings and "_child" not in text
    assert r"\fB\-\-seconds <float>\fR" in text
    plain = " ".join(text.replace("\\-", "-").replace("\n", " ").split())
    for summary in SUMMARIES.values():
        assert summary in plain
    assert all(code in text for code in (r"\fB4\fR", r"\fB130\fR"))
    assert pages.man_page(86_400) == text


def test_every_variable_is_explained(pages: Any) -> None:
    assert set(pages.VARIABLES) == set(OTHERS) - {"EDGEMIND_PYTHON"}


def test_no_line_becomes_a_request(pages: Any) -> None:
    assert pages._text(".so is a library's ending") == [r"\&.so is a library's ending"]
    assert pages._text("a\\b --c") == [r"a\eb \-\-c"]


def test_man_takes_it_without_a_warning(pages: Any, tmp_path: Path) -> None:
    groff = shutil.which("groff")
    if groff is None:
        pytest.skip("no groff here")
    pages.write(tmp_path, 0)
    command = [groff, "-man", "-Tutf8", "-ww", "-z", tmp_path / "edgemind.1"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == ""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completions_ask_the_program(pages: Any, shell: str) -> None:
    script = pages.completion(shell)
    assert f"_EDGEMIND_COMPLETE=complete_{shell}" in script
    program = shutil.which(shell)
    if program is not None:
        subprocess.run([program, "-n"], input=script, text=True, check=True)


def test_bash_completes_with_it(pages: Any, tmp_path: Path) -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("no bash here")
    (tmp_path / "edgemind").write_text('#!/bin/sh\necho "$_EDGEMIND_COMPLETE $COMP_CWORD"\n')
    (tmp_path / "edgemind").chmod(0o755)
    script = pages.completion("bash") + (
        f"\nCOMP_WORDS=({tmp_path}/edgemind as) COMP_CWORD=1\n"
        '_edgemind_completion "${COMP_WORDS[0]}"\n'
        'printf "%s|" "${COMPREPLY[@]}"\n'
    )
    done = subprocess.run([bash, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "complete_bash 1|"
