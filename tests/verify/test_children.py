"""Children of the program itself: how they start, what they may, what comes back."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from edgemind.errors import ConfigError, EdgemindError
from edgemind.verify import children
from edgemind.verify.children import CHILDREN, Reply, call, command, serve

ROOT = Path(__file__).parents[2]
PLENTY = 60.0
FACTS = """
import os, resource, sys

def limit(name):
    return resource.getrlimit(getattr(resource, f"RLIMIT_{name}"))

assert set(os.environ) <= {"LC_CTYPE", "PYTHONPATH", "PYTHONHASHSEED", "TMPDIR", "HOME"}
assert os.listdir() == []
assert os.getsid(0) == os.getpid()
assert limit("CPU") == (10, 10)
assert limit("FSIZE") == (16 << 20, 16 << 20)
assert limit("NOFILE") == (64, 64)
assert limit("CORE") == (0, 0)
assert sys.platform != "linux" or limit("AS") == (512 << 20, 512 << 20)
assert not {"typer", "rich", "numpy", "llama_cpp", "jinja2", "sympy"} & set(sys.modules)
assert "edgemind.runtime" not in sys.modules
assert sys.stdin.read() == ""
"""


def facts(tests: str) -> tuple[Any, ...]:
    """What a child says whose tests are these."""
    return call(
        "python", {"code": "", "sessions": [], "tests": tests, "certain": True}, PLENTY
    ).said


def test_what_a_child_has() -> None:
    said = facts(FACTS)
    assert [one for one in said if isinstance(one, dict) and "objection" in one] == []
    assert said[0] == {"checks": 1 + FACTS.count("assert ")}
    assert said.count("passed") == 1 + FACTS.count("assert ")
    assert said[-1] == "done"


def test_a_child_that_the_system_cannot_shut_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no seccomp, a limit keeps it from starting processes."""
    script = "from edgemind.verify.children import serve; serve('python', lambda: False)"
    monkeypatch.setattr(children, "command", lambda name: (sys.executable, "-P", "-c", script))
    said = facts("import resource\nassert resource.getrlimit(resource.RLIMIT_NPROC) == (0, 0)")
    assert said[-2:] == ("passed", "done")


def test_names() -> None:
    assert list(CHILDREN) == sorted(CHILDREN)
    with pytest.raises(ConfigError, match="no child is called 'other'; there are algebra, python"):
        serve("other", lambda: True)


def test_frozen_or_not(monkeypatch: pytest.MonkeyPatch) -> None:
    assert command("python") == (sys.executable, "-P", "-m", "edgemind", "_child", "python")
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert command("python") == (sys.executable, "_child", "python")


def test_an_installed_package_is_not_put_before_the_library(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert children.environment("/x")["PYTHONPATH"] == str(ROOT)
    monkeypatch.setattr("sysconfig.get_path", lambda name: str(ROOT))
    monkeypatch.setattr("site.ENABLE_USER_SITE", False)
    bare = {"PYTHONHASHSEED": "0", "TMPDIR": "/x", "HOME": "/x"}
    assert children.environment("/x") == bare
    # Libraries in the person's own folder are found although the child has another home.
    monkeypatch.setattr("site.ENABLE_USER_SITE", True)
    monkeypatch.setattr("site.getusersitepackages", lambda: sys.path[-1])
    monkeypatch.setattr("site.getuserbase", lambda: "/u")
    assert children.environment("/x") == {**bare, "PYTHONUSERBASE": "/u"}


def test_a_child_that_cannot_start(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EdgemindError, match="code 2 at its start: edgemind: no child is called"):
        call("other", None, PLENTY)
    monkeypatch.setattr(children, "command", lambda name: ("/no-such-program", name))
    with pytest.raises(EdgemindError, match="the python child cannot be started"):
        call("python", None, PLENTY)


def test_what_is_no_reply_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    script = """print('"ready"\\n1\\n{"a": [2]}\\nmade up\\n3')"""
    monkeypatch.setattr(children, "command", lambda name: (sys.executable, "-c", script))
    assert call("python", None, PLENTY) == Reply((1, {"a": [2]}), 0)


def test_a_request_that_makes_no_sense(monkeypatch: pytest.MonkeyPatch) -> None:
    """The task fails in the child, after it was ready: no reply, no error of ours."""
    reply = call("python", None, PLENTY)
    assert (reply.said, reply.code) == ((), 1)


@pytest.mark.parametrize("module", ["edgemind", "edgemind.cli.main"])
def test_both_ways_in(module: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", module, "_child", "other"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("edgemind: no child is called 'other'")


def test_the_command_is_hidden_and_the_package_can_be_run() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "edgemind", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert "chat" in done.stdout and "_child" not in done.stdout


PARENT = """
import sys
from edgemind.verify.children import call
code = "import time\\nwhile True: time.sleep(0.1)"
print("calling", flush=True)
call("python", {"code": code, "sessions": [], "tests": "", "certain": True}, 60.0)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="a signal at the parent's end is Linux's")
def test_a_child_dies_with_its_parent() -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert parent.stdout is not None and parent.stdout.readline() == b"calling\n"
    [child] = until(lambda: [one for one in living_children(parent.pid) if is_shut_in(one)])
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert until(lambda: not Path(f"/proc/{child}").exists() or is_dead(child))


def until(seen: Any) -> Any:
    """The first true value of `seen()`, within ten seconds."""
    end = time.monotonic() + 10
    while not (value := seen()) and time.monotonic() < end:
        time.sleep(0.02)
    return value


def living_children(process: int) -> list[int]:
    """Numbers of a process's children."""
    found = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [int(number) for number in found]


def is_shut_in(process: int) -> bool:
    """Whether a process has its filter: from there on it has asked for its parent's signal."""
    try:
        return "Seccomp:\t2" in Path(f"/proc/{process}/status").read_text()
    except OSError:
        return False


def is_dead(process: int) -> bool:
    """Whether a process has ended, reaped or not."""
    try:
        state = Path(f"/proc/{process}/stat").read_bytes().rpartition(b")")[2].split()[0]
    except OSError:
        return True
    return state in (b"Z", b"X")
