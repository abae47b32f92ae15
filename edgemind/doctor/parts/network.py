"""Whether the network is locked, by what, and what a try of it gave."""

from __future__ import annotations

from collections.abc import Iterator

from edgemind.doctor.base import Finding, Site
from edgemind.guard.lock import current_lock

RANK = 70
KEYS = {"network": "lock", "lock": "mechanism", "left open": "left_open", "self-test": "self_test"}


def network(site: Site) -> Iterator[Finding]:
    """The lock's own account."""
    lock = current_lock()
    for name, text in lock.rows(site.environment):
        finding = Finding(KEYS.get(name, name), text, text)
        if name == "network":
            finding = Finding("lock", text, lock.on)
            if not lock.on:
                action = "answers still work; block the program in the system's firewall instead"
                finding = Finding("lock", text, False, "note", action)
        yield finding
    yield _files(site)


def _files(site: Site) -> Finding:
    """Landlock: what keeps children from writing."""
    from edgemind.guard.landlock import version

    if site.place.system != "linux":
        return Finding("landlock", "not on this system: children are limited in other ways", None)
    number = version()
    if number < 1:
        text = "the kernel has none: children that try a model's code could write your files"
        return Finding(
            "landlock", text, 0, "note", "start the kernel with lsm=landlock,… if you use --verify"
        )
    text = f"version {number}: children write nowhere but in a folder of their own"
    return Finding("landlock", text, number)
