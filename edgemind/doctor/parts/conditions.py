"""What slows the machine down now: power source, clocks, heat, other programs."""

from __future__ import annotations

from collections.abc import Iterator

from edgemind.conditions import PI_THROTTLED, Machine
from edgemind.device.processor import CPUS, count_cores
from edgemind.device.state import clocks, hottest, load, pi_throttled
from edgemind.doctor.base import Finding, Site

RANK = 90
WEAK_SUPPLY = 0b1
HAS_BEEN = 0xF0000
HOT_CELSIUS = 85.0
BUSY_SHARE = 0.5


def conditions(site: Site) -> Iterator[Finding]:
    """Power, clocks, heat, load, OpenMP."""
    source = Machine(site.root / "sys", site.root / "proc").power_source()
    yield Finding("power", source, source)
    yield _clocks(site)
    yield from _heat(site)
    yield _load(site)
    policy = site.environment.get("OMP_WAIT_POLICY", "")
    if policy.lower() == "active":
        text = (
            "OMP_WAIT_POLICY=active: beside any other program a step takes a hundred times longer"
        )
        yield Finding("openmp", text, policy, "note", "unset OMP_WAIT_POLICY")


def _clocks(site: Site) -> Finding:
    known = clocks(site.root)
    if not known.governor:
        text = "not told (a virtual machine, a container, or another system)"
        return Finding("clocks", text, None)
    value = {
        "governor": known.governor,
        "driver": known.driver,
        "preference": known.preference,
        "mhz": known.now_mhz,
        "most_mhz": known.most_mhz,
    }
    text = f"governor {known.governor}" + (f" ({known.driver})" if known.driver else "")
    if known.preference:
        text += f", preference {known.preference}"
    if known.most_mhz:
        text += f", up to {known.most_mhz / 1000:.2f} GHz"
    if known.slow:
        action = "sudo cpupower frequency-set -g schedutil (or performance, which drains batteries)"
        return Finding("clocks", f"{text}: it stays slow under load", value, "note", action)
    return Finding("clocks", text, value)


def _heat(site: Site) -> Iterator[Finding]:
    found = hottest(site.root)
    if found is None:
        yield Finding("heat", "not told", None)
    else:
        name, celsius = found
        value = {"sensor": name, "celsius": celsius}
        text = f"{celsius:.0f} °C at most ({name})"
        if celsius >= HOT_CELSIUS:
            action = "let it cool down, or cool it better, before you measure anything"
            yield Finding("heat", f"{text}: it will be slowed down soon", value, "note", action)
        else:
            yield Finding("heat", text, value)
    bits = pi_throttled(site.root)
    if bits is None:
        return
    if bits & PI_THROTTLED:
        text = f"the board is slowed down now (get_throttled {bits:#x})"
        yield Finding("throttled", text, bits, "note", "cool it, and use its maker's supply")
    elif bits & (WEAK_SUPPLY | HAS_BEEN):
        text = f"the supply is too weak or was, or it was hot (get_throttled {bits:#x})"
        action = "use its maker's supply (27 W for a Raspberry Pi 5) and a fan"
        yield Finding("throttled", text, bits, "note", action)
    else:
        yield Finding("throttled", "never since the start", bits)


def _load(site: Site) -> Finding:
    mean = load(site.root)
    cores = count_cores(site.root / CPUS, site.cores_allowed).allowed
    if mean is None:
        return Finding("load", "not told", None)
    text = f"{mean:.1f} tasks on {cores} core{'s' if cores > 1 else ''} over the last minute"
    if mean > BUSY_SHARE * cores:
        action = "end other programs before you measure; answers take longer meanwhile"
        return Finding("load", text, mean, "note", action)
    return Finding("load", text, mean)
