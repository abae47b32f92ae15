"""What was learned of each model on this device: when to think harder, and what steps cost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from edgemind.costs.store import Shelf
from edgemind.device.processor import CPUS, count_cores
from edgemind.doctor.base import Finding, Site
from edgemind.doctor.models import Known, settings
from edgemind.engines.opening import is_onnx
from edgemind.errors import plain
from edgemind.folders import cache_folder, data_folder
from edgemind.meters.store import load_power
from edgemind.router.store import SHIPPED, calibration_file, load_calibration

RANK = 110


@dataclass(frozen=True, slots=True)
class Costs:
    """What was measured of a model here: the widths of steps, and whether prompts were."""

    widths: tuple[int, ...]
    measured: bool


def learned(site: Site) -> Iterator[Finding]:
    """Watts, then each model's calibration and costs."""
    power = load_power()
    if power is None:
        text = "energy is estimated with typical figures, where no meter counts it"
        action = (
            "edgemind calibrate --energy fits them, while a meter is there (an unplugged laptop)"
        )
        yield Finding("watts", text, None, action=f"if wanted: {action}")
    else:
        yield Finding("watts", power.describe(), power.fitted_to)
    for known in site.models().known:
        if known.card is not None:
            yield _model(site, known)


def _model(site: Site, known: Known) -> Finding:
    assert known.card is not None
    name, size = known.card.identity
    calibration, notices = load_calibration(data_folder(), name, size)
    own = calibration_file(data_folder(), name, size).is_file()
    shipped = calibration_file(SHIPPED, name, size).is_file()
    origin = "own" if own and not notices else "shipped" if shipped else "default"
    costs = _costs(site, known)
    words = {
        "own": f"calibrated on {calibration.problems} of your problems",
        "shipped": "calibrated as it came",
        "default": "not calibrated: it thinks harder when a model in general should",
    }
    text = words[origin]
    if costs.measured:
        shown = ranges(costs.widths)
        text += f"; costs measured here, of steps of {shown} sample{'s' if shown != '1' else ''}"
    else:
        text += "; costs not measured here: the first answers' are guessed from its size"
    value = {"calibration": origin, "costs_measured": costs.measured, "widths": [*costs.widths]}
    key = plain(known.name)
    if notices:
        return Finding(key, f"{text}; {notices[0]}", value, "note", f"edgemind calibrate {key}")
    return Finding(key, text, value)


def _costs(site: Site, known: Known) -> Costs:
    """From the file that an engine with the person's settings would read."""
    assert known.card is not None
    given = settings()
    name, size = known.card.identity
    threads = given.threads or count_cores(site.root / CPUS, site.cores_allowed).performance
    devices = {f"cpu:{threads}", "cpu:1"} if is_onnx(known.path) else {f"cpu:{threads}"}
    if given.gpu_layers and not is_onnx(known.path):
        devices = {f"gpu:{given.gpu_layers}"}
    widths: set[int] = set()
    measured = False
    for device, source in product(devices, ("mains", "battery")):
        model = Shelf(cache_folder(), name, size, device).model(source)
        widths |= model.steps.lines.keys()
        measured = measured or model.measured
    return Costs(tuple(sorted(widths)), measured)


def ranges(numbers: tuple[int, ...]) -> str:
    """Sorted numbers in words: `1-4, 8`."""
    found: list[list[int]] = []
    for number in numbers:
        if found and number == found[-1][-1] + 1:
            found[-1].append(number)
        else:
            found.append([number])
    return ", ".join(str(one[0]) if len(one) == 1 else f"{one[0]}-{one[-1]}" for one in found)
