"""The processor: its name, its cores by kind, and which instruction sets it has."""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from edgemind.device.sysctl import sysctl_number, sysctl_text
from edgemind.files import glance

CPUS: Final = "sys/devices/system/cpu"
CPU_FOLDER: Final = Path("/", CPUS)
SLOWER: Final = 0.8
"""Cores of one kind differ by a few per cent in their boost clocks; kinds differ by a quarter."""

# ggml's name of an instruction set, and the flags in /proc/cpuinfo that it takes (all of them).
X86: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "SSE3": ("pni",),
        "SSSE3": ("ssse3",),
        "AVX": ("avx",),
        "AVX2": ("avx2",),
        "F16C": ("f16c",),
        "FMA": ("fma",),
        "BMI2": ("bmi2",),
        "AVX_VNNI": ("avx_vnni",),
        "AVX512": ("avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl"),
        "AVX512_VBMI": ("avx512vbmi",),
        "AVX512_VNNI": ("avx512_vnni",),
        "AVX512_BF16": ("avx512_bf16",),
        "AMX_INT8": ("amx_int8",),
    }
)
ARM: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "NEON": ("asimd",),
        "FP16_VA": ("asimdhp",),
        "DOTPROD": ("asimddp",),
        "MATMUL_INT8": ("i8mm",),
        "SVE": ("sve",),
        "SME": ("sme",),
    }
)
MAC: Final[Mapping[str, str]] = MappingProxyType(
    {
        "FP16_VA": "hw.optional.arm.FEAT_FP16",
        "DOTPROD": "hw.optional.arm.FEAT_DotProd",
        "MATMUL_INT8": "hw.optional.arm.FEAT_I8MM",
        "SME": "hw.optional.arm.FEAT_SME",
    }
)
COMMON_NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {"MATMUL_INT8": "i8mm", "DOTPROD": "dotprod", "FP16_VA": "fp16"}
)
"""What people call those that ggml has its own words for."""


@dataclass(frozen=True, slots=True)
class Cores:
    """How many there are: `logical` as the system counts, `allowed` of these for this process.

    `physical` (None where nothing tells) and `performance` are among the allowed ones: two threads
    of one core count once, and slower cores are no performance cores.
    """

    logical: int
    allowed: int
    physical: int | None
    performance: int


def processor(root: Path = Path("/"), sysctl: Callable[[str], str] = sysctl_text) -> str:
    """The processor's own name, else its board's, else its kind."""
    text = glance(root / "proc/cpuinfo")
    if match := re.search(r"^(?:model name|Model)\s*:\s*(.+)$", text, re.MULTILINE):
        return match[1].strip()
    return (
        sysctl("machdep.cpu.brand_string")
        or platform.processor()
        or platform.machine()
        or "processor"
    )


def count_cores(folder: Path = CPU_FOLDER, allowed: frozenset[int] | None = None) -> Cores:
    """The cores, as sysfs (`folder`) tells them; `allowed` are the numbers of those that this
    process may use (None: asks)."""
    logical = os.cpu_count() or 1
    if allowed is None:
        if not hasattr(os, "sched_getaffinity"):
            import psutil

            physical = psutil.cpu_count(logical=False)
            fast = sysctl_number("hw.perflevel0.physicalcpu")
            return Cores(logical, logical, physical, fast or physical or logical)
        allowed = frozenset(os.sched_getaffinity(0))
    speeds: dict[str, int] = {}
    told = False
    for number in sorted(allowed):
        home = folder / f"cpu{number}"
        siblings = glance(home / "topology/thread_siblings_list")
        told = told or bool(siblings)
        speed = glance(home / "cpu_capacity") or glance(home / "cpufreq/cpuinfo_max_freq")
        speeds.setdefault(siblings or str(number), int(speed) if speed.isdecimal() else 0)
    fastest = max(speeds.values())
    fast = sum(speed >= SLOWER * fastest for speed in speeds.values())
    return Cores(logical, len(allowed), len(speeds) if told else None, fast)


def instruction_sets(
    root: Path = Path("/"), sysctl: Callable[[str], int | None] = sysctl_number
) -> frozenset[str] | None:
    """Those that the processor has, by ggml's names; None where the system does not tell."""
    for line in glance(root / "proc/cpuinfo").splitlines():
        name, _, value = line.partition(":")
        flags = frozenset(value.split())
        table = {"flags": X86, "Features": ARM}.get(name.strip())
        if table is not None:
            return frozenset(one for one, needed in table.items() if flags.issuperset(needed))
    if sys.platform == "darwin" and platform.machine() == "arm64":
        return frozenset({"NEON", *(one for one, name in MAC.items() if sysctl(name))})
    return None


def last_level_cache_bytes(root: Path = Path("/")) -> int | None:
    """Size of the largest cache of the first core; None where the system does not tell."""
    sizes = []
    for number in range(8):
        text = glance(root / CPUS / f"cpu0/cache/index{number}/size")
        if match := re.fullmatch(r"(\d+)([KM]?)", text):
            sizes.append(int(match[1]) << {"": 0, "K": 10, "M": 20}[match[2]])
    return max(sizes, default=None) or sysctl_number("hw.l2cachesize")
