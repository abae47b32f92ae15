"""`edgemind models quantize`: a smaller copy of a model, and what it lost."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from edgemind.catalog.inspection import Model
from edgemind.cli import options
from edgemind.cli.options import clean_errors
from edgemind.engines.cores import performance_cores
from edgemind.errors import ConfigError, EdgemindError
from edgemind.evaluate.datasets import PROBLEMS, read_problems
from edgemind.loading import load
from edgemind.quantize.making import Made, Order, Progress, quantize
from edgemind.quantize.quality import TEXT, Reading, Score, read, solve, spread
from edgemind.runtime import Mind
from edgemind.wording import printable

CONTEXT, WIDTH = 1024, 1


def quantize_command(
    source: Annotated[
        Path, typer.Argument(help="A GGUF file, an ONNX folder or one of its files.")
    ],
    target: Annotated[Path, typer.Argument(help="The .gguf file, or the folder, to make.")],
    kind: Annotated[
        str,
        typer.Option(
            "--type",
            help="For GGUF every type of llama.cpp (Q8_0, Q4_K_M, IQ4_XS …); for ONNX int8, uint8 "
            "or q4 (needs edgemind\\[quantize]).",
        ),
    ],
    output_type: Annotated[
        str | None, typer.Option(help="GGUF: the output head's own type (Q8_0, Q6_K, F16 …).")
    ] = None,
    embedding_type: Annotated[
        str | None, typer.Option(help="GGUF: the type of the table of embeddings.")
    ] = None,
    imatrix_text: Annotated[
        Path | None,
        typer.Option(help="GGUF: a text of some thousand words; its importance matrix is used."),
    ] = None,
    text: Annotated[
        Path | None, typer.Option(help="What both models read to be compared; a page if not given.")
    ] = None,
    problems: Annotated[
        int, typer.Option(min=0, help="Problems that both answer; 0 for none.")
    ] = 50,
    check: Annotated[bool, typer.Option(help="Compare the copy with its source.")] = True,
    variant: options.Variant = None,
    threads: options.Threads = None,
    force: Annotated[bool, typer.Option("--force", help="Replace what TARGET is now.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar.")] = False,
) -> None:
    """Make a smaller copy of a model, in a locked process, and say what it lost."""
    with clean_errors():
        source, target = source.expanduser(), target.expanduser()
        order = Order(
            source,
            target,
            kind,
            output_type=output_type,
            embedding_type=embedding_type,
            importance=None if imatrix_text is None else _text(imatrix_text),
            variant=variant,
            threads=threads or performance_cores(),
            force=force,
        )
        page = _text(text or TEXT)
        started = time.monotonic()
        with _bar(quiet) as tell:
            made = quantize(order, tell)
        _show_sizes(made, source, time.monotonic() - started)
        if check:
            _show_quality(made, order, page, text, problems, quiet)


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from None


@contextmanager
def _bar(quiet: bool) -> Iterator[Progress]:
    """A bar on stderr, where a person sees it."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    hidden = quiet or not sys.stderr.isatty()
    with Progress(*columns, console=Console(stderr=True), disable=hidden, transient=True) as bar:
        task = bar.add_task("starting", total=None)

        def tell(what: str, at: int, of: int) -> None:
            bar.update(task, description=what, completed=at, total=of)

        yield tell


def _show_sizes(made: Made, source: Path, seconds: float) -> None:
    def line(name: str, model: Model, path: Path) -> str:
        types = ", ".join(f"{kind} {count:,}" for kind, count in model.types[:4])
        return printable(f"{name:<8}{model.bytes / 1e6:,.2f} MB  {path}  ({types})")

    print(line("source", made.source, source))
    print(line("made", made.target, made.path))
    share = made.target.bytes / max(1, made.source.bytes)
    print(f"        {share:.0%} of its size, in {seconds:.1f} s", flush=True)


def _show_quality(
    made: Made, order: Order, page: str, given: Path | None, count: int, quiet: bool
) -> None:
    asked = spread(read_problems(PROBLEMS), count) if count else []
    whose = "edgemind's page" if given is None else given.name
    with (
        _opened(order.source, order.variant, order.threads) as before,
        _opened(made.path, None, order.threads) as after,
        _bar(quiet) as tell,
    ):
        reading = read(before.engine, after.engine, page, tell)
        score = solve(before, after, asked, tell) if asked else None
    for line in _quality_lines(reading, score, whose, bool(asked)):
        print(printable(line))


def _quality_lines(reading: Reading, score: Score | None, whose: str, asked: bool) -> Iterator[str]:
    change = reading.after / reading.before - 1
    yield f"on {reading.tokens:,} tokens of {whose}:"
    yield f"  perplexity  {reading.before:.3f} → {reading.after:.3f} ({change:+.2%})"
    yield (
        f"  divergence  {reading.divergence:.5f} nats a token, at most {reading.worst:.3f}; "
        f"the same likeliest token for {reading.same:.1%}"
    )
    if score is not None:
        yield f"  problems    {score.before} → {score.after} right of {score.asked}"
    elif asked:
        yield "  problems    not measured: the source does not answer them"


@contextmanager
def _opened(path: Path, variant: str | None, threads: int) -> Iterator[Mind]:
    try:
        mind = load(path, context=CONTEXT, width=WIDTH, threads=threads, variant=variant)
    except EdgemindError as error:
        raise type(error)(f"the copy was made, but not compared: {error}") from None
    with mind:
        yield mind
