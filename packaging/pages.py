"""The man page and the shells' completions, made from the commands as they are.

    python packaging/pages.py FOLDER

writes FOLDER/edgemind.1 and FOLDER/completions/{edgemind,_edgemind,edgemind.fish}. Runs in any
environment that has edgemind, whatever the packages are built for.
"""

from __future__ import annotations

import datetime
import os
import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import typer
from typer._completion_shared import get_completion_script

import edgemind
from edgemind.cli.main import app
from edgemind.cli.options import (
    ANSWERED,
    BUDGET_PROBLEM,
    FAILED,
    INTERRUPTED,
    MODEL_PROBLEM,
    USAGE,
)
from edgemind.cli.prove import QUESTION
from edgemind.settings import OTHERS

COMPLETIONS: Final = {"bash": "edgemind", "zsh": "_edgemind", "fish": "edgemind.fish"}
"""The file that each shell looks for, in a folder of its own."""
EXIT_CODES: Final = {
    ANSWERED: "answered (a limit may have cut the thinking: the receipt says so)",
    FAILED: "something failed that no other code stands for",
    USAGE: "wrong usage: an option, an empty prompt, a prompt longer than the context",
    MODEL_PROBLEM: "the model is missing, damaged or unsupported",
    BUDGET_PROBLEM: "the budget is too small for any answer (--best-effort takes what there is)",
    INTERRUPTED: "interrupted before there was any answer",
}
VARIABLES: Final = {
    "EDGEMIND_PROFILE": "the profile of config.toml that holds",
    "EDGEMIND_CONFIG": "another file than the person's config.toml",
    "EDGEMIND_DATA_DIR": "another folder for what is recorded",
    "EDGEMIND_CACHE_DIR": "another folder for what can be measured again",
    "EDGEMIND_CPU_VARIANT": "the code for the processor that llama.cpp takes, instead of the best",
}
SETTINGS: Final = (
    "Every setting of config.toml has a variable, too: edgemind config show lists what holds and "
    "from where."
)
MODELS: Final = (
    "A small model comes with it. Others are given by --model, or named by edgemind models."
)
EXAMPLES: Final = (
    f'edgemind ask "{QUESTION}" --seconds 10',
    "edgemind chat",
    'cat letter.txt | edgemind ask "Who wrote this?" --json',
)


def man_page(epoch: int) -> str:
    """The page of section 1, dated by seconds since 1970."""
    day = datetime.datetime.fromtimestamp(epoch, datetime.UTC).date()
    root = typer.main.get_command(app)
    context: Any = root.make_context("edgemind", [], resilient_parsing=True)
    lines = [
        f'.TH EDGEMIND 1 "{day}" "edgemind {edgemind.__version__}" "User Commands"',
        ".SH NAME",
        r"edgemind \- answer on this device, within a budget",
        ".SH SYNOPSIS",
        ".B edgemind",
        r"[\fIOPTION\fR] \fICOMMAND\fR [\fIARGUMENT\fR]...",
        ".SH DESCRIPTION",
        *_paragraphs(root.help or ""),
        ".PP",
        *_text(MODELS),
        ".SH OPTIONS",
        *_parameters(root, context),
        ".SH COMMANDS",
    ]
    for name, command, inner in _commands(root, context, "edgemind"):
        lines += _command(name, command, inner)
    lines += [".SH EXIT STATUS"]
    for code, meaning in EXIT_CODES.items():
        lines += [".TP", rf"\fB{code}\fR", *_text(meaning)]
    lines += [".SH ENVIRONMENT", *_text(SETTINGS)]
    for variable, meaning in VARIABLES.items():
        lines += [".TP", rf"\fB{variable}\fR", *_text(meaning)]
    lines += [".SH FILES", ".TP", r"\fI~/.config/edgemind/config.toml\fR", "What is set."]
    lines += [".TP", r"\fI~/.local/share/edgemind\fR", "What was recorded, if that was asked for."]
    lines += [".TP", r"\fI~/.cache/edgemind\fR", "What was measured, and can be again."]
    lines += [".SH EXAMPLES"]
    for example in EXAMPLES:
        lines += [".PP", ".nf", _escaped(example), ".fi"]
    return "\n".join(lines) + "\n"


def completion(shell: str) -> str:
    """What the shell loads to complete edgemind's options; it asks the program itself."""
    script = get_completion_script(
        prog_name="edgemind", complete_var="_EDGEMIND_COMPLETE", shell=shell
    )
    if shell == "zsh":
        # The file is itself the function that zsh calls at first, with the words to complete.
        script += '\n\n[ "$funcstack[1]" = "_edgemind" ] && _edgemind_completion "$@"'
    return f"{script.strip()}\n"


def write(folder: Path, epoch: int) -> None:
    """All of it into `folder`."""
    for part in (folder, folder / "completions"):
        part.mkdir(parents=True, exist_ok=True)
    (folder / "edgemind.1").write_text(man_page(epoch), encoding="utf-8")
    for shell, name in COMPLETIONS.items():
        (folder / "completions" / name).write_text(completion(shell), encoding="utf-8")


def _commands(group: Any, context: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    """Each command that is shown, those in groups too, with its whole name and its context."""
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command.hidden:
            continue
        inner = type(context)(command, info_name=name, parent=context)
        yield f"{path} {name}", command, inner
        if hasattr(command, "list_commands"):
            yield from _commands(command, inner, f"{path} {name}")


def _command(name: str, command: Any, context: Any) -> list[str]:
    usage = " ".join(command.collect_usage_pieces(context))
    return [
        rf".SS {_escaped(name)}",
        rf"\fB{_escaped(name)}\fR {_escaped(usage)}",
        ".PP",
        *_paragraphs(command.help or ""),
        *_parameters(command, context),
    ]


def _parameters(command: Any, context: Any) -> list[str]:
    lines = []
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is None:
            continue
        names, meaning = record
        if "--help" in names and context.parent is not None:
            continue
        lines += [".TP", rf"\fB{_escaped(names)}\fR", *_text(meaning)]
    return lines


def _paragraphs(text: str) -> list[str]:
    parts = re.split(r"\n\s*\n", textwrap.dedent(text).strip())
    lines = [line for part in parts for line in (".PP", *_text(part))]
    return lines[1:]


def _text(text: str) -> list[str]:
    """Lines of running text. A line must not begin as a request does."""
    lines = textwrap.wrap(" ".join(text.split()), 100, break_on_hyphens=False)
    return [rf"\&{line}" if line[0] in ".'" else line for line in map(_escaped, lines)] or [r"\&"]


def _escaped(text: str) -> str:
    text = text.replace("\\", r"\e").replace("-", r"\-")
    return text.replace("…", "...").replace("–", r"\(en").replace("×", r"\(mu")


def main() -> None:
    """Write into the folder that is named."""
    if len(sys.argv) != 2:
        sys.exit("usage: python packaging/pages.py FOLDER")
    missing = {one for one in OTHERS if one != "EDGEMIND_PYTHON"} ^ VARIABLES.keys()
    if missing:
        sys.exit(f"packaging/pages.py: explain {', '.join(sorted(missing))} in VARIABLES")
    write(Path(sys.argv[1]), int(os.environ.get("SOURCE_DATE_EPOCH", "0")))


if __name__ == "__main__":
    main()
