"""`edgemind doctor`: what this device offers, what of it is used and why not the rest.

What is looked at is `edgemind.doctor`; here it is only shown.
"""

from __future__ import annotations

import json as json_text
import shutil
import sys
import textwrap
from collections.abc import Iterator, Sequence
from typing import Annotated

import typer

from edgemind.cli import options
from edgemind.cli.options import FAILED, clean_errors
from edgemind.cli.terminal import put_json
from edgemind.doctor.base import Finding, Part, Site, State
from edgemind.doctor.examine import as_values, examine, worst
from edgemind.doctor.models import settings
from edgemind.meters.base import Place
from edgemind.wording import printable

WIDEST = 110
"""Longer lines are hard to read, however wide the terminal is."""
STATE_COLUMNS = 9
LONGEST_KEY, SHORTEST_KEY, ROOMY = 14, 12, 80


def doctor_command(
    gpu_layers: options.GpuLayers = 0,
    json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Say what this device offers, what is used and why not the rest.

    Each line is ok, a note (it costs speed or certainty) or a problem, with what to do. Nothing is
    changed and nothing fetched. Exit code 1 where a problem keeps `edgemind ask` from answering.
    """
    with clean_errors():
        found = examine(site(gpu_layers))
        if json:
            put_json(json_text.dumps(as_values(found), indent=1))
        else:
            show(found)
        if worst(found) == "problem":
            raise typer.Exit(FAILED)


def site(gpu_layers: int = 0) -> Site:
    """This device, with what the person's settings say of GPUs."""
    return Site(Place(gpu=bool(gpu_layers or settings().gpu_layers)))


def show(found: Sequence[Part]) -> None:
    """Print everything; in colours on a terminal that has them."""
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    # A pipe's reader may want whole lines; a person wants them to fit.
    columns = min(WIDEST, shutil.get_terminal_size().columns) if sys.stdout.isatty() else None
    for line in lines(found, columns):
        text = Text()
        for piece, style in line:
            text.append(printable(piece).replace("\n", " "), style)
        console.print(text)


Line = list[tuple[str, str]]
"""Pieces of text with their styles."""
STYLES: dict[State, str] = {"ok": "green", "note": "yellow", "problem": "bold red"}


def lines(found: Sequence[Part], columns: int | None) -> Iterator[Line]:
    """Every finding, each part under its name; wrapped to fit, or one line each where None."""
    widest = max((len(one.key) for part in found for one in part.findings), default=0)
    # Names of models are long: those make room for themselves.
    keys = min(widest, LONGEST_KEY if columns is None or columns >= ROOMY else SHORTEST_KEY)
    for part in found:
        yield [(part.key, "bold")]
        for one in part.findings:
            yield from _finding(one, keys, columns)
        yield []
    yield from _verdict(found)


def _finding(one: Finding, keys: int, columns: int | None) -> Iterator[Line]:
    indent = STATE_COLUMNS + keys + 2
    state = (f" {one.state:<{STATE_COLUMNS - 1}}", STYLES[one.state])
    first, *rest = _wrapped(one.text, columns, indent)
    if len(one.key) > keys:
        yield [state, (one.key, "")]
        rest = [first, *rest]
    else:
        yield [state, (f"{one.key:<{keys}}  ", ""), (first, "")]
    for line in rest:
        yield [(" " * indent + line, "")]
    for number, line in enumerate(_wrapped(one.action, columns, indent + 2) if one.action else ()):
        yield [(" " * indent + ("  " if number else "→ ") + line, "cyan")]


def _wrapped(text: str, columns: int | None, indent: int) -> list[str]:
    if columns is None:
        return [text]
    room = max(15, columns - indent)
    return textwrap.wrap(text, room, break_on_hyphens=False) or [""]


def _verdict(found: Sequence[Part]) -> Iterator[Line]:
    counted = {state: 0 for state in STYLES}
    for part in found:
        for one in part.findings:
            counted[one.state] += 1
    notes, problems = counted["note"], counted["problem"]
    noted = f"{notes} note{'' if notes == 1 else 's'}"
    if problems:
        text = f"{problems} problem{'' if problems == 1 else 's'}, {noted}: edgemind ask cannot "
        yield [(text + "answer until what is marked as a problem is mended", STYLES["problem"])]
    else:
        yield [(f"no problem, {noted}: edgemind ask works here", STYLES["ok"])]
