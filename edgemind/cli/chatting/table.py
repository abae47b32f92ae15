"""The table of commands: help, completion and running all come from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

from edgemind.cli.chatting.talk import Talk
from edgemind.errors import ConfigError
from edgemind.runtime import Mind

Completes = Literal["", "path", "model", "strategy", "show", "conversation"]


@dataclass(slots=True)
class Desk:
    """What a command works on. `open_model` opens what `/model` names."""

    talk: Talk
    open_model: Callable[[str | Path | None], Mind]
    attached: list[str] = field(default_factory=list)
    """Texts that go before the next prompt."""
    prefill: str = ""
    """What stands at the prompt when it next appears."""
    again: str | None = None
    """A prompt to ask once more at once."""
    leaving: bool = False

    def tell(self, text: str) -> None:
        """A line (or some) for the person."""
        self.talk.face.note(text)


@dataclass(frozen=True, slots=True)
class Command:
    """One command: `usage` is what may stand after its name, `completes` what Tab offers there."""

    name: str
    usage: str
    help: str
    run: Callable[[Desk, str], None]
    completes: Completes = ""


def is_command(line: str) -> bool:
    """Whether a line is for the chat itself. `//` begins a prompt with a slash."""
    return line.startswith("/") and not line.startswith("//") and "\n" not in line.strip()


def without_escape(line: str) -> str:
    """A prompt as it is meant: `//usr` is `/usr`."""
    return line[1:] if line.startswith("//") else line


def run_command(commands: dict[str, Command], desk: Desk, line: str) -> None:
    """Run a line that is a command. Raises `ConfigError`, also for one that is unknown."""
    name, _, argument = line.strip().partition(" ")
    if (command := commands.get(name)) is None:
        near = get_close_matches(name, commands, n=1)
        hint = f"did you mean {near[0]}?" if near else "/help lists them"
        raise ConfigError(f"no command is called {name}: {hint} (// begins a prompt with a slash)")
    command.run(desk, argument.strip())


def help_text(commands: dict[str, Command]) -> str:
    """All commands, a line each."""
    wide = max(len(f"{one.name} {one.usage}") for one in commands.values())
    return "\n".join(
        f"{f'{one.name} {one.usage}':<{wide}}  {one.help}" for one in commands.values()
    )
