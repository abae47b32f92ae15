"""Locks on system calls (Linux on x86-64 and aarch64): no network, or nothing but computing.

Unprivileged, inherited by children and by C code, on until the process ends. Elsewhere (macOS,
other processors, kernels without seccomp) both functions return False and change nothing.
The filter itself is in `edgemind.guard.bpf`.
"""

from __future__ import annotations

import ctypes
import os
import platform
import signal
import struct
import sys
from collections.abc import Sequence
from typing import Final

from edgemind.guard.bpf import MACHINES, Instruction, program

_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
_SECCOMP_SET_MODE_FILTER, _SECCOMP_FILTER_FLAG_TSYNC = 1, 1
_INSTRUCTION: Final = struct.Struct("=HBBI")


class _Filter(ctypes.Structure):
    """struct sock_fprog."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def deny_network() -> bool:
    """Refuse every new socket and io_uring, in all threads and children of this process.

    Whoever asks for one gets a `PermissionError`. Returns whether the lock is on.
    """
    return _install(alone=None)


def confine() -> bool:
    """`deny_network`, and shut this process in: for a child that runs what a model wrote.

    It makes no further process (threads stay possible), signals and inspects no other one, keeps
    the resource limits that it has, and ends when its parent does. Returns whether all that holds.
    """
    return _install(alone=os.getpid())


def _install(alone: int | None) -> bool:
    machine = MACHINES.get(platform.machine())
    # A 32-bit Python on a 64-bit kernel would find itself refused everything.
    if sys.platform != "linux" or machine is None or sys.maxsize < 1 << 32:
        return False
    instructions = program(machine, alone=alone)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return False
    if alone is not None and libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0) != 0:
        return False
    code = _assembled(instructions)
    loaded = _Filter(len(instructions), code)
    result: int = libc.syscall(
        ctypes.c_long(machine.calls["seccomp"]),
        ctypes.c_long(_SECCOMP_SET_MODE_FILTER),
        ctypes.c_long(_SECCOMP_FILTER_FLAG_TSYNC),
        ctypes.byref(loaded),
    )
    return result == 0


def _assembled(instructions: Sequence[Instruction]) -> bytes:
    return b"".join(_INSTRUCTION.pack(*instruction) for instruction in instructions)
