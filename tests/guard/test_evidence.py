"""What a traced run may do, and what is held against it."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgemind.guard import evidence
from edgemind.guard.evidence import Evidence, Places, judge

PLACES = Places(
    program=Path("/opt/env/bin/python"),
    library=(Path("/opt/env"), Path("/opt/edgemind/edgemind")),
    listed=(Path("/opt/edgemind"),),
    named=(Path("/models/m.gguf"),),
    own=(Path("/home/me/.local/share/edgemind"), Path("/home/me/.config/edgemind")),
    temporary=Path("/tmp"),
    here=Path("/home/me/work"),
)
START = 'execve("/opt/env/bin/python", ["python", "ask"], 0x7 /* 3 vars */) = 0'
LOCK = "seccomp(SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, {len=33}) = 0"
TEST = "socket(AF_INET, SOCK_DGRAM|SOCK_CLOEXEC, IPPROTO_IP) = -1 EPERM (No)"


def judged(*lines: str, **others: list[str]) -> Evidence:
    traces = {10: [START, *lines]} | {int(name[1:]): given for name, given in others.items()}
    return judge(traces, 10, PLACES)


def opened(path: str, flags: str = "O_RDONLY|O_CLOEXEC") -> str:
    return f'openat(AT_FDCWD</home/me/work>, "{path}", {flags}, 0666) = 3<{path}>'


def test_a_quiet_run() -> None:
    found = judged(LOCK, TEST, opened("/models/m.gguf"), "exit_group(0) = ?")
    assert found.locked and found.against == ()
    assert [one.group for one in found.findings] == [evidence.SELF_TEST, evidence.NAMED]


def test_only_the_self_test_may_try_a_socket() -> None:
    assert not judged().locked
    for lines in (
        [TEST],
        [LOCK, TEST, TEST],
        [LOCK, TEST.replace("-1 EPERM (No)", "3<socket:[1]>")],
        [LOCK, TEST.replace("SOCK_DGRAM", "SOCK_STREAM")],
        [LOCK.replace("= 0", "= -1 EINVAL (x)"), TEST],
        [LOCK, "socket(AF_UNIX, SOCK_STREAM|SOCK_CLOEXEC, 0) = -1 EPERM (No)"],
        ["io_uring_setup(8, {}) = -1 EPERM (No)"],
        ["connect(3<socket:[1]>, {sa_family=AF_UNIX}, 110) = 0"],
        ["sendto(3<socket:[1]>, 0x7, 3, 0, NULL, 0) = 3"],
    ):
        [against] = judged(*lines).against
        assert against.kind == "network"


def test_ends_of_a_pair_may_talk() -> None:
    pair = "socketpair(AF_UNIX, SOCK_STREAM|SOCK_CLOEXEC, 0, [3, 4]) = 0"
    assert judged(pair, "sendmsg(3<socket:[1]>, {msg_name=NULL}, 0) = 1").against == ()


@pytest.mark.parametrize(
    ("path", "flags", "group"),
    [
        ("/opt/env/lib/python3/os.py", "O_RDONLY", evidence.LIBRARY),
        ("/usr/lib/x86_64-linux-gnu/libc.so.6", "O_RDONLY", evidence.LIBRARY),
        ("/opt/edgemind", "O_RDONLY|O_DIRECTORY", evidence.LIBRARY),
        ("/opt/edgemind", "O_RDONLY", ""),
        ("/opt/edgemind/secret", "O_RDONLY", ""),
        ("/opt/env2/x", "O_RDONLY", ""),
        ("/models/m.gguf", "O_RDWR", ""),
        ("/models/m.gguf2", "O_RDONLY", ""),
        ("/home/me/.config/edgemind/config.toml", "O_RDONLY", evidence.OWN),
        ("/home/me/.local/share/edgemind/usage.sqlite", "O_RDWR|O_CREAT", evidence.OWN),
        ("/home/me/.ssh/id_ed25519", "O_RDONLY", ""),
        ("/etc/passwd", "O_RDONLY", ""),
        ("/proc/cpuinfo", "O_RDONLY", evidence.SYSTEM),
        ("/proc/10/status", "O_RDONLY", evidence.SYSTEM),
        ("/proc/1/environ", "O_RDONLY", ""),
        ("/proc/self/oom_score_adj", "O_WRONLY", ""),
        ("/dev/null", "O_RDWR", evidence.DEVICE),
        ("/dev/mem", "O_RDONLY", ""),
        ("/tmp/edgemind-x1/answer.py", "O_WRONLY|O_CREAT", evidence.TEMPORARY),
        ("/tmp/other", "O_WRONLY|O_CREAT", ""),
        ("/tmp/#12 (deleted)", "O_RDWR|O_TMPFILE", evidence.TEMPORARY),
        ("/opt/env/lib/__pycache__/a.pyc.123", "O_WRONLY|O_CREAT", evidence.COMPILED),
        ("/opt/env/lib/a.py", "O_WRONLY|O_CREAT", ""),
        ("/home/me/work/__pycache__/a.pyc", "O_WRONLY", ""),
    ],
)
def test_files(path: str, flags: str, group: str) -> None:
    [found] = judged(opened(path, flags)).findings
    writes = any(word in flags for word in ("O_WRONLY", "O_RDWR", "O_CREAT"))
    assert (found.kind, found.group) == ("write" if writes else "read", group)


@pytest.mark.parametrize(
    ("line", "allowed"),
    [
        ('mkdir("/home/me/.local", 0777) = 0', True),
        ('mkdir("/home/me/.other", 0777) = 0', False),
        ('mkdir("/home/me/.local/share/edgemind/x", 0777) = 0', True),
        ('unlink("/home/me/.local/share/edgemind/x") = 0', True),
        ('unlink("/home/me/.local/share/edgemind/../y") = 0', False),
        ('unlink("notes") = 0', False),
        ('rename("/tmp/edgemind-1/a", "/home/me/a") = 0', False),
        ('renameat2(AT_FDCWD</tmp>, "edgemind-1/a", 4</tmp/edgemind-1>, "b", 0) = 0', True),
        ('symlinkat("/etc/passwd", 3</home/me>, "x") = 0', False),
        ('truncate("/home/me/a", 0) = 0', False),
        ('creat("/home/me/a", 0600) = 3</home/me/a>', False),
        ('chmod("/home/me/a", 0777) = 0', False),
        ("utimensat(3</tmp/edgemind-1/a>, NULL, NULL, 0) = 0", True),
        ('unlink("/home/me/a") = -1 ENOENT (No such file or directory)', True),
        ('mount("a", "/mnt", NULL, 0, NULL) = 0', False),
        ("something is wrong", False),
    ],
)
def test_changes(line: str, allowed: bool) -> None:
    assert (judged(line).against == ()) is allowed


def test_a_temporary_file_that_is_removed_again() -> None:
    made, gone = opened("/tmp/ab_c", "O_RDWR|O_CREAT|O_EXCL"), 'unlink("/tmp/ab_c") = 0'
    assert [one.group for one in judged(made, gone).findings] == [evidence.GONE] * 2
    for lines in (
        [made],
        [gone],
        [made.replace("|O_EXCL", ""), gone],
        [made.replace("/tmp/", "/tmp/x/"), gone.replace("/tmp/", "/tmp/x/")],
        [made, 'unlink("/tmp/ab_c") = -1 EPERM (No)'],
    ):
        assert judged(*lines).against != ()
    # Another process may not remove it: what it read meanwhile is not known.
    fork = "vfork() = 11"
    child = 'execve("/opt/env/bin/python", ["python", "_child", "python"], 0x7) = 0'
    assert judged(made, fork, p11=[child, gone]).against != ()


def test_the_working_folder_is_followed() -> None:
    moved = ['chdir("/tmp/edgemind-1") = 0', 'unlink("a") = 0']
    assert judged(*moved).against == ()
    back = ["fchdir(3</home/me>) = 0", 'unlink("a") = 0']
    assert [one.what for one in judged(*moved, *back).against] == ["unlink /home/me/a"]


def test_programs() -> None:
    fork = "clone(child_stack=NULL, flags=CLONE_CHILD_SETTID|SIGCHLD) = 11"
    thread = "clone3({flags=CLONE_VM|CLONE_THREAD}, 88) = 12"
    child = 'execve("/opt/env/bin/python", ["python", "_child", "python"], 0x7) = 0'
    other = 'execve("/usr/bin/curl", ["curl", "_child"], 0x7) = 0'
    missing = 'execve("/bin/curl", ["curl"], 0x7) = -1 ENOENT (No such file or directory)'
    assert judged(thread, p12=["exit(0) = ?"]).against == ()
    assert [one.group for one in judged(fork, p11=[missing, child]).findings] == [evidence.CHILD]
    assert [one.kind for one in judged(fork, p11=[other]).against] == ["process"]
    [alone] = judged(fork, p11=["exit_group(0) = ?"]).against
    assert "process 11" in alone.what
    assert [one.kind for one in judged(other).against] == ["process"]
