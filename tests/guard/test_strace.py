"""Reading strace's lines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgemind.guard.strace import Call, read_call, unquoted

LINES = [
    (
        'openat(AT_FDCWD</a b>, "x, (\\"y\\").py", O_RDONLY|O_CLOEXEC) = 3</a b/x, ("y").py>',
        Call(
            "openat",
            ("AT_FDCWD</a b>", '"x, (\\"y\\").py"', "O_RDONLY|O_CLOEXEC"),
            *(3, "", '/a b/x, ("y").py'),
        ),
    ),
    (
        'open("/no", O_RDONLY) = -1 ENOENT (No such file or directory)',
        Call("open", ('"/no"', "O_RDONLY"), -1, "ENOENT"),
    ),
    (
        "socket(AF_INET, SOCK_DGRAM|SOCK_CLOEXEC, IPPROTO_IP) = -1 EPERM (Operation not permitted)",
        Call("socket", ("AF_INET", "SOCK_DGRAM|SOCK_CLOEXEC", "IPPROTO_IP"), -1, "EPERM"),
    ),
    (
        "connect(3<socket:[12]>, {sa_family=AF_INET, sin_port=htons(53)}, 16) = 0",
        Call("connect", ("3<socket:[12]>", "{sa_family=AF_INET, sin_port=htons(53)}", "16"), 0),
    ),
    (
        'execve("/bin/true", ["/bin/true", "a)"], 0x7ffd /* 35 vars */) = 0',
        Call("execve", ('"/bin/true"', '["/bin/true", "a)"]', "0x7ffd /* 35 vars */"), 0),
    ),
    (
        "clone3({flags=CLONE_VM|CLONE_THREAD, stack=0x7f}, 88) = 77",
        Call("clone3", ("{flags=CLONE_VM|CLONE_THREAD, stack=0x7f}", "88"), 77),
    ),
    ("vfork()                                 = 12", Call("vfork", (), 12)),
    ("exit_group(0)                           = ?", Call("exit_group", ("0",), None)),
    ("wait4(5,  <unfinished ...>", Call("wait4", ("5", "<unfinished ...>"), None)),
    ('mkdir("/tmp/\\303\\244", 0777) = 0', Call("mkdir", ('"/tmp/\\303\\244"', "0777"), 0)),
    (
        'openat(3</tmp/a\\76b>, "c", O_RDWR) = 4</tmp/#12 (deleted)>',
        Call("openat", ("3</tmp/a\\76b>", '"c"', "O_RDWR"), 4, "", "/tmp/#12 (deleted)"),
    ),
]


@pytest.mark.parametrize(("line", "call"), LINES, ids=[call.name for _, call in LINES])
def test_lines(line: str, call: Call) -> None:
    assert read_call(line) == call


def test_texts_and_folders_of_arguments() -> None:
    call = read_call('openat(3</tmp/a\\76b>, "\\303\\244\\n\\"", O_RDWR) = 4</x>')
    assert call is not None
    assert call.text(1) == 'ä\n"' and call.text(0) is None and call.text(9) is None
    assert call.folder(0) == "/tmp/a>b" and call.folder(1) is None


def test_lines_about_something_else() -> None:
    assert read_call("+++ exited with 0 +++") is None
    assert read_call("--- SIGCHLD {si_signo=SIGCHLD} ---") is None
    assert read_call("") is None
    for line in ("strace: warning", "open(", 'open("x"', "open(1) is 4"):
        with pytest.raises(ValueError, match="not a line"):
            read_call(line)


@given(st.binary(max_size=40).filter(lambda text: b"\0" not in text))
def test_octal_escapes(text: bytes) -> None:
    import os

    assert unquoted('"' + "".join(f"\\{byte:03o}" for byte in text) + '"') == os.fsdecode(text)


@given(st.text(max_size=60))
def test_anything_else_is_a_value_error(line: str) -> None:
    for text in (line, f"open({line}", f"open({line}) = 3"):
        try:
            read_call(text)
        except ValueError as error:
            assert "not a line" in str(error)
