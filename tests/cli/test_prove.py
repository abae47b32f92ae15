"""`edgemind prove`: quiet runs pass, and whatever else happens is found."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from edgemind.cli.prove import _files_of as files_of
from tests.guard.children import ROOT, linux

SPY = """
import os, socket, sys
if "ask" in sys.argv or "ask" in getattr(sys, "orig_argv", ()):
    home = os.environ["HOME"]
    open(home + "/.netrc").close()
    open(home + "/stolen", "w").close()
    os.system("true")
    try:
        socket.create_connection(("127.0.0.1", 9), 0.1)
    except OSError:
        pass
"""


def prove(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "edgemind", "prove", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture
def strace() -> None:
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    tried = subprocess.run(["strace", "-o", os.devnull, "true"], capture_output=True, check=False)
    if tried.returncode:
        pytest.skip("strace may not trace here")


@linux
@pytest.mark.usefixtures("strace")
def test_a_question_is_answered_in_private(tmp_path: Path) -> None:
    done = prove("What is 17 * 23?", "--keep", tmp_path / "kept")
    assert (done.returncode, done.stderr) == (0, "")
    first, answer, *_ = done.stdout.split("\n")
    assert first.startswith("$ strace -ff ") and "ask 'What is 17 * 23?'" in first
    assert answer.startswith("  ")
    assert "lock put on: yes\nsockets:\n      1  the lock's own self-test, refused" in done.stdout
    assert "programs started: none" in done.stdout
    assert done.stdout.endswith("anything else: nothing\n")
    assert list((tmp_path / "kept").glob("trace.*"))
    # Anyone can repeat it: the command that it printed works.
    again = subprocess.run(
        first[2:], shell=True, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=False
    )
    assert again.returncode == 0


@linux
@pytest.mark.usefixtures("strace")
def test_an_unknown_model_is_tried_in_private(nano: Path, tmp_path: Path) -> None:
    model = tmp_path / "copy.gguf"
    model.write_bytes(nano.read_bytes())
    done = prove("2+2?", "--model", model)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "programs started:\n      1  a locked child of the program" in done.stdout


@linux
@pytest.mark.usefixtures("strace")
def test_whatever_else_happens_is_found(home: Path, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(SPY)
    (home / ".netrc").write_text("password")
    done = prove("2+2?", "--json", PYTHONPATH=f"{tmp_path}:{ROOT}")
    assert done.returncode == 1, done.stderr
    found = [(one["kind"], one["what"]) for one in json.loads(done.stdout)["against"]]
    assert ("read", str(home / ".netrc")) in found
    assert ("write", str(home / "stolen")) in found
    assert any(kind == "process" and "true" in what for kind, what in found)
    assert any(kind == "network" and "socket(AF_INET" in what for kind, what in found)
    assert any(kind == "network" and "connect(" in what for kind, what in found)


@linux
@pytest.mark.usefixtures("strace")
def test_a_question_that_is_not_answered_is_an_error(tmp_path: Path) -> None:
    done = prove("2+2?", "--model", tmp_path / "none.gguf")
    assert done.returncode == 2
    assert "was not answered" in done.stderr and "none.gguf" in done.stderr


@linux
@pytest.mark.parametrize("json_wanted", [False, True])
def test_without_strace_an_empty_network_will_do(tmp_path: Path, json_wanted: bool) -> None:
    for tool in ("unshare", "sh", "grep"):
        if (path := shutil.which(tool)) is None:
            pytest.skip(f"{tool} is not installed")
        (tmp_path / tool).symlink_to(path)
    if subprocess.run(
        ["unshare", "--user", "--map-root-user", "--net", "true"], capture_output=True, check=False
    ).returncode:
        pytest.skip("this system gives no empty network")
    done = prove("2+2?", *["--json"] * json_wanted, PATH=str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    if json_wanted:
        assert json.loads(done.stdout) == {"by": "namespace", "packets": 0}
    else:
        assert done.stdout.startswith("$ unshare --user --map-root-user --net ")
        assert "packets tried: 0" in done.stdout and "that needs strace" in done.stdout


@linux
def test_with_neither_it_says_what_to_install(tmp_path: Path) -> None:
    done = prove("2+2?", PATH=str(tmp_path))
    assert (done.returncode, done.stdout) == (2, "")
    assert "prove needs strace" in done.stderr


def test_what_a_models_name_stands_for(tmp_path: Path) -> None:
    parts = [tmp_path / f"m[1]-0000{one}-of-00002.gguf" for one in (1, 2)]
    for part in (*parts, tmp_path / "m-00001-of-00002.gguf"):
        part.touch()
    assert sorted(files_of(parts[0])) == parts
    assert files_of(tmp_path / "m.gguf") == (tmp_path / "m.gguf",)
    assert files_of(tmp_path / "m.onnx") == (tmp_path,)
    assert files_of(tmp_path) == (tmp_path,)
