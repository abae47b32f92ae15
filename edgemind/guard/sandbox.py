"""The lock on networks of macOS: a sandbox profile, put on by the process itself.

`sandbox_init` is marked as deprecated, yet browsers and build tools rely on it, and there is no
successor for programs outside the App Store. Unprivileged, inherited by children and by C code, on
until the process ends. A socket can still be made; what is refused is to use it.
Source: sandbox.h of macOS; profiles as those of Chromium and Bazel.
"""

from __future__ import annotations

import ctypes
import sys
from typing import Final

from edgemind.guard.seccomp import LockUnavailable

_PROFILE: Final = "(version 1)(allow default)(deny network*)"
_UNIX: Final = "(allow network* (local unix-socket) (remote unix-socket))"
_DISCARD: Final = 9


def deny_network(*, unix: bool = False) -> None:
    """Refuse every connection of this process and its children; with `unix`, but for AF_UNIX.

    Raises `LockUnavailable` where the lock is not on.
    """
    if sys.platform != "darwin":
        raise LockUnavailable("the sandbox is a lock of macOS")
    library = ctypes.CDLL(None)
    if not hasattr(library, "sandbox_init"):
        raise LockUnavailable("this macOS has no sandbox_init")
    profile = _PROFILE + (_UNIX if unix else "")
    message = ctypes.c_char_p()
    if library.sandbox_init(profile.encode(), ctypes.c_uint64(0), ctypes.byref(message)) != 0:
        said = (message.value or b"no reason given").decode("utf-8", "replace")
        raise LockUnavailable(f"macOS refuses the sandbox: {said}")


def refuses_connections() -> bool:
    """Whether an IP socket of this process leads nowhere. Tries it, and sends nothing.

    Connecting a datagram socket only notes an address. The tripwire must not be armed yet.
    """
    import socket

    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as tried:
            tried.connect(("127.0.0.1", _DISCARD))
    except PermissionError:
        return True
    except OSError:
        return False
    return False
