"""`edgemind calibrate`: fit the router to a model."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from edgemind.cli import options
from edgemind.cli.completing import model_words
from edgemind.cli.opening import load
from edgemind.cli.options import clean_errors
from edgemind.cli.progress import progress
from edgemind.cli.terminal import put, put_json, say
from edgemind.defaults import WIDTH
from edgemind.errors import ConfigError
from edgemind.folders import data_folder

SEED = 1


def calibrate_command(
    model: Annotated[
        str | None,
        typer.Argument(
            help="A GGUF file; the bundled model if not given.", autocompletion=model_words
        ),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(help="Questions with answers, JSON lines; problems of ours if not given."),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first so many.")] = None,
    width: options.Width = WIDTH,
    threads: options.Threads = None,
    gpu_layers: options.GpuLayers = 0,
    energy: Annotated[
        bool,
        typer.Option("--energy", help="Fit the estimate of energy to a counter of this device."),
    ] = False,
    variant: options.Variant = None,
    provider: options.Provider = "cpu",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say it, save nothing.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the calibration as JSON.")] = False,
) -> None:
    """Learn from questions with known answers when this model needs to think harder.

    Each question is asked and voted on once. Ctrl-C fits what was asked until then. With --energy
    the watts of this device are learnt instead, from a battery or another counter.
    """
    if energy:
        from edgemind.cli.calibrate_energy import calibrate_energy

        with clean_errors():
            calibrate_energy(model, threads, dry_run=dry_run, json=json)
        return
    from edgemind.evaluate.calibrate import LEAST, Asked, ask_all, calibrate
    from edgemind.evaluate.datasets import PROBLEMS, read_problems
    from edgemind.router.store import save_calibration

    with clean_errors():
        problems = read_problems(data or PROBLEMS, limit)
        if len(problems) < LEAST:
            raise ConfigError(f"{len(problems)} questions say too little: give at least {LEAST}")
        asked: list[Asked] = []
        with load(
            model, threads=threads, gpu_layers=gpu_layers, variant=variant, provider=provider
        ) as mind:
            options.show_notices(mind)
            try:
                with progress(len(problems)) as tell:
                    for one in ask_all(mind, problems, width, SEED):
                        asked.append(one)
                        tell(one.right[0])
            except KeyboardInterrupt:
                if len(asked) < LEAST:
                    raise
                say(f"stopped after {len(asked)} questions")
            report = calibrate(asked)
            put("\n".join(report.lines()), sys.stderr)
            if json:
                put_json(report.calibration.to_json())
            if not dry_run:
                path = save_calibration(
                    data_folder(), mind.model, mind.model_bytes, report.calibration
                )
                say(f"saved as {path}")
