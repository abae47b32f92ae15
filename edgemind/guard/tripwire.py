"""A tripwire: Python code that reaches for the network is named. No lock, since C code passes it.

An audit hook (PEP 578) cannot be removed, just as the lock itself. It also holds the lock's report,
so that a process can be asked whether it is locked without anything being tried.
"""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any, Final

from edgemind.errors import PrivacyError

_ASKED: Final = "edgemind.network_lock"
_LOOKED_UP: Final = "look up {0!r}"
_WATCHED: Final = {
    "socket.__new__": "open a socket of family {1!r}",
    "socket.bind": "listen on {1!r}",
    "socket.connect": "connect to {1!r}",
    "socket.sendto": "send to {1!r}",
    "socket.sendmsg": "send to {1!r}",
    "socket.getaddrinfo": _LOOKED_UP,
    "socket.gethostbyaddr": _LOOKED_UP,
    "socket.gethostbyname": _LOOKED_UP,
    "socket.getnameinfo": _LOOKED_UP,
}
# Functions of the socket module that give a socket which leads nowhere new.
_FREE: Final = {"socketpair", "_fallback_socketpair", "accept", "dup", "fromfd", "fromshare"}
# The module itself is not imported: most of the time nothing needs it. -1 is the family of a socket
# that is made from a file descriptor; Windows knows AF_UNIX by the same number.
_ANY_FAMILY, _AF_UNIX = -1, 1
_MOST: Final = 120


class NetworkAttempt(PrivacyError, PermissionError):
    """Python code reached for the network. Also what the kernel would have raised.

    So a library that can go on without a network does, as it would behind the lock alone.
    """


def arm(report: object, *, unix: bool) -> None:
    """From now on raise `NetworkAttempt` in whoever reaches for the network, in every thread.

    `report` is what `asked` gives. With `unix`, sockets of AF_UNIX pass.
    """
    free_families = {_ANY_FAMILY, _AF_UNIX} if unix else {_ANY_FAMILY}

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event not in _WATCHED:
            if event == _ASKED:
                arguments[0].append(report)
            return
        # What a socket that exists is used for says its family; AF_UNIX was decided on before.
        if event == "socket.__new__":
            if arguments[1] in free_families:
                return
        elif getattr(arguments[0], "family", None) == _AF_UNIX:
            return
        frame = sys._getframe(1)
        if not _leads_nowhere(frame):
            raise NetworkAttempt(_complaint(event, arguments, frame))

    sys.addaudithook(hook)


def asked() -> list[Any]:
    """The reports of all tripwires of this process, the oldest first."""
    reports: list[Any] = []
    sys.audit(_ASKED, reports)
    return reports


def _leads_nowhere(frame: FrameType | None) -> bool:
    while frame is not None and _module(frame) == "socket":
        if frame.f_code.co_name in _FREE:
            return True
        frame = frame.f_back
    return False


def _complaint(event: str, arguments: tuple[Any, ...], frame: FrameType) -> str:
    doing = _WATCHED[event].format(*arguments)
    doing = "".join(c if c.isprintable() else "?" for c in doing)[:_MOST]
    return f"{_who(frame)} tried to {doing}; this process is locked: nothing leaves it"


def _who(frame: FrameType) -> str:
    """The code nearest to the attempt that is not Python's own library."""
    here: FrameType | None = frame
    while here is not None and _module(here).partition(".")[0] in sys.stdlib_module_names:
        here = here.f_back
    here = here or frame
    return f"{_module(here)} ({here.f_code.co_filename}:{here.f_lineno}, {here.f_code.co_name})"


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", "?"))
