"""Cores, limits on them, and whether llama.cpp uses the instruction sets that there are."""

from __future__ import annotations

import platform
import signal
from collections.abc import Iterator

from edgemind.device import processor as chip
from edgemind.device.limits import group_limits
from edgemind.device.processor import (
    COMMON_NAMES,
    CPUS,
    Cores,
    count_cores,
    instruction_sets,
    last_level_cache_bytes,
)
from edgemind.doctor.base import Finding, Site
from edgemind.doctor.words import REBUILD
from edgemind.files import decimal as size

RANK = 20
FAST = (
    *"AVX AVX2 FMA F16C AVX512 AVX512_VNNI AVX_VNNI AMX_INT8".split(),
    *"NEON DOTPROD MATMUL_INT8 FP16_VA SVE".split(),
)
"""Sets that decoding or prompts are markedly slower without."""


def processor(site: Site) -> Iterator[Finding]:
    """Name, cores, limits, instruction sets."""
    name = chip.processor(site.root)
    cache = last_level_cache_bytes(site.root)
    told = ", ".join(dict.fromkeys((name, platform.machine()))) + (
        f", {size(cache)} of cache" if cache else ""
    )
    yield Finding("name", told, {"name": name, "machine": platform.machine(), "cache_bytes": cache})
    cores = count_cores(site.root / CPUS, site.cores_allowed)
    yield Finding(
        "cores",
        cores_text(cores),
        {
            "logical": cores.logical,
            "allowed": cores.allowed,
            "physical": cores.physical,
            "performance": cores.performance,
        },
    )
    quota = group_limits(site.root).cores
    if quota is not None and quota < cores.performance - 0.05:
        fit = max(1, int(quota + 0.05))
        yield Finding(
            "limit",
            f"a control group allows the time of {quota:.3g} cores, and {cores.performance} "
            "threads would stand still in turns",
            quota,
            "note",
            f"set threads = {fit} (edgemind config edit, or --threads {fit}), or widen the limit",
        )
    else:
        text = "none of a control group" if quota is None else f"{quota:.3g} cores, which is enough"
        yield Finding("limit", text, quota)
    yield _instructions(site)


def cores_text(cores: Cores) -> str:
    """In words."""
    text = f"{cores.performance} threads will be used"
    of = cores.physical or cores.allowed
    slow = of - cores.performance
    parts = [f"{of} {'physical' if cores.physical else 'logical'} core{'s' if of > 1 else ''}"]
    if slow > 0:
        parts.append(f"{slow} of them slower (efficiency cores: left out)")
    if cores.physical and cores.allowed > cores.physical:
        parts.append(f"{cores.allowed} hardware threads")
    if cores.allowed < cores.logical:
        parts.append(f"{cores.allowed} of {cores.logical} allowed to this process")
    return f"{', '.join(parts)}; {text if cores.performance > 1 else '1 thread will be used'}"


def _instructions(site: Site) -> Finding:
    has = instruction_sets(site.root)
    library = site.library("llama")
    if library.signal == signal.SIGILL:
        text = "llama.cpp was built for instructions that this processor does not have"
        return Finding("instructions", text, None, "note", REBUILD)  # `libraries` says how bad
    if has is None:
        return Finding("instructions", "the system does not tell which there are", None)
    shown = [COMMON_NAMES.get(one, one) for one in sorted(has)]
    if not library.facts:
        return Finding("instructions", " ".join(shown), {"processor": sorted(has)})
    uses = {
        name for name, value in library.facts["features"].get("CPU", {}).items() if value == "1"
    }
    unused = [one for one in FAST if one in has and one not in uses]
    value = {"processor": sorted(has), "used": sorted(has & uses), "unused": unused}
    if unused:
        names = " ".join(COMMON_NAMES.get(one, one) for one in unused)
        text = f"llama.cpp was built without {names}, which this processor has: it is slower so"
        return Finding("instructions", text, value, "note", REBUILD)
    text = f"{' '.join(shown)}: llama.cpp uses what helps it"
    return Finding("instructions", text, value)
