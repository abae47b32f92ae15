"""`edgemind doctor`: what this device offers, what of it is used and why not the rest.

A section is one function that gives a `Section`; `SECTIONS` lists them.
"""

from __future__ import annotations

import json as json_text
import os
from collections.abc import Callable
from typing import Annotated

import typer

from edgemind.cli import options
from edgemind.cli.options import clean_errors
from edgemind.cli.table import Section
from edgemind.cli.terminal import put, put_json
from edgemind.guard.lock import current_lock
from edgemind.meters.base import Place
from edgemind.meters.choose import list_meters


def meters(place: Place) -> Section:
    """Where figures of energy come from, best first."""
    rows = ((m.name, m.used, m.watts, m.why) for m in list_meters(place))
    return Section("meters", ("meter", "used", "watts", "why"), tuple(rows))


def network(_place: Place) -> Section:
    """Whether the network is locked, by what, and what a try of it gave."""
    return Section("network", ("network", "state"), current_lock().rows(os.environ))


SECTIONS: tuple[Callable[[Place], Section], ...] = (meters, network)


def doctor_command(
    gpu_layers: options.GpuLayers = 0,
    json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Say what this device offers, what is used and why not the rest."""
    with clean_errors():
        place = Place(gpu=gpu_layers != 0)
        sections = [section(place) for section in SECTIONS]
        if json:
            put_json(json_text.dumps({one.key: one.to_values() for one in sections}, indent=1))
        else:
            put("\n\n".join("\n".join(one.lines()) for one in sections))
