"""What a container or a service may use: the limits of its control groups (Linux).

Version 2 has one tree (`cpu.max`, `memory.max`), version 1 one for each kind. A limit of a group
above holds too, so the way up to the root is looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from edgemind.files import glance

GROUPS = "sys/fs/cgroup"
NO_LIMIT = 1 << 60
"""Version 1 has a number near 2⁶³ where there is no limit."""


@dataclass(frozen=True, slots=True)
class Limits:
    """`cores` as a decimal number, `memory` in bytes and how much of that is left; None: no limit.

    What files of the page cache take counts as left: the kernel gives it back.
    """

    cores: float | None = None
    memory: int | None = None
    memory_left: int | None = None


def group_limits(root: Path = Path("/")) -> Limits:
    """What holds for this process."""
    cores: list[float] = []
    for folder in _folders(root, "", GROUPS):
        quota, _, period = glance(folder / "cpu.max").partition(" ")
        cores += _share(quota, period)
    for folder in _folders(root, "cpu", f"{GROUPS}/cpu"):
        quota = glance(folder / "cpu.cfs_quota_us")
        cores += _share(quota, glance(folder / "cpu.cfs_period_us"))
    left, limit = group_memory(root) or (None, None)
    return Limits(min(cores, default=None), limit, left)


def group_memory(root: Path = Path("/")) -> tuple[int, int] | None:
    """Bytes of memory that are left to this process's groups, and their limit; None: no limit."""
    found: list[tuple[int, int]] = []
    for folder in _folders(root, "", GROUPS):
        found += _memory(folder, "memory.max", "memory.current", "inactive_file")
    for folder in _folders(root, "memory", f"{GROUPS}/memory"):
        names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
        found += _memory(folder, *names)
    return min(found, default=None)


def _folders(root: Path, controller: str, tree: str) -> Iterator[Path]:
    """This process's group in a tree and those above it. In a container the way may lead nowhere:
    then the tree's root is the container's own group."""
    for line in glance(root / "proc/self/cgroup").splitlines():
        _, controllers, way = (*line.split(":", 2), "", "")[:3]
        if controller in controllers.split(","):
            inner = PurePosixPath(way.lstrip("/"))
            if ".." not in inner.parts:
                yield from (root / tree / part for part in (inner, *inner.parents))
                return
    yield root / tree


def _share(quota: str, period: str) -> list[float]:
    if quota.isdecimal() and period.isdecimal() and int(period) > 0 and int(quota) > 0:
        return [int(quota) / int(period)]
    return []


def _memory(folder: Path, limit: str, used: str, cached: str) -> list[tuple[int, int]]:
    text = glance(folder / limit)
    if not text.isdecimal() or int(text) >= NO_LIMIT:
        return []
    taken = glance(folder / used)
    kept = 0
    for line in glance(folder / "memory.stat").splitlines():
        name, _, value = line.partition(" ")
        if name == cached and value.isdecimal():
            kept = int(value)
    using = max(0, int(taken) - kept) if taken.isdecimal() else 0
    return [(max(0, int(text) - using), int(text))]
