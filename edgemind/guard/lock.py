"""The network lock: one call, before any engine library is imported, and what came of it.

The kernel keeps it until the process ends: Linux by seccomp, macOS by its sandbox. Windows has no
lock that a process can put on itself without rights; there, and wherever the lock is refused, only
the tripwire is left, and the report says so.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from edgemind.guard import seccomp, tripwire
from edgemind.guard.seccomp import LockUnavailable
from edgemind.guard.telemetry import OFFLINE, SWITCHES

Mechanism = Literal["seccomp", "sandbox", "none"]


@dataclass(frozen=True, slots=True)
class NetworkLock:
    """Whether this process can reach a network, and what keeps it from that.

    `tested`: after locking, an IP socket was tried from C code and refused. `unix`: sockets of
    AF_UNIX stay possible. `why` there is no lock; empty where there is one.
    """

    mechanism: Mechanism
    unix: bool = False
    tested: bool = False
    why: str = ""

    @property
    def on(self) -> bool:
        """Whether the kernel refuses the network, as tried."""
        return self.mechanism != "none" and self.tested

    @property
    def label(self) -> str:
        """For receipts: `locked:<mechanism>`, or `open`."""
        return f"locked:{self.mechanism}" if self.on else "open"

    def rows(self, environment: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
        """Name and value of all there is to say, for `edgemind doctor`.

        `environment` (`os.environ`) holds the switches of telemetry.
        """
        missing = [name for name in (*SWITCHES, OFFLINE) if environment.get(name) != "1"]
        refused = "an IP socket was tried and refused"
        kept = "AF_UNIX" if self.unix else "no family of sockets"
        return (
            ("network", "locked" if self.on else f"open: {self.why}"),
            ("lock", "none" if self.mechanism == "none" else f"{self.mechanism}, by the kernel"),
            ("self-test", refused if self.tested else "no refusal seen"),
            ("left open", kept if self.on else "everything"),
            ("telemetry", f"on: {', '.join(missing)} not set" if missing else "off"),
        )


UNASKED: Final = NetworkLock("none", why="nobody asked for the lock in this process")


def current_lock() -> NetworkLock:
    """What holds for this process now. Tries nothing."""
    reports = tripwire.asked()
    last: NetworkLock = reports[-1] if reports else UNASKED
    return last


def lock_network(*, unix: bool = False) -> NetworkLock:
    """Lock this process, all its threads and children out of every network, for good.

    Loopback included. With `unix`, sockets of AF_UNIX stay possible, for a face that needs them.
    Python code that tries gets a `PrivacyError` that names it, other code EPERM. Never raises: the
    report tells whether the lock is on. A process that is locked as asked is left as it is.
    """
    known = tripwire.asked()
    if known:
        last: NetworkLock = known[-1]
        if not last.on or unix or not last.unix:
            return last
    report = _lock(unix)
    tripwire.arm(report, unix=unix)
    return report


def _lock(unix: bool) -> NetworkLock:
    mechanism: Mechanism
    try:
        if sys.platform == "linux":
            mechanism = "seccomp"
            seccomp.deny_network(unix=unix)
            tested = seccomp.refuses_sockets()
        elif sys.platform == "darwin":
            from edgemind.guard import sandbox

            mechanism = "sandbox"
            sandbox.deny_network(unix=unix)
            tested = sandbox.refuses_connections()
        else:
            raise LockUnavailable(
                f"{sys.platform} has no lock that a process can put on itself; only Python code "
                "is watched: block the program in the system's firewall"
            )
    except LockUnavailable as error:
        return NetworkLock("none", why=str(error))
    why = "" if tested else "the lock was put on, but an IP socket could still be used"
    return NetworkLock(mechanism, unix, tested, why)
