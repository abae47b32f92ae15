"""What a person would call the machine: its board, its system, and what it runs inside of."""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable
from pathlib import Path

from edgemind.device.sysctl import sysctl_text
from edgemind.files import glance

DMI = "sys/class/dmi/id"
FILLER = {"", "none", "default string", "system product name", "to be filled by o.e.m."}
"""What boards' makers leave where a name should be, in lower case."""
CONTAINERS = {
    "run/.containerenv": "podman",
    ".dockerenv": "docker",
    "run/systemd/container": "a container",
}


def board(root: Path = Path("/"), sysctl: Callable[[str], str] = sysctl_text) -> str:
    """The machine's or board's name; empty where nothing tells it."""
    # Device trees end their texts with a zero byte.
    tree = glance(root / "proc/device-tree/model").rstrip("\0").strip()
    if tree:
        return tree
    names = [glance(root / DMI / name) for name in ("sys_vendor", "product_name")]
    vendor, product = ("" if name.lower() in FILLER else name for name in names)
    if not product:
        named = glance(root / DMI / "board_name")
        product = "" if named.lower() in FILLER else named
    if product.startswith(vendor):
        vendor = ""
    return f"{vendor} {product}".strip() or sysctl("hw.model")


def system(root: Path = Path("/"), name: str = sys.platform) -> str:
    """The operating system with its version, as it calls itself."""
    if name == "darwin":
        return f"macOS {platform.mac_ver()[0]}".strip()
    for line in glance(root / "etc/os-release").splitlines():
        key, _, value = line.partition("=")
        if key == "PRETTY_NAME":
            return value.strip("\"' ")
    return platform.system() or name


def inside(root: Path = Path("/")) -> str:
    """What the system runs inside of, in words: a container, a virtual machine; else empty."""
    for path, name in CONTAINERS.items():
        # A file that is there and cannot be looked at counts as well as any.
        try:
            if (root / path).exists():
                return name
        except OSError:
            continue
    version = glance(root / "proc/version").lower()
    if "microsoft" in version:
        return "WSL"
    cpu = glance(root / "proc/cpuinfo")
    flags = next((line for line in cpu.splitlines() if line.startswith("flags")), "")
    return "a virtual machine" if "hypervisor" in flags.split() else ""
