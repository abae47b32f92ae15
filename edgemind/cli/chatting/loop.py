"""The loop of `edgemind chat`: a line is read, is a command or a prompt, is answered, again."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress

from edgemind.cli.chatting.blocks import is_open, without_marks
from edgemind.cli.chatting.commands import COMMANDS
from edgemind.cli.chatting.table import Desk, is_command, run_command, without_escape
from edgemind.errors import EdgemindError, ModelError
from edgemind.runtime import Mind

PROMPT = "> "
CONTINUED = ". "

Reader = Callable[[str], str | None]
"""Reads a prompt, which may have a text already; None when the person leaves."""
Stopper = Callable[[Mind], AbstractContextManager[object]]
"""While it lasts, Ctrl-C gives the best answer so far."""


def converse(desk: Desk, read: Reader, answering: Stopper, *, commands: bool) -> None:
    """Talk until the person leaves. Without `commands` every line is a prompt (pipes)."""
    while not desk.leaving:
        prefill, desk.prefill = desk.prefill, ""
        if (line := read(prefill)) is None:
            return
        if not line.strip():
            continue
        try:
            if not (commands and is_command(line)):
                prompt = without_marks(without_escape(line)).strip("\n") if commands else line
                _answer(desk, prompt, answering)
                continue
            run_command(COMMANDS, desk, line)
            again, desk.again = desk.again, None
            if again is not None:
                _answer(desk, again, answering, again=True)
        except EdgemindError as error:
            told = not desk.talk.turns and not (commands and is_command(line))
            if isinstance(error, ModelError) and told:
                raise  # the model cannot be asked at all, and there is no conversation to lose
            desk.tell(f"edgemind: {error}")


def _answer(desk: Desk, prompt: str, answering: Stopper, *, again: bool = False) -> None:
    """Ask with what was attached, which stays attached where there is no answer."""
    whole = "\n\n".join((*desk.attached, prompt))
    # What a terminal sent that is no character must not end the program later on.
    whole = whole.encode("utf-8", "replace").decode()
    with answering(desk.talk.mind):  # which may end it without an answer
        if desk.talk.say(whole, again=again).text:
            desk.attached.clear()


def read_plain(_: str) -> str | None:
    """One line, or a text between two \"\"\", without any drawing; None at the end."""
    if not sys.stdin.isatty():
        line = sys.stdin.readline()
        return line.rstrip("\n") if line else None
    with suppress(ImportError):
        import readline  # noqa: F401 (gives input() line editing and history)
    try:
        text = _asked(PROMPT)
        while is_open(text):
            text += "\n" + _asked(CONTINUED)
        return text
    except EOFError:
        print(file=sys.stderr)
        return None
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return ""  # the line is cleared


def _asked(prompt: str) -> str:
    """A line from the terminal; the prompt does not go where the answers alone are wanted."""
    if sys.stdout.isatty():
        return input(prompt)
    print(prompt, end="", file=sys.stderr, flush=True)
    return input()
