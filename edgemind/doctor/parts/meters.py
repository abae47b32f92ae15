"""Where figures of energy come from, why not from a better meter, and what would change that."""

from __future__ import annotations

from collections.abc import Iterator

from edgemind.doctor.base import Finding, Site
from edgemind.meters.choose import Listed, list_meters

RANK = 60
RAPL = (
    "sudo chmod a+r /sys/class/powercap/intel-rapl:*/energy_uj lets everyone read it until the "
    "next start (why it is not so by itself: CVE-2020-8694)"
)


def meters(site: Site) -> Iterator[Finding]:
    """Every meter, best first."""
    for one in list_meters(site.place):
        value = {"used": one.used, "watts": one.watts, "why": one.why}
        watts = "" if one.watts is None else f", {one.watts:.2f} W now"
        action = _action(one)
        state = "note" if action else "ok"
        text = f"used: {one.why}{watts}" if one.used else f"not used: {one.why}{watts}"
        yield Finding(one.name, text, value, "note" if state == "note" else "ok", action)


def _action(one: Listed) -> str:
    if one.name == "rapl" and "permission" in one.why:
        return RAPL
    if one.name == "nvidia" and "pip install" in one.why:
        return "pip install 'edgemind[nvidia]'"
    return ""
