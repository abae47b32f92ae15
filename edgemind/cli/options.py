"""What the commands have in common: options, opening a model, exit codes, one-line errors."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from edgemind.cli.completing import model_words, strategy_words
from edgemind.cli.terminal import say
from edgemind.config import load_config
from edgemind.defaults import MAX_SAMPLES
from edgemind.errors import BudgetTooSmall, EdgemindError, ModelError, PrivacyError
from edgemind.files import read_text
from edgemind.interrupts import LEFT, set_handler
from edgemind.settings import PROFILE

if TYPE_CHECKING:
    from edgemind.runtime import Mind

ANSWERED, FAILED, USAGE, MODEL_PROBLEM, BUDGET_PROBLEM, INTERRUPTED = 0, 1, 2, 3, 4, LEFT

MAX_SYSTEM_BYTES = 1 << 20

Seconds = Annotated[float | None, typer.Option(help="Most seconds for one answer.")]
Joules = Annotated[float | None, typer.Option(help="Most joules for one answer.")]
Tokens = Annotated[int | None, typer.Option(help="Most tokens generated, all samples together.")]
Model = Annotated[
    str | None,
    typer.Option(
        help="A model's name (models list), a GGUF file or an ONNX folder; the default if none.",
        envvar="EDGEMIND_MODEL",
        autocompletion=model_words,
    ),
]
Strategy = Annotated[
    str,
    typer.Option(
        help="auto (the router decides), or one of direct, vote, panel, best_of, refine, majority.",
        autocompletion=strategy_words,
    ),
]
Width = Annotated[int, typer.Option(min=1, max=MAX_SAMPLES, help="Most samples of one answer.")]
Worth = Annotated[
    float | None,
    typer.Option(min=0, help="Seconds that a better answer is worth: a vote ends where it is not."),
]
Seed = Annotated[int | None, typer.Option(help="Seed of the first sample; random if not given.")]
Temperature = Annotated[float | None, typer.Option(help="Sampling temperature; 0 is greedy.")]
System = Annotated[
    str | None, typer.Option(help="Instructions that come before the prompt, or @FILE.")
]
Explain = Annotated[bool, typer.Option("--explain", help="Print why it thought this hard.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but the answer.")]
Threads = Annotated[
    int | None,
    typer.Option(min=1, help="CPU threads; all physical performance cores if not given."),
]
BestEffort = Annotated[
    bool,
    typer.Option(
        "--best-effort", help="Where the limits are too small for an answer, give whatever fits."
    ),
]
GpuLayers = Annotated[
    int, typer.Option(help="Layers to put on a GPU, -1 for all (llama.cpp must support it).")
]
OverBudget = Annotated[
    bool,
    typer.Option(
        "--over-budget", help="Answer although the day's or conversation's budget is used up."
    ),
]
Variant = Annotated[
    str | None, typer.Option(help="Which model of an ONNX folder: q4, int8, fp16, f32 …")
]
Provider = Annotated[str, typer.Option(help="Where an ONNX model runs: cpu, cuda, coreml …")]


def _settle(ctx: typer.Context, profile: str | None) -> str | None:
    """Before other options are looked at: what the configuration says takes defaults' place."""
    if not ctx.resilient_parsing:
        with clean_errors():
            if profile is not None:
                os.environ[PROFILE] = profile  # for whoever loads the configuration later on
            ctx.default_map = load_config().options()
    return profile


Profile = Annotated[
    str | None,
    typer.Option(
        callback=_settle,
        is_eager=True,
        help="A profile of config.toml (EDGEMIND_PROFILE).",
    ),
]

Verify = Annotated[
    list[str] | None,
    typer.Option(
        help="A program that judges each answer: text on stdin, exit code 0 passes, 1 objects.",
        metavar="CMD",
    ),
]


def chosen(model: str | None) -> str | Path | None:
    """The model that was named, else the person's default; None for the bundled one."""
    if model is not None:
        return model
    from edgemind.choosing import default_model  # the catalogue, only where it may be asked

    return default_model()


def system_prompt(given: str | None) -> str | None:
    """The instructions of `--system`: what was given, or what stands in the file after an @."""
    if given is None or not given.startswith("@"):
        return given
    text = read_text(Path(given[1:]).expanduser(), MAX_SYSTEM_BYTES, "the instructions in")
    return text.strip("\n") or None


def show_notices(mind: Mind) -> None:
    """Say on stderr what is not as it was asked for."""
    for notice in mind.notices:
        say(notice)


def exit_code(error: EdgemindError) -> int:
    """The process's exit code for an error."""
    match error:
        case BudgetTooSmall():
            return BUDGET_PROBLEM
        case ModelError():
            return MODEL_PROBLEM
        case PrivacyError():
            return FAILED
        case _:
            return USAGE


@contextmanager
def clean_errors() -> Iterator[None]:
    """Turn every expected error into one line on stderr and its exit code.

    Meanwhile Ctrl-C is an exception, so that what was begun is ended; before and after it is not.
    """
    before = set_handler(signal.default_int_handler)
    try:
        yield
    except EdgemindError as error:
        say(str(error))
        raise typer.Exit(exit_code(error)) from None
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    except BrokenPipeError:
        # The reader of our output left (`| head`). Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(FAILED) from None
    finally:
        set_handler(before)


@contextmanager
def stopping(mind: Mind) -> Iterator[None]:
    """While this lasts, Ctrl-C makes `mind` give its best answer so far; a second one leaves."""
    presses = 0

    def on_interrupt(_number: int, _frame: FrameType | None) -> None:
        nonlocal presses
        presses += 1
        if presses > 1:
            raise KeyboardInterrupt
        mind.stop()

    before = signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
