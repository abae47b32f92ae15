"""Graphics cards: those that llama.cpp's backends see, and those that are there without one."""

from __future__ import annotations

from collections.abc import Iterator

from edgemind.doctor.base import Finding, Site, State
from edgemind.files import decimal as size
from edgemind.files import glance

RANK = 50
VENDORS = {"0x10de": "NVIDIA", "0x1002": "AMD", "0x8086": "Intel"}
BUILDS = {"NVIDIA": "-DGGML_CUDA=ON", "AMD": "-DGGML_VULKAN=ON", "Intel": "-DGGML_VULKAN=ON"}


def gpu(site: Site) -> Iterator[Finding]:
    """What there is for `--gpu-layers` and `--provider`."""
    facts = site.library("llama").facts
    seen = [one for one in facts.get("devices", []) if "gpu" in one["kind"]]
    for number, one in enumerate(seen):
        text = f"{one['description']} ({one['name']}), {size(one['total'])}"
        text += f", {size(one['free'])} free: --gpu-layers -1 puts a model on it"
        yield Finding(f"llama{number}", text, {**one})
    cards = _cards(site)
    value = {"seen": 0, "cards": cards}
    if not seen and cards:
        text = f"{' and '.join(cards)}, which this build of llama.cpp does not use"
        action = f"build llama.cpp with CMAKE_ARGS={BUILDS[cards[-1]]} if it is worth it"
        # Most of the others' are a processor's own graphics: no reason to build anything anew.
        state: State = "note" if "NVIDIA" in cards else "ok"
        yield Finding("llama", text, value, state, action if state == "note" else "")
    elif not seen:
        text = "none that llama.cpp could use: models run on the processor"
        yield Finding("llama", text, value)
    found = _nvml(site)
    if found is not None:
        yield found


def _cards(site: Site) -> list[str]:
    """Makers of the cards that Linux lists."""
    found = []
    for number in range(16):
        home = site.root / f"sys/class/drm/card{number}/device"
        vendor = glance(home / "vendor")
        if vendor in VENDORS and VENDORS[vendor] not in found:
            found.append(VENDORS[vendor])
    if (site.root / "proc/driver/nvidia/version").exists() and "NVIDIA" not in found:
        found.append("NVIDIA")
    return found


def _nvml(site: Site) -> Finding | None:
    """What NVIDIA's driver says, where its binding is installed."""
    try:
        nvml = site.place.find_module("pynvml")
    except ImportError:
        return None
    try:
        nvml.nvmlInit()
        names = []
        for number in range(nvml.nvmlDeviceGetCount()):
            name = nvml.nvmlDeviceGetName(nvml.nvmlDeviceGetHandleByIndex(number))
            names.append(name.decode() if isinstance(name, bytes) else str(name))
        driver = nvml.nvmlSystemGetDriverVersion()
        nvml.nvmlShutdown()
    except Exception as error:  # the binding's own, and what a broken driver makes of it
        if "not found" in str(error).lower() or "not loaded" in str(error).lower():
            return Finding("nvml", "no NVIDIA driver", [])
        action = "install the driver again, or start the machine anew after an update"
        return Finding("nvml", f"NVIDIA's driver fails: {error}", [], "note", action)
    driver = driver.decode() if isinstance(driver, bytes) else str(driver)
    text = f"driver {driver}: {', '.join(names) or 'no card'}"
    return Finding("nvml", text, [*names])
