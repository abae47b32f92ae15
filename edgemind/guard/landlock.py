"""A lock on files (Linux 5.13 and later, with Landlock on): writing only below one folder.

Reading stays possible: a program that was shut in has to find its libraries, and cannot send
anything away. Not covered by the kernel's lock: a file's mode, owner and times.
Source: linux/landlock.h. Elsewhere `write_only_below` returns False and changes nothing.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Final

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on every architecture
_PR_SET_NO_NEW_PRIVS: Final = 38
_GET_VERSION: Final = 1
_PATH_BENEATH: Final = 1
_WRITE_FILE: Final = 1 << 1
# Write, remove and make anything; from version 2 on also move between folders, from 3 on truncate.
_WRITING: Final = _WRITE_FILE | sum(1 << bit for bit in range(4, 13))
_BY_VERSION: Final = ((2, 1 << 13), (3, 1 << 14))


def version() -> int:
    """Which version the kernel has; 0 for none, or on another system."""
    if sys.platform != "linux":
        return 0
    return max(0, _call(ctypes.CDLL(None, use_errno=True), _CREATE_RULESET, None, 0, _GET_VERSION))


def write_only_below(folder: Path) -> bool:
    """Refuse this thread and its children to change files outside `folder` (but /dev/null).

    Call it before starting threads: those that run already keep their rights. Returns whether the
    lock is on.
    """
    if sys.platform != "linux":
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    known = version()
    if known < 1 or libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return False
    rights = _WRITING | sum(right for since, right in _BY_VERSION if known >= since)
    attributes = struct.pack("=Q", rights)
    with ExitStack() as files:
        ruleset = _call(libc, _CREATE_RULESET, attributes, len(attributes), 0)
        if ruleset < 0:
            return False
        files.callback(os.close, ruleset)
        allowed = ((folder, rights), (Path(os.devnull), rights & (_WRITE_FILE | 1 << 14)))
        for path, granted in allowed:
            opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
            files.callback(os.close, opened)
            rule = struct.pack("=Qi", granted, opened)
            if _call(libc, _ADD_RULE, ruleset, _PATH_BENEATH, rule, 0) != 0:
                return False
        return _call(libc, _RESTRICT_SELF, ruleset, 0) == 0


def _call(libc: ctypes.CDLL, number: int, *arguments: int | bytes | None) -> int:
    """A system call; integers are passed as long as the kernel expects them."""
    wide = [ctypes.c_long(one) if isinstance(one, int) else one for one in arguments]
    result: int = libc.syscall(ctypes.c_long(number), *wide)
    return result
