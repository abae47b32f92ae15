"""`edgemind config`: what is set, where that stands, and the way to the file."""

from __future__ import annotations

import json as json_text
import os
import shlex
import shutil
import subprocess
from typing import Annotated, Any, Final

import typer

from edgemind.cli.options import clean_errors
from edgemind.cli.table import Section
from edgemind.cli.terminal import put_json
from edgemind.config import Config, config_file, load_config, read_file
from edgemind.errors import ConfigError
from edgemind.settings import PROFILE, Key, settings, sources, variable
from edgemind.wording import printable

EDITORS: Final = ("nano", "vim", "vi")
TEMPLATE: Final = """\
# What edgemind does where no option and no EDGEMIND_… variable says otherwise.
# `edgemind config show` lists all settings. Remove a # to set one.

# model = "edgemind-nano"     # a name of `edgemind models list`, or a path
# threads = 4
# width = 16                  # most samples of a vote

# [budget]
# seconds = 30                # for one answer
# joules_per_day = 20_000

# [profile.pi]                # with --profile pi, or EDGEMIND_PROFILE=pi
# width = 4
# budget.seconds = 20
"""

config_app = typer.Typer(
    name="config",
    help="Show or edit what is set.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@config_app.callback()
def _commands() -> None:
    """Show or edit what is set."""


@config_app.command()
def show(
    profile: Annotated[
        str | None, typer.Option(help="As it is with this profile of config.toml.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """List every setting: its value, and which file, profile or variable that comes from."""
    with clean_errors():
        environment = dict(os.environ) | ({PROFILE: profile} if profile else {})
        config = load_config(environment=environment)  # what does not go together is said
        stands: dict[Key, str] = {}
        for source in sources(None, environment):
            stands |= source.names
        rows = [(key, _value(config, key), stands.get(key)) for key in settings()]
        if json:
            told = {
                ".".join(key): {"value": value, "source": source or "default"}
                for key, value, source in rows
            }
            put_json(json_text.dumps(told, indent=1))
            return
        cells = [
            (".".join(key), _shown(value), source or "default", variable(key))
            for key, value, source in rows
        ]
        columns = ("setting", "value", "from", "variable")
        for line in Section("settings", columns, tuple(cells)).lines():
            print(printable(line).replace("\n", " "))


@config_app.command()
def path() -> None:
    """Print where the file is, whether there is one yet or not."""
    print(config_file())


@config_app.command()
def edit() -> None:
    """Open the file in $VISUAL or $EDITOR, and check it afterwards."""
    with clean_errors():
        file = config_file()
        command = _editor()
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            if not file.exists():
                file.write_text(TEMPLATE, encoding="utf-8")
            code = subprocess.run([*command, os.fspath(file)], check=False).returncode
        except OSError as error:
            raise ConfigError(f"cannot edit {file}: {error.strerror}") from None
        if code != 0:
            raise ConfigError(f"{command[0]} ended with exit code {code}")
        read_file(file, demanded=True)
        print(file)


def _value(config: Config, key: Key) -> Any:
    """What holds for a setting, be it set or not."""
    value: Any = config
    for name in key:
        value = getattr(value, name, None)
    return value


def _editor() -> list[str]:
    """The person's editor as a command."""
    for name in ("VISUAL", "EDITOR"):
        if given := os.environ.get(name):
            try:
                return shlex.split(given)
            except ValueError as error:
                raise ConfigError(f"{name} is {given!r}: {error}") from None
    for name in EDITORS:
        if found := shutil.which(name):
            return [found]
    raise ConfigError(f"no editor was found: set EDITOR, or edit {config_file()} yourself")


def _shown(value: Any) -> str:
    match value:
        case None:
            return "–"
        case bool():
            return "true" if value else "false"
        case str():
            return json_text.dumps(value, ensure_ascii=False)
        case _:
            return str(value)
