"""Ctrl-C before there is anything to stop: the process ends with 130, and says nothing.

What cannot be held is Python's own start, before the first line of ours.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edgemind.cli.options import clean_errors
from edgemind.interrupts import leave, set_handler
from tests.guard.children import ROOT

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals are different there")

# Where a module is about to be imported: says so, and waits there to be interrupted.
SPY = """
import os, sys, time

class Spy:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == os.environ["MOMENT"]:
            os.write(int(os.environ["TELL"]), b"here")
            time.sleep(60)

sys.meta_path.insert(0, Spy)
"""
SCRIPT = """#!{python}
import sys
from {module} import {name}
if __name__ == "__main__":
    sys.exit({name}())
"""
MOMENTS = [
    "edgemind.interrupts",  # the first line of ours
    "edgemind.cli.main",
    "typer",
    "edgemind.cli.ask",
    "edgemind.prompt",
    "edgemind.loading",  # the command has begun: what is opened is closed
    "edgemind.engines.llama",
]

Interrupted = Callable[[str, list[str]], tuple[int, bytes, bytes]]


@pytest.fixture
def heard() -> Iterator[None]:
    """Ctrl-C is not ignored, as it is in what a shell runs in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def interrupted(tmp_path: Path, heard: None) -> Interrupted:
    """Runs a command until a moment, interrupts it; its exit code and all that it printed."""
    (tmp_path / "spy").mkdir()
    (tmp_path / "spy" / "sitecustomize.py").write_text(SPY)

    def run(moment: str, command: list[str]) -> tuple[int, bytes, bytes]:
        told, tell = os.pipe()
        try:
            with subprocess.Popen(
                command,
                cwd=tmp_path,
                env={
                    **os.environ,
                    "PYTHONPATH": os.pathsep.join((str(tmp_path / "spy"), str(ROOT))),
                    "MOMENT": moment,
                    "TELL": str(tell),
                },
                pass_fds=(tell,),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            ) as process:
                os.close(tell)
                assert os.read(told, 4) == b"here", process.communicate()
                process.send_signal(signal.SIGINT)
                out, err = process.communicate(timeout=30)
                return process.returncode, out, err
        finally:
            os.close(told)

    return run


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_module(interrupted: Interrupted, moment: str) -> None:
    command = [sys.executable, "-m", "edgemind", "ask", "-q", "2+2?"]
    assert interrupted(moment, command) == (130, b"", b"")


@pytest.mark.parametrize("moment", MOMENTS[:4])
def test_the_script_that_is_installed(
    interrupted: Interrupted, tmp_path: Path, moment: str
) -> None:
    entry = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]["edgemind"]
    module, _, name = entry.partition(":")
    program = tmp_path / "edgemind"
    program.write_text(SCRIPT.format(python=sys.executable, module=module, name=name))
    program.chmod(0o755)
    assert interrupted(moment, [str(program), "ask", "-q", "2+2?"]) == (130, b"", b"")


def test_a_child(interrupted: Interrupted) -> None:
    command = [sys.executable, "-m", "edgemind", "_child", "probe"]
    assert interrupted("edgemind.cli.child", command) == (130, b"", b"")


def test_the_library_leaves_ctrl_c_alone(interrupted: Interrupted) -> None:
    code, out, err = interrupted(
        "edgemind.runtime", [sys.executable, "-c", "from edgemind import Mind"]
    )
    assert (code, out) == (-signal.SIGINT, b"") and err.endswith(b"KeyboardInterrupt\n")


def test_a_command_takes_it_over_and_gives_it_back(heard: None) -> None:
    set_handler(leave)
    with clean_errors():
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert signal.getsignal(signal.SIGINT) is leave
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # as nohup does
    with clean_errors():
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    assert set_handler(leave) is signal.getsignal(signal.SIGINT) is signal.SIG_IGN
