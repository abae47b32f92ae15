"""`edgemind bench`: how fast a model runs on this device, and what a token costs."""

from __future__ import annotations

import json as json_text
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from edgemind.cli import options
from edgemind.cli.options import INTERRUPTED, clean_errors
from edgemind.cli.terminal import put, put_json, say
from edgemind.errors import ConfigError
from edgemind.wording import printable

QUICK = "a prompt of 128, 32 steps at widths 1 and 8, three times"
WHOLE_LINES = 1000
LARGEST = 1 << 20
"""Of a length: beyond it no context goes."""


def bench_command(
    model: Annotated[
        str | None,
        typer.Argument(
            help="A model's name, a GGUF file or an ONNX folder; the default if none.",
            envvar="EDGEMIND_MODEL",
        ),
    ] = None,
    prompts: Annotated[
        str, typer.Option("-p", "--n-prompt", help="Lengths of prompts, with commas; 0 for none.")
    ] = "64,256,512",
    steps: Annotated[
        int, typer.Option("-n", "--n-gen", min=0, help="Tokens to generate; 0 for none.")
    ] = 128,
    repetitions: Annotated[
        int, typer.Option("-r", "--repetitions", min=1, help="Repetitions of each test.")
    ] = 5,
    widths: Annotated[
        str, typer.Option("-w", "--widths", help="Samples decoded together, with commas.")
    ] = "1,2,4,8,16",
    quick: Annotated[bool, typer.Option("--quick", help=f"Only {QUICK}.")] = False,
    most_seconds: Annotated[
        float, typer.Option("--most-seconds", min=0, help="A test is repeated no longer than this.")
    ] = 10.0,
    threads: Annotated[
        int | None,
        typer.Option("-t", "--threads", min=1, help="CPU threads; all fast cores if not given."),
    ] = None,
    gpu_layers: options.GpuLayers = 0,
    variant: options.Variant = None,
    provider: options.Provider = "cpu",
    json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
    plot: Annotated[
        Path | None, typer.Option(help="Draw to this .png or .svg file (needs matplotlib).")
    ] = None,
    quiet: options.Quiet = False,
    profile: options.Profile = None,
) -> None:
    """Measure how fast a model runs here: prompts, steps at each width, joules a token, memory.

    The notions are llama-bench's (pp512, tg128, mean ± standard deviation), through this program's
    own engines and with sampling. Ctrl-C shows what was measured so far.
    """
    with clean_errors():
        from edgemind.bench.plot import check_plot, save
        from edgemind.bench.report import text
        from edgemind.bench.running import Wanted, bench

        if plot is not None:
            check_plot(plot)
        wanted = Wanted(
            options.chosen(model),
            (128,) if quick else numbers(prompts, "-p", 0),
            32 if quick else min(steps, LARGEST),
            (1, 8) if quick else numbers(widths, "-w", 1),
            3 if quick else repetitions,
            most_seconds,
            threads,
            gpu_layers,
            variant,
            provider,
        )
        shown = _Progress(quiet)
        report, notices = bench(wanted, shown.tell)
        shown.done()
        for notice in notices:
            say(notice)
        if json:
            put_json(json_text.dumps(report.as_values(), indent=1))
        else:
            # Whoever reads a pipe wants whole lines.
            is_terminal = sys.stdout.isatty()
            put(text(report, shutil.get_terminal_size().columns if is_terminal else WHOLE_LINES))
        if plot is not None:
            save(report, plot)
            say(f"drawn to {plot}")
        if report.stopped:
            raise typer.Exit(INTERRUPTED)


def numbers(given: str, option: str, least: int) -> Sequence[int]:
    """`1,2,4` as numbers; `ConfigError` for anything else."""
    found = []
    for piece in given.split(","):
        word = piece.strip()
        if not word.isdecimal() or not least <= int(word) <= LARGEST:
            raise ConfigError(
                f"{option} takes whole numbers from {least}, with commas between: not {given!r}"
            )
        found.append(int(word))
    return list(dict.fromkeys(found))


class _Progress:
    """A line on a terminal's stderr that says what was measured last."""

    def __init__(self, quiet: bool) -> None:
        self._shows = not quiet and sys.stderr.isatty()
        self._count = 0

    def tell(self, one: object, of: int) -> None:
        from edgemind.bench.measure import Timed

        assert isinstance(one, Timed)
        self._count += 1
        if self._shows:
            rate = "failed" if one.failed else f"{one.median:,.1f} tokens/s"
            line = printable(f"{self._count} of {of}: {one.test.name} {rate}")
            print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)

    def done(self) -> None:
        if self._shows and self._count:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
