"""The locks on a real kernel, each in a process that is thrown away."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from edgemind.guard import landlock, sandbox, seccomp
from edgemind.guard.bpf import MACHINES

ROOT = Path(__file__).parents[2]
linux = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in MACHINES, reason="a lock of Linux"
)

TRY = """
import os, resource, signal, socket, subprocess, sys, threading
from pathlib import Path
from edgemind.guard.landlock import write_only_below
from edgemind.guard.seccomp import LockUnavailable, confine, deny_network

def refused(action):
    try:
        action()
    except OSError:
        return True
    return False

"""


def run(script: str, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", TRY + script],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@linux
def test_no_network(tmp_path: Path) -> None:
    out = run(
        """
started, locked, seen = threading.Event(), threading.Event(), []
def other():
    started.set()
    locked.wait()
    seen.append(refused(socket.socket))
thread = threading.Thread(target=other)
thread.start()
started.wait()
try:
    deny_network()
except LockUnavailable:
    print("not here")
    os._exit(0)
locked.set()
thread.join()
print(seen == [True])
families = (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX, socket.AF_NETLINK)
print(all(refused(lambda: socket.socket(family)) for family in families))
print(refused(lambda: socket.socketpair(type=socket.SOCK_DGRAM)))
for end in socket.socketpair():
    end.close()
child = "import socket; socket.socket()"
done = subprocess.run([sys.executable, "-c", child], stderr=subprocess.PIPE)
print(b"PermissionError" in done.stderr)
deny_network()
print(True)
""",
        tmp_path,
    )
    if out == "not here\n":
        pytest.skip("seccomp is not allowed here")
    assert out.split() == ["True"] * 5


@linux
def test_shut_in(tmp_path: Path) -> None:
    out = run(
        """
parent = os.getppid()
before = resource.getrlimit(resource.RLIMIT_NOFILE)
if not confine():
    print("not here")
    os._exit(0)
print(refused(socket.socket))
print(refused(os.fork))
print(refused(lambda: subprocess.run(["true"])))
print(refused(lambda: os.execv("/bin/true", ["true"])))
print(refused(lambda: os.kill(parent, 0)) and refused(lambda: os.kill(-1, 0)))
print(refused(lambda: os.killpg(os.getpgid(parent), 0)))
def raise_it():
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (7, 7))
    except ValueError as error:
        raise OSError from error
print(refused(raise_it) and resource.getrlimit(resource.RLIMIT_NOFILE) == before)
seen = []
thread = threading.Thread(target=lambda: seen.append(1))
thread.start()
thread.join()
print(seen == [1])
signal.signal(signal.SIGUSR1, lambda *_: seen.append(2))
os.kill(os.getpid(), signal.SIGUSR1)
print(seen == [1, 2])
""",
        tmp_path,
    )
    if out == "not here\n":
        pytest.skip("seccomp is not allowed here")
    assert out.split() == ["True"] * 9


@linux
def test_writing_below_one_folder(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    inside.mkdir()
    outside.mkdir()
    (outside / "kept").write_text("kept")
    out = run(
        """
outside = Path("../out")
if not write_only_below(Path.cwd()):
    print("not here")
    os._exit(0)
Path("made").write_text("x")
Path("made").rename("moved")
Path("moved").unlink()
Path("folder").mkdir()
Path(os.devnull).write_text("x")
print((outside / "kept").read_text() == "kept")
print(refused(lambda: (outside / "made").write_text("x")))
print(refused(lambda: (outside / "kept").write_text("x")))
print(refused((outside / "kept").unlink))
print(refused((outside / "folder").mkdir))
print(refused(lambda: (outside / "link").symlink_to("kept")))
print(refused(lambda: os.truncate(outside / "kept", 0)))
""",
        inside,
    )
    if out == "not here\n":
        pytest.skip("landlock is not on here")
    assert out.split() == ["True"] * 7
    assert [path.name for path in outside.iterdir()] == ["kept"]


def test_elsewhere_there_is_no_lock(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sys, "platform", "darwin")
        with pytest.raises(seccomp.LockUnavailable, match="a lock of Linux"):
            seccomp.deny_network()
        assert not seccomp.confine()
        assert not landlock.write_only_below(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(os, "uname", lambda: SimpleNamespace(machine="riscv64"))
        with pytest.raises(seccomp.LockUnavailable, match="riscv64"):
            seccomp.deny_network()
        assert not seccomp.confine()
    if sys.platform != "darwin":
        with pytest.raises(seccomp.LockUnavailable, match="a lock of macOS"):
            sandbox.deny_network()
