"""The network lock as a face puts it on: the report, who is refused, who is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgemind.guard.lock import UNASKED, NetworkLock, current_lock
from tests.guard.children import linux, python

TRY = """
import asyncio, json, multiprocessing, os, socket, subprocess, sys
from edgemind.errors import PrivacyError
from edgemind.guard.lock import current_lock, lock_network

def error(action):
    try:
        action()
    except Exception as raised:
        return raised

def locked(**options):
    report = lock_network(**options)
    if not report.on:
        print(json.dumps("not here: " + report.why))
        sys.exit()
    return report

def say(*values):
    print(json.dumps(values))

"""


def said(script: str, folder: Path) -> list[object]:
    found = json.loads(python(TRY + script, folder))
    if isinstance(found, str):
        pytest.skip(found)
    assert isinstance(found, list)
    return found


def test_nobody_locked_this_process() -> None:
    assert current_lock() == UNASKED
    assert not UNASKED.on and UNASKED.label == "open" and UNASKED.why


@linux
def test_the_report(tmp_path: Path) -> None:
    assert said(
        """
before = current_lock().on
report = locked()
say(before, report.mechanism, report.tested, report.unix, report.why, report.label,
    current_lock() == report, lock_network() is report, dict(report.rows({}))["self-test"])
""",
        tmp_path,
    ) == [
        *(False, "seccomp", True, False, "", "locked:seccomp", True, True),
        "an IP socket was tried and refused",
    ]


@linux
def test_python_code_that_tries_is_named(tmp_path: Path) -> None:
    (tmp_path / "spy.py").write_text(
        "import socket, urllib.request\n"
        "def report(): urllib.request.urlopen('http://192.0.2.1:8080/')\n"
        "def look(): socket.gethostbyname('example.invalid')\n"
    )
    tried = said(
        """
sys.path.insert(0, os.getcwd())
import spy
locked()
attempts = (spy.report, spy.look, lambda: socket.socket(),
            lambda: socket.getaddrinfo("example.invalid", 443),
            lambda: socket.socket(socket.AF_UNIX))
errors = [error(attempt) for attempt in attempts]
say([isinstance(one, PrivacyError) and isinstance(one, PermissionError) for one in errors[1:]],
    isinstance(getattr(errors[0], "reason", None), PrivacyError), *map(str, errors))
""",
        tmp_path,
    )
    kinds, from_library, *texts = tried
    assert kinds == [True] * 4 and from_library is True
    assert f"spy ({tmp_path}/spy.py:2, report) tried to look up '192.0.2.1'" in str(texts[0])
    assert f"spy ({tmp_path}/spy.py:3, look) tried to look up 'example.invalid'" in str(texts[1])
    assert all("\n" not in str(text) for text in texts)
    assert str(texts[2]).startswith("__main__ (<string>:")


@linux
def test_what_stays_inside_still_works(tmp_path: Path) -> None:
    assert said(
        """
inherited = socket.socket()
locked()
async def three():
    return 3
def work(connection):
    connection.send(os.getpid())
ours, theirs = multiprocessing.get_context("fork").Pipe()
child = multiprocessing.get_context("fork").Process(target=work, args=(theirs,))
child.start()
other = ours.recv()
child.join()
pair = socket.socketpair()
pair[0].sendmsg([b"x"])
again = socket.socket(fileno=os.dup(pair[0].fileno()))
names = [type(error(lambda: inherited.connect(("127.0.0.1", 9)))).__name__]
inherited.detach()
say(asyncio.run(three()), other != os.getpid(), pair[1].recv(1).decode(),
    subprocess.run(["true"]).returncode, names)
""",
        tmp_path,
    ) == [3, True, "x", 0, ["NetworkAttempt"]]


@linux
def test_children_are_locked_too(tmp_path: Path) -> None:
    child = "import socket; socket.socket()"
    assert said(
        f"""
locked()
done = subprocess.run([sys.executable, "-c", {child!r}], stderr=subprocess.PIPE)
say(done.returncode, b"PermissionError" in done.stderr)
""",
        tmp_path,
    ) == [1, True]


@linux
def test_unix_sockets_where_a_face_needs_them_until_they_are_refused_too(tmp_path: Path) -> None:
    assert said(
        """
first = locked(unix=True)
socket.socket(socket.AF_UNIX).close()
refused = type(error(socket.socket)).__name__
same = lock_network(unix=True) is first
second = lock_network()
say(first.unix, refused, same, second.unix, second.on, current_lock() == second,
    lock_network(unix=True) is second,
    type(error(lambda: socket.socket(socket.AF_UNIX))).__name__)
""",
        tmp_path,
    ) == [True, "NetworkAttempt", True, False, True, True, True, "NetworkAttempt"]


@pytest.mark.parametrize(
    ("platform", "why"), [("win32", "win32 has no lock"), ("darwin", "no sandbox_init")]
)
def test_where_there_is_no_lock_the_report_says_so(tmp_path: Path, platform: str, why: str) -> None:
    if __import__("sys").platform == "darwin":
        pytest.skip("here the sandbox is real")
    on, reason, rows, named = said(
        f"""
sys.platform = {platform!r}
report = lock_network()
again = lock_network()
sys.platform = "linux"
say(report.on, report.why, dict(report.rows({{}})), isinstance(error(socket.socket), PrivacyError)
    and again is report)
""",
        tmp_path,
    )
    assert on is False and why in str(reason)
    assert isinstance(rows, dict) and rows["network"] == f"open: {reason}"
    assert rows["left open"] == "everything"
    assert named is True  # the tripwire is there all the same


def test_a_lock_that_does_not_refuse_is_none() -> None:
    report = NetworkLock("seccomp", tested=False, why="an IP socket could still be used")
    assert not report.on and report.label == "open"
