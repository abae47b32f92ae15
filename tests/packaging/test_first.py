"""A frozen program: undoes what its loader changed, and tells its children where they are."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from edgemind import probe
from edgemind.cli import prove
from edgemind.verify import children

FIRST = Path(__file__).parents[2] / "packaging" / "frozen" / "first.py"
SHOWS = "import os; print(os.environ.get('LD_LIBRARY_PATH'), 'LD_LIBRARY_PATH_ORIG' in os.environ)"
# Two signals within a moment are one press of Ctrl-C, handed on by the loader; a later one counts.
PRESSES = """
import os, signal, time
heard = []
def first(number, frame): heard.append("first")
before = signal.signal(signal.SIGINT, first)
assert before is signal.default_int_handler, before
for _ in range(2):
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0.001)
assert heard == ["first"], heard
time.sleep(0.06)
os.kill(os.getpid(), signal.SIGINT)
time.sleep(0.001)
assert heard == ["first", "first"], heard
assert signal.signal(signal.SIGINT, before) is first
time.sleep(0.06)
try:
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0.001)
except KeyboardInterrupt:
    print("left")
"""


def started(code: str, unpacked: str, **variables: str) -> str:
    """What a program prints that does this first; `unpacked` is where its files are."""
    begin = f"import sys; sys._MEIPASS = {unpacked!r}; exec(open({str(FIRST)!r}).read()); "
    done = subprocess.run(
        [sys.executable, "-I", "-c", f"{begin}\n{code}"],
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_other_programs_find_their_own_libraries() -> None:
    beside = str(Path(sys.executable).resolve().parent / "_internal")
    loader = {"LD_LIBRARY_PATH": "/ours"}
    assert started(SHOWS, beside, **loader) == "None False"
    assert started(SHOWS, beside, **loader, LD_LIBRARY_PATH_ORIG="/theirs") == "/theirs False"


def test_one_press_of_ctrl_c_is_heard_once_in_one_file() -> None:
    assert started(PRESSES, "/tmp/_MEIx") == "left"


def test_a_folder_leaves_signals_alone() -> None:
    beside = str(Path(sys.executable).resolve().parent / "_internal")
    code = "import signal; print(signal.signal.__module__)"
    assert started(code, beside) == "signal"
    assert started(code, "/tmp/_MEIx") != "signal"


def test_children_of_a_frozen_program_find_what_it_unpacked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert children.frozen_variables() == {}
    assert "-E" not in prove.tracing(tmp_path)
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "_MEIPASS", "/tmp/_MEIx", raising=False)
    monkeypatch.setenv("_PYI_APPLICATION_HOME_DIR", "/tmp/_MEIx")
    monkeypatch.setenv("SECRET", "1")
    told = children.environment(str(tmp_path))
    assert told["LD_LIBRARY_PATH"] == told["_PYI_APPLICATION_HOME_DIR"] == "/tmp/_MEIx"
    assert told["HOME"] == str(tmp_path) and "SECRET" not in told and "PYTHONPATH" not in told
    assert children.command("probe") == (sys.executable, "_child", "probe")
    assert "LD_LIBRARY_PATH=/tmp/_MEIx" in prove.tracing(tmp_path)


def test_a_frozen_program_stands_for_the_library_inside(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "edgemind"
    program.write_bytes(b"one")
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", str(program))
    before = probe._library("llama_cpp", "lib")
    assert before == probe._library("onnxruntime", "capi") and before.startswith("frozen 3 ")
    program.write_bytes(b"other")
    assert probe._library("llama_cpp", "lib") != before
