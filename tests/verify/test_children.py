"""Children of the program itself: how they start, what they may, what comes back."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from edgemind.errors import ConfigError, EdgemindError
from edgemind.verify import children
from edgemind.verify.children import CHILDREN, Reply, call, command, serve

ROOT = Path(__file__).parents[2]
PLENTY = 60.0
PROBE = """
import json, os, resource, sys
names = ("CPU", "AS", "FSIZE", "NOFILE", "CORE")
facts = {
    "environment": sorted(os.environ),
    "folder": os.listdir(),
    "limits": [resource.getrlimit(getattr(resource, f"RLIMIT_{name}"))[1] for name in names],
    "heavy": sorted({"typer", "rich", "numpy", "llama_cpp", "jinja2", "sympy"} & set(sys.modules)),
    "leader": os.getsid(0) == os.getpid(),
    "descriptors": [fd for fd in range(3, 64) if os.path.exists(f"/proc/self/fd/{fd}")],
}
assert False, json.dumps(facts)
"""


def test_what_a_child_has() -> None:
    """Told by code that runs in it: the message is cut, so each fact is asked apart."""
    request = {"code": PROBE, "sessions": [], "tests": "", "certain": True}
    said = call("python", request, PLENTY).said
    [told] = [one["objection"] for one in said if isinstance(one, dict) and "objection" in one]
    assert told.startswith('AssertionError: {"environment"')


@pytest.mark.parametrize(
    "fact",
    [
        "set(os.environ) - {'LC_CTYPE'} == {'PYTHONPATH', 'PYTHONHASHSEED', 'TMPDIR'}",
        "os.listdir() == []",
        "os.getsid(0) == os.getpid()",
        "resource.getrlimit(resource.RLIMIT_CPU) == (10, 10)",
        "resource.getrlimit(resource.RLIMIT_FSIZE) == (16 << 20, 16 << 20)",
        "resource.getrlimit(resource.RLIMIT_CORE) == (0, 0)",
        "not {'typer', 'rich', 'numpy', 'llama_cpp', 'jinja2', 'sympy'} & set(sys.modules)",
        "sys.stdin.read() == ''",
    ],
)
def test_facts(fact: str) -> None:
    code = f"import os, resource, sys\nassert {fact}"
    request = {"code": code, "sessions": [], "tests": "", "certain": True}
    assert call("python", request, PLENTY).said[-2:] == ("passed", "done")


def test_names() -> None:
    assert list(CHILDREN) == sorted(CHILDREN)
    with pytest.raises(ConfigError, match="no child is called 'other'; there are algebra, python"):
        serve("other", lambda: True)


def test_frozen_or_not(monkeypatch: pytest.MonkeyPatch) -> None:
    assert command("python") == (sys.executable, "-P", "-m", "edgemind", "_child", "python")
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert command("python") == (sys.executable, "_child", "python")


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
