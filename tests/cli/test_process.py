"""The command line as a process of its own, with a tiny random model: pipes, signals, codes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.engines.conftest import tiny  # noqa: F401 (a fixture)

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "edgemind.cli.main")


def start(*arguments: object, stdin: int | None = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*COMMAND, *map(str, arguments)],
        cwd=ROOT,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def run(*arguments: object, stdin: bytes | None = None) -> tuple[int, str, str]:
    process = start(*arguments, stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE)
    out, err = process.communicate(stdin, timeout=120)
    return process.returncode, out.decode(), err.decode()


def test_json_is_reproducible(tiny: Path) -> None:  # noqa: F811
    options = ("--model", tiny, "--tokens", 40, "--seed", 3, "--strategy", "vote", "--threads", 1)
    answers = []
    for _ in range(2):
        code, out, err = run("ask", "What is 2+2?", *options, "--json")
        assert (code, err) == (0, "")
        answers.append(json.loads(out))
    assert answers[0]["spent"]["tokens"] == 40
    assert answers[0]["finish"] == "budget"
    for answer in answers:
        del answer["predicted"]  # the first one has taught it something
        for changing in ("seconds", "joules", "energy_source", "phases"):
            del answer["spent"][changing]
    assert answers[0] == answers[1]


def test_pipes_and_the_receipt(tiny: Path) -> None:  # noqa: F811
    code, out, err = run("ask", "--model", tiny, "--tokens", 20, stdin=b"What is 2+2?\n")
    assert code == 0
    assert out.endswith("\n")
    assert "20 of 20 tokens" in err and err.count("\n") == 1
    code, out, err = run("ask", "-q", "--model", tiny, "--tokens", 20, "2+2?")
    assert (code, err) == (0, "")


def test_codes(tmp_path: Path) -> None:
    code, out, err = run("ask", "2+2?", "--model", tmp_path / "none.gguf")
    assert (code, out) == (3, "")
    assert err.startswith("edgemind: no model file at") and err.count("\n") == 1
    code, out, err = run("ask", "2+2?", "--tokens", "0")
    assert (code, out) == (2, "")
    assert err.count("\n") == 1


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_reader_who_left(tiny: Path, options: list[str]) -> None:  # noqa: F811
    process = start("ask", "2+2?", "--model", tiny, "--tokens", 30, "-q", *options)
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    err = process.stderr.read()
    assert process.wait(120) == 1
    assert err == b""
    process.stderr.close()


@pytest.mark.skipif(os.name == "nt", reason="signals are different there")
def test_an_interrupt_gives_what_there_is(tiny: Path) -> None:  # noqa: F811
    # A chat answers its first line, then one that never ends until the signal comes.
    process = start("chat", "--model", tiny, "--tokens", 5, "-q", stdin=subprocess.PIPE)
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(b"Hello\n")
    process.stdin.flush()
    assert process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert (process.returncode, err) in ((130, b""), (0, b""))


def test_a_talk_through_a_pipe(tiny: Path) -> None:  # noqa: F811
    code, _, err = run("chat", "--model", tiny, "--tokens", 8, stdin=b"Hi\n\nAnd 2+2?\n")
    assert code == 0
    assert err.count("8 of 8 tokens") == 2
