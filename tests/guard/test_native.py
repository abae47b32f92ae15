"""The lock against code that is not Python: a library that opens sockets by itself."""

from __future__ import annotations

import errno
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.guard.children import linux, python

SOURCE = r"""
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static int told(long made) { return made < 0 ? errno : 0; }
int by_library(int family) { return told(socket(family, SOCK_STREAM, 0)); }
int by_number(int family) { return told(syscall(SYS_socket, family, SOCK_DGRAM, 0)); }
int by_ring(void) { char p[256] = {0}; return told(syscall(425, 8, p)); }
int by_x32(void) { return told(syscall(0x40000000 + 41, AF_INET, SOCK_STREAM, 0)); }
int by_old_abi(void) {
#ifdef __x86_64__
    long made;
    __asm__ volatile("int $0x80" : "=a"(made) : "a"(359), "b"(AF_INET), "c"(1), "d"(0) : "memory");
    return made < 0 ? (int)-made : 0;
#else
    return -1;
#endif
}
static atomic_int go, result = -1;
static pthread_t thread;
static void *wait(void *nothing) {
    while (!go) usleep(1000);
    result = by_library(AF_INET);
    return nothing;
}
int thread_starts(void) { return pthread_create(&thread, 0, wait, 0); }
int thread_tries(void) { go = 1; pthread_join(thread, 0); return result; }
"""

TRY = """
import ctypes, json, os, sys
library = ctypes.CDLL(sys.argv[1])
from edgemind.guard.lock import lock_network
library.thread_starts()
if sys.argv[2] == "lock":
    report = lock_network()
    if not report.on:
        print(json.dumps(report.why))
        sys.exit()
found = {"library": [library.by_library(family) for family in (1, 2, 10, 16, 17)]}
found["number"] = library.by_number(2)
found["ring"] = library.by_ring()
found["x32"] = library.by_x32()
found["thread"] = library.thread_tries()
def in_child(function):
    child = os.fork()
    if not child:
        os._exit(function() & 255)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
found["old"] = in_child(library.by_old_abi)  # without support for it the process is killed
found["child"] = in_child(lambda: library.by_library(2))
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("there is no C compiler")
    folder = tmp_path_factory.mktemp("native")
    (folder / "opens.c").write_text(SOURCE)
    made = folder / "opens.so"
    command = [compiler, "-shared", "-fPIC", "-pthread", "-o", made, folder / "opens.c"]
    subprocess.run(command, check=True)
    return made


@linux
def test_a_native_library_is_refused(library: Path, tmp_path: Path) -> None:
    found = json.loads(python(TRY, tmp_path, library, "lock"))
    if isinstance(found, str):
        pytest.skip(found)
    killed_or_refused = found.pop("old")
    assert killed_or_refused < 0 or killed_or_refused in (errno.EPERM, 255)
    assert found.pop("library") == [errno.EPERM] * 5
    assert found == dict.fromkeys(("number", "ring", "x32", "thread", "child"), errno.EPERM)


@linux
def test_without_the_lock_it_is_not(library: Path, tmp_path: Path) -> None:
    # A datagram socket that nobody uses sends nothing.
    found = json.loads(python(TRY, tmp_path, library, "open"))
    assert found["number"] == 0 and found["thread"] == 0 and found["child"] == 0
