"""The command line's entry point. Commands are one module each in this package."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

import edgemind
from edgemind.cli import crash
from edgemind.cli.child import child
from edgemind.cli.late import LateGroup
from edgemind.guard.lock import lock_network
from edgemind.guard.telemetry import switch_off

LATE = {
    "ask": ("edgemind.cli.ask", "ask"),
    "config": ("edgemind.cli.config", "config_app"),
    "chat": ("edgemind.cli.chat", "chat"),
    "calibrate": ("edgemind.cli.calibrate", "calibrate_command"),
    "desktop": ("edgemind.cli.desktop", "desktop"),
    "history": ("edgemind.cli.history", "history_app"),
    "doctor": ("edgemind.cli.doctor", "doctor_command"),
    "bench": ("edgemind.cli.bench", "bench_command"),
    "eval": ("edgemind.cli.eval", "evaluate_command"),
    "prove": ("edgemind.cli.prove", "prove_command"),
    "usage": ("edgemind.cli.usage", "usage_command"),
    "models": ("edgemind.cli.models", "models_app"),
}
"""Commands and groups of them that are imported when asked for: an answer should not wait."""

SUMMARIES = {
    "ask": "Answer one prompt: in one pass when it is easy, with several samples when it is hard.",
    "config": "Show or edit what is set.",
    "chat": "Talk with the model.",
    "calibrate": "Learn from questions with known answers when this model needs to think harder.",
    "desktop": "Open the window: conversations, budgets, a live view of the thinking.",
    "history": "Look at conversations that were kept, search, export or remove them.",
    "doctor": "Say what this device offers, what is used and why not the rest.",
    "bench": "Measure how fast a model runs here: prompts, steps at each width, joules a token, "
    "memory.",
    "eval": "Ask every question under several policies; print accuracy, cost and "
    "their differences.",
    "prove": "Answer a question under strace: what the process did with sockets, files and "
    "programs.",
    "usage": "What answers have cost: time, tokens, seconds and joules, by day and model.",
    "models": "Find, name, look at and shrink models.",
}
"""How each of them begins its help (a test holds them together): the list imports none of them."""

UNLOCKED = {"_child", "prove"}
"""Commands that load no model in this process: a child locks itself, and `prove` only watches."""

WINDOWED = {"desktop"}
"""Commands that connect to the window system first, by a socket of AF_UNIX, and shut that off too
before they load anything (`edgemind.desktop.app`)."""

UNLOCKED_IN_GROUPS = (("models", "pull"), ("config", "edit"))
"""The same, of groups: what fetches, and the person's own editor. Only in the first two places."""


class Commands(LateGroup):
    """All commands."""

    late = LATE
    summaries = SUMMARIES


app = typer.Typer(
    cls=Commands,
    name="edgemind",
    help="Reasoning on this device, within a budget. Nothing you type leaves it.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("_child", hidden=True)(child)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"edgemind {edgemind.__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Reasoning on this device, within a budget. Nothing you type leaves it."""


def main() -> None:
    """Run the command line; the process's exit code says how it went."""
    # Text that the terminal's encoding lacks must not end the program.
    for file in (sys.stdout, sys.stderr):
        if hasattr(file, "reconfigure"):
            file.reconfigure(errors="replace")
    crash.install()
    if "COMP_WORDS" in os.environ:
        from edgemind.cli.completing import mend_words

        mend_words(os.environ)
    elif {"--install-completion", "--show-completion"} & {*sys.argv[1:2]}:
        from edgemind.cli.completing import mend_zsh

        mend_zsh()
    lock(sys.argv[1:])
    try:
        app()
    except Exception as error:  # not one of ours: a mistake in the program
        crash.show(error)
        sys.exit(1)


def lock(arguments: Sequence[str]) -> None:
    """Lock this process out of the network, before a command's libraries are imported.

    Where the system gives no lock, that is said once, and the command runs without.
    """
    command = next((one for one in arguments if not one.startswith("-")), "")
    if command in UNLOCKED or tuple(arguments[:2]) in UNLOCKED_IN_GROUPS:
        return
    report = lock_network(unix=True) if command in WINDOWED else lock_network()
    switch_off(os.environ, locked=True)
    if command and not report.on:
        print(f"edgemind: the network is not locked: {report.why}", file=sys.stderr)


if __name__ == "__main__":
    main()
