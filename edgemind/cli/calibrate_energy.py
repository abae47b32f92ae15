"""`edgemind calibrate --energy`: fit the estimate of energy to a counter of this device."""

from __future__ import annotations

import dataclasses
import json as json_text
import sys

from edgemind.evaluate.energy import Load, find_counter, measure, stretch_seconds
from edgemind.loading import load
from edgemind.meters.base import Place
from edgemind.meters.cpu_time import CpuTime
from edgemind.meters.estimate import typical_power
from edgemind.meters.fit import fit_power
from edgemind.meters.store import load_power, processor_name, save_power
from edgemind.runtime import Mind
from edgemind.types import Budget, Sampling

PROMPT = "Count from 1 to 1000, one number a line."


def calibrate_energy(
    model: str | None, threads: int | None, *, dry_run: bool, json: bool, place: Place | None = None
) -> None:
    """Idle, work with one thread, work with all; say what was fitted and keep it."""
    place = place or Place()
    sensor = find_counter(place)  # before a model is loaded
    try:
        with load(model, threads=1) as one, load(model, threads=threads) as all_threads:
            loads = [
                Load("idle", place.wait),
                Load("one thread", lambda seconds: work(one, seconds)),
                Load("all threads", lambda seconds: work(all_threads, seconds)),
            ]
            seconds = len(loads) * sum(stretch_seconds(sensor))
            print(f"edgemind: measuring with {sensor.name}, {seconds:.0f} s", file=sys.stderr)
            stretches = measure(loads, sensor, CpuTime(clock=place.clock), place)
    finally:
        sensor.close()
    typical = typical_power(place.root)
    before = load_power(processor=processor_name(place.root)) or typical
    for one_load, stretch in zip(loads, stretches, strict=True):
        cores = stretch.cpu_seconds / stretch.seconds
        print(
            f"{one_load.name}: {stretch.joules / stretch.seconds:.2f} W with {cores:.2f} cores "
            f"busy; the estimate said {before.core_watts * cores + before.idle_watts:.2f} W",
            file=sys.stderr,
        )
    power = fit_power(stretches, typical.name, sensor.name)
    print(f"edgemind: {power.describe()}", file=sys.stderr)
    if json:
        print(json_text.dumps(dataclasses.asdict(power), indent=1))
    if not dry_run:
        path = save_power(power, processor=processor_name(place.root))
        print(f"edgemind: saved as {path}", file=sys.stderr)


def work(mind: Mind, seconds: float) -> None:
    """Let a model write for about so long."""
    sampling = Sampling(temperature=1.0, seed=1)
    mind.ask(PROMPT, strategy="direct", budget=Budget(seconds=seconds), sampling=sampling)
