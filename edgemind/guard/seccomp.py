"""Locks on system calls (Linux on x86-64 and aarch64): no network, or nothing but computing.

Unprivileged, inherited by children and by C code, on until the process ends. Elsewhere (macOS,
other processors, kernels without seccomp) there is no such lock, and nothing is changed.
The filter itself is in `edgemind.guard.bpf`.
"""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import struct
import sys
from collections.abc import Sequence
from typing import Final

from edgemind.guard.bpf import MACHINES, Instruction, program

_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
_SECCOMP_SET_MODE_FILTER, _SECCOMP_FILTER_FLAG_TSYNC = 1, 1
# Not from the socket module, which no child needs to load.
_AF_INET, _SOCK_DGRAM, _SOCK_CLOEXEC = 2, 2, 0o2000000
_INSTRUCTION: Final = struct.Struct("=HBBI")


class _Filter(ctypes.Structure):
    """struct sock_fprog."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


class LockUnavailable(Exception):
    """This system does not give the lock; the text says why."""


def deny_network(*, unix: bool = False) -> None:
    """Refuse every new socket and io_uring, in all threads and children of this process.

    Whoever asks for one gets a `PermissionError`. With `unix`, sockets of AF_UNIX stay possible.
    Raises `LockUnavailable` where the lock is not on.
    """
    _install(alone=None, unix=unix)


def confine() -> bool:
    """`deny_network`, and shut this process in: for a child that runs what a model wrote.

    It makes no further process (threads stay possible), signals and inspects no other one, keeps
    the resource limits that it has, and ends when its parent does. Returns whether all that holds.
    """
    try:
        _install(alone=os.getpid(), unix=False)
    except LockUnavailable:
        return False
    return True


def _install(alone: int | None, unix: bool) -> None:
    if sys.platform != "linux":
        raise LockUnavailable("seccomp is a lock of Linux")
    processor = os.uname().machine  # the platform module takes longer to import than all this
    machine = MACHINES.get(processor)
    if machine is None:
        raise LockUnavailable(f"no filter is known for the processor {processor}")
    if sys.maxsize < 1 << 32:
        # It would find itself refused everything.
        raise LockUnavailable("a 32-bit Python cannot be locked on a 64-bit kernel")
    instructions = program(machine, alone=alone, unix=unix)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise LockUnavailable(f"the kernel refuses no_new_privs: {_last_error()}")
    if alone is not None and libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0) != 0:
        raise LockUnavailable(f"the kernel refuses a signal at the parent's end: {_last_error()}")
    code = _assembled(instructions)
    loaded = _Filter(len(instructions), code)
    result: int = libc.syscall(
        ctypes.c_long(machine.calls["seccomp"]),
        ctypes.c_long(_SECCOMP_SET_MODE_FILTER),
        ctypes.c_long(_SECCOMP_FILTER_FLAG_TSYNC),
        ctypes.byref(loaded),
    )
    if result > 0:
        raise LockUnavailable(f"thread {result} has a filter of its own")
    if result < 0:
        raise LockUnavailable(f"the kernel refuses the filter: {_last_error()}")


def refuses_sockets() -> bool:
    """Whether C code of this process that asks for an IP socket is refused. Tries it."""
    libc = ctypes.CDLL(None, use_errno=True)
    made: int = libc.socket(_AF_INET, _SOCK_DGRAM | _SOCK_CLOEXEC, 0)
    if made >= 0:
        os.close(made)
        return False
    return ctypes.get_errno() == errno.EPERM


def _last_error() -> str:
    return os.strerror(ctypes.get_errno())


def _assembled(instructions: Sequence[Instruction]) -> bytes:
    return b"".join(_INSTRUCTION.pack(*instruction) for instruction in instructions)
