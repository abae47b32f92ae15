"""Programs for the kernel's packet filter, as far as seccomp needs them, and system call numbers.

`program` builds the instructions of a filter for one processor architecture; it is pure, so that
the filter of one machine can be tested on another. `edgemind.guard.seccomp` switches it on.
Sources: linux/filter.h, linux/seccomp.h, linux/audit.h, the kernel's system call tables.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

LOAD, AND, RETURN = 0x20, 0x54, 0x06
JUMP_EQUAL, JUMP_AT_LEAST, JUMP_ANY_BIT = 0x15, 0x35, 0x45
ALLOW: Final = 0x7FFF0000
REFUSE: Final = 0x00050000 | errno.EPERM
NOT_THERE: Final = 0x00050000 | errno.ENOSYS

# Offsets in struct seccomp_data. Arguments are 64 bits wide, little end first on both machines.
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
_X32_CALLS: Final = 0x40000000
_CLONE_THREAD: Final = 0x10000
_SOCK_STREAM, _SOCK_TYPE_MASK = 1, 0xF
_AF_UNIX: Final = 1

Instruction = tuple[int, int, int, int]
"""Code, distance to jump if true, distance if false, constant."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What a filter has to know of a processor: its audit number and its system calls."""

    architecture: int
    calls: Mapping[str, int]


MACHINES: Final[Mapping[str, Machine]] = MappingProxyType(
    {
        "x86_64": Machine(
            0xC000003E,
            {
                "socket": 41, "socketpair": 53, "clone": 56, "fork": 57, "vfork": 58,
                "execve": 59, "kill": 62, "ptrace": 101, "rt_sigqueueinfo": 129, "setrlimit": 160,
                "tkill": 200, "tgkill": 234, "rt_tgsigqueueinfo": 297, "prlimit64": 302,
                "process_vm_readv": 310, "process_vm_writev": 311, "seccomp": 317,
                "execveat": 322, "pidfd_send_signal": 424, "io_uring_setup": 425,
                "io_uring_enter": 426, "io_uring_register": 427, "clone3": 435,
                "pidfd_getfd": 438,
            },
        ),
        "aarch64": Machine(
            0xC00000B7,
            {
                "ptrace": 117, "kill": 129, "tkill": 130, "tgkill": 131, "rt_sigqueueinfo": 138,
                "setrlimit": 164, "socket": 198, "socketpair": 199, "clone": 220, "execve": 221,
                "rt_tgsigqueueinfo": 240, "prlimit64": 261, "process_vm_readv": 270,
                "process_vm_writev": 271, "seccomp": 277, "execveat": 281,
                "pidfd_send_signal": 424, "io_uring_setup": 425, "io_uring_enter": 426,
                "io_uring_register": 427, "clone3": 435, "pidfd_getfd": 438,
            },
        ),
    }
)  # fmt: skip

SOCKETS: Final = ("socket", "socketcall")
"""What makes a socket; `socketcall` (all socket calls in one) exists on few architectures."""
AROUND: Final = ("io_uring_setup", "io_uring_enter", "io_uring_register", "pidfd_getfd")
"""Ways around a filter: io_uring makes sockets out of its sight, an older ring of the process too,
and a socket that another process opened can be fetched."""
OTHERS: Final = (
    *("fork", "vfork", "execve", "execveat", "ptrace", "process_vm_readv", "process_vm_writev"),
    *("tkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_send_signal", "setrlimit"),
)
"""What reaches other processes, makes new ones, or lifts a limit."""


def program(
    machine: Machine, *, alone: int | None = None, unix: bool = False
) -> tuple[Instruction, ...]:
    """A filter that refuses (EPERM) every way to a network, and calls of any other architecture.

    No `socket()` of any family, since AF_UNIX leads to resolvers and containers too; but for that
    one with `unix`, where a face needs it. Of `socketpair` only streams are left, since a datagram
    socket can still be pointed elsewhere. With `alone`, the process's id, it can also make no
    process (threads, yes), send no signal but to itself, touch no other process's memory, and
    change no resource limit.
    """
    calls = machine.calls
    body: list[Instruction] = []

    def refuse(name: str) -> None:
        if name in calls:
            body.extend([(JUMP_EQUAL, 0, 1, calls[name]), (RETURN, 0, 0, REFUSE)])

    def only(name: str, tests: Sequence[Instruction]) -> None:
        """Allow a call where `tests` jump by 1 from their end, refuse it where by 0."""
        answer = [(RETURN, 0, 0, REFUSE), (RETURN, 0, 0, ALLOW)]
        body.append((JUMP_EQUAL, 0, len(tests) + len(answer), calls[name]))
        body.extend([*tests, *answer])

    if unix:
        only("socket", [(LOAD, 0, 0, _argument(0)), (JUMP_EQUAL, 1, 0, _AF_UNIX)])
    for name in (*SOCKETS[unix:], *AROUND):
        refuse(name)
    kind = [(LOAD, 0, 0, _argument(1)), (AND, 0, 0, _SOCK_TYPE_MASK)]
    only("socketpair", [*kind, (JUMP_EQUAL, 1, 0, _SOCK_STREAM)])
    if alone is not None:
        for name in OTHERS:
            refuse(name)
        # The flags of clone3 lie in memory, where no filter can look; libraries fall back to clone.
        body.extend([(JUMP_EQUAL, 0, 1, calls["clone3"]), (RETURN, 0, 0, NOT_THERE)])
        only("clone", [(LOAD, 0, 0, _argument(0)), (JUMP_ANY_BIT, 1, 0, _CLONE_THREAD)])
        for name in ("kill", "tgkill"):
            only(name, [(LOAD, 0, 0, _argument(0)), (JUMP_EQUAL, 1, 0, alone)])
        # Asking for a limit passes no new one: a null pointer, 64 bits of it.
        low, high = _argument(2), _argument(2) + 4
        nothing = [
            (LOAD, 0, 0, low),
            (JUMP_EQUAL, 0, 2, 0),
            (LOAD, 0, 0, high),
            (JUMP_EQUAL, 1, 0, 0),
        ]
        only("prlimit64", nothing)
    head: list[Instruction] = [
        (LOAD, 0, 0, _ARCHITECTURE),
        (JUMP_EQUAL, 1, 0, machine.architecture),
        (RETURN, 0, 0, REFUSE),
        (LOAD, 0, 0, _NUMBER),
        (JUMP_AT_LEAST, 0, 1, _X32_CALLS),
        (RETURN, 0, 0, REFUSE),
    ]
    return (*head, *body, (RETURN, 0, 0, ALLOW))


def _argument(index: int) -> int:
    return _ARGUMENTS + 8 * index
