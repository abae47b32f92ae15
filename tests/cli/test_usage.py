"""`edgemind usage`, and the record that `ask` and `chat` keep."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from edgemind.usage.account import FILE
from tests.cli.conftest import Program

QUESTION = "What is 2+2, SECRETLY?"


@pytest.fixture
def record(home: Path) -> Path:
    return home / ".local" / "share" / "edgemind" / FILE


@pytest.fixture
def config(home: Path) -> Path:
    file = home / ".config" / "edgemind" / "config.toml"
    file.parent.mkdir()
    return file


def test_nothing_yet(program: Program, record: Path) -> None:
    done = program("usage")
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == "no answer was recorded in the last 7 days\n"
    assert program("usage", "--csv").stdout.count("\n") == 1
    assert json.loads(program("usage", "--json").stdout)["rows"] == []
    assert not record.exists()


def test_the_report(program: Program, record: Path) -> None:
    assert program("ask", QUESTION).exit_code == 0
    program("chat", stdin=f"{QUESTION}\n{QUESTION}\n")
    assert b"SECRETLY" not in record.read_bytes()
    done = program("usage")
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["answers", "tokens", "seconds", "joules"]
    assert lines[1].split()[:3] == ["today", "3", "21"]
    assert lines[1].split()[-1] == "measured:fake"
    assert lines[5].split()[:2] == ["scripted", "3"]
    assert "└" in done.stdout
    rows = list(csv.DictReader(io.StringIO(program("usage", "--csv").stdout)))
    first, *talk = [row["conversation"] for row in rows]
    assert talk[0] == talk[1] != first
    assert program("usage", "--json", "--csv").exit_code == 2


def test_a_day_that_is_used_up(program: Program, config: Path) -> None:
    config.write_text("[budget]\nseconds_per_day = 1e-9\n")
    assert program("ask", QUESTION, "--over-budget").exit_code == 0
    done = program("ask", QUESTION)
    assert (done.exit_code, done.stdout) == (4, "")
    assert done.stderr.count("\n") == 1 and "it renews at midnight, in " in done.stderr
    config.write_text("[budget]\njoules_per_day = 5\n")
    first = program("ask", QUESTION)
    assert "of 5 J" in first.stderr
    assert "today: 0 J of 5 J (0%)" in program("usage").stdout


def test_a_record_that_is_switched_off(program: Program, config: Path, record: Path) -> None:
    config.write_text("[usage]\nrecord = false\n[budget]\ntokens = 3\n")
    done = program("ask", QUESTION)
    assert done.exit_code == 0
    assert "3 of 3 tokens" in done.stderr  # its own limits hold all the same
    assert not record.exists()
    assert "usage.record is false" in program("usage").stderr


@pytest.mark.parametrize("command", [["ask", QUESTION], ["chat"], ["usage"]])
def test_a_wrong_configuration_is_told_at_once(
    program: Program, config: Path, command: list[str]
) -> None:
    config.write_text("budget.joule = 5")
    done = program(*command)
    assert (done.exit_code, done.stdout, program.loads) == (2, "", [])
    assert done.stderr == (
        f"edgemind: {config}: budget.joule is no setting: did you mean joules?\n"
    )


def test_a_damaged_record_is_one_line(program: Program, record: Path) -> None:
    record.parent.mkdir(parents=True)
    record.write_bytes(b"garbage" * 1000)
    done = program("ask", "-q", QUESTION)
    assert (done.exit_code, done.stdout) == (0, "#### 4\n")
    assert done.stderr.count("\n") == 1 and "was damaged: it was moved to" in done.stderr
    assert program("ask", "-q", QUESTION).stderr == ""
