"""The machine from made-up `/sys`, `/proc` and `/etc` trees: whole, odd, unreadable and missing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edgemind.device import host, processor, state
from edgemind.device.limits import Limits, group_limits
from edgemind.device.processor import CPUS, Cores, count_cores, instruction_sets
from edgemind.device.state import Clocks, clocks
from tests.test_conditions import put

GB = 1 << 30
ZEN = "fpu sse pni ssse3 fma avx f16c avx2 bmi2 avx512f avx512cd avx512bw avx512dq avx512vl"
PI5 = "fp asimd evtstrm aes crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp"


@pytest.mark.parametrize(
    ("files", "name"),
    [
        ({}, ""),
        ({"proc/device-tree/model": "Raspberry Pi 5 Model B Rev 1.0\0"}, "Raspberry Pi 5 Model B"),
        (
            {f"{host.DMI}/sys_vendor": "LENOVO\n", f"{host.DMI}/product_name": "20XW\n"},
            "LENOVO 20XW",
        ),
        ({f"{host.DMI}/sys_vendor": "Dell", f"{host.DMI}/product_name": "Dell XPS"}, "Dell XPS"),
        (
            {
                f"{host.DMI}/sys_vendor": "To Be Filled By O.E.M.",
                f"{host.DMI}/product_name": "Default string",
                f"{host.DMI}/board_name": "B550M",
            },
            "B550M",
        ),
    ],
)
def test_what_the_machine_is_called(tmp_path: Path, files: dict[str, str], name: str) -> None:
    put(tmp_path, files)
    found = host.board(tmp_path, sysctl=lambda _: "")
    assert found.startswith(name) and bool(found) == bool(name) and "\0" not in found
    assert host.board(tmp_path / "none", sysctl=lambda _: "Mac14,2") == "Mac14,2"


def test_what_it_runs_inside_of(tmp_path: Path) -> None:
    assert host.inside(tmp_path) == ""
    put(tmp_path, {"proc/cpuinfo": "flags\t\t: fpu hypervisor\n"})
    assert host.inside(tmp_path) == "a virtual machine"
    put(tmp_path, {"proc/version": "Linux version 5.15 (Microsoft@Microsoft.com)"})
    assert host.inside(tmp_path) == "WSL"
    put(tmp_path, {".dockerenv": ""})
    assert host.inside(tmp_path) == "docker"


def test_the_systems_name(tmp_path: Path) -> None:
    put(tmp_path, {"etc/os-release": 'ID=debian\nPRETTY_NAME="Debian GNU/Linux 12"\n'})
    assert host.system(tmp_path, "linux") == "Debian GNU/Linux 12"
    assert host.system(tmp_path / "none", "linux")


def cpus(folder: Path, speeds: list[int], siblings: list[str]) -> None:
    for number, (speed, beside) in enumerate(zip(speeds, siblings, strict=True)):
        home = f"{CPUS}/cpu{number}"
        put(folder, {f"{home}/topology/thread_siblings_list": beside})
        if speed:
            put(folder, {f"{home}/cpufreq/cpuinfo_max_freq": str(speed)})


def test_cores_by_kind(tmp_path: Path) -> None:
    """A laptop: two fast cores of two threads each, two slow ones."""
    cpus(tmp_path, [5_000_000] * 4 + [3_000_000] * 2, ["0-1", "0-1", "2-3", "2-3", "4", "5"])
    found = count_cores(tmp_path / CPUS, frozenset(range(6)))
    assert (found.allowed, found.physical, found.performance) == (6, 4, 2)
    found = count_cores(tmp_path / CPUS, frozenset({4, 5}))
    assert (found.allowed, found.physical, found.performance) == (2, 2, 2)


def test_cores_that_nothing_tells_of(tmp_path: Path) -> None:
    found = count_cores(tmp_path, frozenset({0, 3, 5}))
    assert found == Cores(os.cpu_count() or 1, 3, None, 3)


@pytest.mark.parametrize(
    ("line", "sets"),
    [
        (f"flags\t\t: {ZEN}", {"AVX512", "AVX2", "FMA", "F16C", "AVX", "BMI2", "SSE3", "SSSE3"}),
        (f"flags\t\t: {ZEN}".replace("avx512vl", ""), {"AVX2", "FMA", "F16C"}),
        (f"Features\t: {PI5}", {"NEON", "DOTPROD", "FP16_VA"}),
        (f"Features\t: {PI5} i8mm sve", {"NEON", "DOTPROD", "FP16_VA", "MATMUL_INT8", "SVE"}),
    ],
)
def test_instruction_sets(tmp_path: Path, line: str, sets: set[str]) -> None:
    put(tmp_path, {"proc/cpuinfo": f"processor\t: 0\n{line}\n"})
    found = instruction_sets(tmp_path)
    assert found is not None and found >= sets
    assert ("AVX512" in found) == ("AVX512" in sets) and ("SVE" in found) == ("SVE" in sets)


def test_nothing_is_known_of_nothing(tmp_path: Path) -> None:
    put(tmp_path, {"proc/cpuinfo": "\0\xff nonsense"})
    assert instruction_sets(tmp_path) is None or os.uname().sysname == "Darwin"
    assert processor.processor(tmp_path, sysctl=lambda _: "")
    assert processor.last_level_cache_bytes(tmp_path) is None or os.uname().sysname == "Darwin"
    assert clocks(tmp_path) == Clocks() and not clocks(tmp_path).slow
    assert state.hottest(tmp_path) is state.load(tmp_path) is state.swap(tmp_path) is None
    assert group_limits(tmp_path) == Limits()


def test_the_caches_size(tmp_path: Path) -> None:
    home = f"{CPUS}/cpu0/cache"
    put(tmp_path, {f"{home}/index0/size": "32K", f"{home}/index3/size": "16M\n"})
    assert processor.last_level_cache_bytes(tmp_path) == 16 << 20


def test_limits_of_version_2(tmp_path: Path) -> None:
    """The tightest on the way up counts; what the page cache takes can be given back."""
    groups = "sys/fs/cgroup"
    put(
        tmp_path,
        {
            "proc/self/cgroup": "0::/user/run\n",
            f"{groups}/user/run/cpu.max": "max 100000\n",
            f"{groups}/user/cpu.max": "150000 100000\n",
            f"{groups}/user/run/memory.max": str(4 * GB),
            f"{groups}/user/run/memory.current": str(3 * GB),
            f"{groups}/user/run/memory.stat": f"anon 1\ninactive_file {GB}\n",
            f"{groups}/user/memory.max": "max\n",
        },
    )
    assert group_limits(tmp_path) == Limits(1.5, 4 * GB, 2 * GB)


def test_limits_inside_of_a_container(tmp_path: Path) -> None:
    """The way to the group is the host's there: the root of the tree is the container's own."""
    groups = "sys/fs/cgroup"
    put(
        tmp_path,
        {
            "proc/self/cgroup": "0::/../../other\n",
            f"{groups}/cpu.max": "50000 100000\n",
            f"{groups}/memory.max": str(GB),
        },
    )
    assert group_limits(tmp_path) == Limits(0.5, GB, GB)


def test_limits_of_version_1(tmp_path: Path) -> None:
    groups = "sys/fs/cgroup"
    put(
        tmp_path,
        {
            "proc/self/cgroup": "4:memory:/docker/a\n3:cpu,cpuacct:/docker/a\n0::/\n",
            f"{groups}/cpu/docker/a/cpu.cfs_quota_us": "200000",
            f"{groups}/cpu/docker/a/cpu.cfs_period_us": "100000",
            f"{groups}/memory/memory.limit_in_bytes": str(2**63 - 4096),
            f"{groups}/memory/docker/a/memory.limit_in_bytes": str(2 * GB),
            f"{groups}/memory/docker/a/memory.usage_in_bytes": str(GB),
        },
    )
    assert group_limits(tmp_path) == Limits(2.0, 2 * GB, GB)


@pytest.mark.parametrize("text", ["", "many", "-1 100000", "100000 0", "max 1"])
def test_limits_that_are_none(tmp_path: Path, text: str) -> None:
    put(tmp_path, {"sys/fs/cgroup/cpu.max": text, "sys/fs/cgroup/memory.max": text})
    assert group_limits(tmp_path) == Limits()


@pytest.mark.parametrize(
    ("governor", "driver", "slow"),
    [
        ("powersave", "intel_pstate", False),
        ("powersave", "acpi-cpufreq", True),
        ("schedutil", "cpufreq-dt", False),
    ],
)
def test_clocks(tmp_path: Path, governor: str, driver: str, slow: bool) -> None:
    home = f"{CPUS}/cpu0/cpufreq"
    put(
        tmp_path,
        {
            f"{home}/scaling_governor": governor,
            f"{home}/scaling_driver": driver,
            f"{home}/cpuinfo_max_freq": "2400000",
            f"{home}/scaling_cur_freq": "what",
        },
    )
    found = clocks(tmp_path)
    assert (found.slow, found.most_mhz, found.now_mhz) == (slow, 2400, None)


def test_heat_load_and_swap(tmp_path: Path) -> None:
    zone = "sys/class/thermal/thermal_zone"
    put(
        tmp_path,
        {
            f"{zone}0/temp": "45000\n",
            f"{zone}0/type": "acpitz\n",
            f"{zone}3/temp": "71500",
            f"{zone}4/temp": "-274000",
            f"{zone}5/temp": "900000",
            "proc/loadavg": "1.25 0.5 0.1 2/300 4\n",
            "proc/meminfo": "SwapTotal: 2048 kB\nSwapFree: 1024 kB\n",
            state.THROTTLED: "50005\n",
        },
    )
    assert state.hottest(tmp_path) == ("zone 3", 71.5)
    assert state.load(tmp_path) == 1.25
    assert state.swap(tmp_path) == (2 << 20, 1 << 20)
    assert state.pi_throttled(tmp_path) == 0x50005
    put(tmp_path, {state.THROTTLED: "no"})
    assert state.pi_throttled(tmp_path) is None


def test_folders_where_files_should_be(tmp_path: Path) -> None:
    for name in ("proc/cpuinfo", "proc/loadavg", f"{CPUS}/cpu0/cpufreq/scaling_governor"):
        (tmp_path / name).mkdir(parents=True)
    assert host.board(tmp_path, sysctl=lambda _: "") == ""
    assert clocks(tmp_path) == Clocks() and state.load(tmp_path) is None
