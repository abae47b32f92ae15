"""`edgemind desktop`: the window. The network is locked as everywhere (SECURITY.md says when)."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Annotated

import typer

from edgemind.cli import crash, options
from edgemind.cli.options import clean_errors
from edgemind.desktop.model import Opening
from edgemind.desktop.start import run

SessionBus = Annotated[
    bool,
    typer.Option(
        "--session-bus",
        help="Stay on the desktop's message bus, for screen readers and input methods (IBus).",
    ),
]


def desktop(
    model: options.Model = None,
    system: options.System = None,
    threads: options.Threads = None,
    gpu_layers: options.GpuLayers = 0,
    variant: options.Variant = None,
    provider: options.Provider = "cpu",
    session_bus: SessionBus = False,
    profile: options.Profile = None,
) -> None:
    """Open the window: conversations, budgets, a live view of the thinking."""

    def unexpected(_: type[BaseException], error: BaseException, __: TracebackType | None) -> None:
        crash.show(error)  # what a slot of Qt raises ends here, and may hold a piece of a prompt

    with clean_errors():
        opening = Opening(
            options.chosen(model),
            threads,
            gpu_layers,
            variant,
            provider,
            options.system_prompt(system),
        )
        sys.excepthook = unexpected
        raise typer.Exit(run(opening, session_bus=session_bus))
