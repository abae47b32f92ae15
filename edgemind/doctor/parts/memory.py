"""How much memory there is, is free, and may be used; swap."""

from __future__ import annotations

from collections.abc import Iterator

from edgemind.conditions import machine_memory
from edgemind.device.limits import group_limits
from edgemind.device.state import swap
from edgemind.doctor.base import Finding, Site
from edgemind.files import decimal as size

RANK = 30
LITTLE = 512 << 20
SWAPPED_SHARE = 0.5


def memory(site: Site) -> Iterator[Finding]:
    """All, free, limit, swap."""
    free, total = machine_memory(site.root / "proc")
    yield Finding("total", size(total) if total else "not told", total or None)
    if free is None:
        text = "not told: a model is opened without looking whether it fits"
        action = "keep to models that are smaller than the memory that you know of"
        yield Finding("available", text, None, "note", action)
    elif free < LITTLE:
        action = "close other programs, or take smaller models"
        yield Finding("available", f"{size(free)}, which is little", free, "note", action)
    else:
        yield Finding("available", size(free), free)
    limits = group_limits(site.root)
    if limits.memory is None or limits.memory_left is None:
        yield Finding("limit", "none of a control group", None)
    else:
        text = f"a control group allows {size(limits.memory)}, {size(limits.memory_left)} are left"
        value = {"bytes": limits.memory, "left": limits.memory_left}
        if free is not None and limits.memory_left < free:
            text += ", less than the machine has free: beyond it the process is killed"
            action = "widen the limit, or keep to models that fit (below)"
            yield Finding("limit", text, value, "note", action)
        else:
            yield Finding("limit", text, value)
    space = swap(site.root)
    if space is None:
        return
    whole, used = space
    value = {"bytes": whole, "used": used}
    if whole and used > SWAPPED_SHARE * whole and used > LITTLE:
        text = f"{size(used)} of {size(whole)} in use: memory was short, and what swaps is slow"
        action = "close other programs"
        yield Finding("swap", text, value, "note", action)
    else:
        text = f"{size(used)} of {size(whole)} in use" if whole else "none"
        yield Finding("swap", text, value)
