"""Writes docs/commands.md: the help of every command, from the code that parses its options.

    python scripts/write_command_help.py [--check]

What `edgemind COMMAND --help` shows depends on the width of a terminal; the same texts stand here
as Markdown. Hidden commands are left out.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import typer

from edgemind.cli.main import app
from generated_pages import DOCS, Pages, plain, run, table, whole

PAGE = DOCS / "commands.md"
KINDS = {"FloatParamType": "NUMBER", "FloatRange": "NUMBER", "IntParamType": "N", "IntRange": "N"}
INTRODUCTION = """
Every command and its options. `edgemind --help`, `edgemind models --help` and
`edgemind models pull --help` show the same on a terminal. Defaults of `ask` and `chat` can stand in
`config.toml` ([configuration](configuration.md)).
"""


def pages() -> Pages:
    """The page, from the code."""
    group = typer.main.get_command(app)
    found = list(commands(group, ("edgemind",)))
    rows = [(f"[`{' '.join(names)}`](#{anchor(names)})", summary(one)) for names, one in found]
    parts = [INTRODUCTION, table(("command", ""), rows), _options(("edgemind",), group)]
    return {
        PAGE: whole(
            "Commands",
            "write_command_help.py",
            "\n\n".join(
                [part.strip() for part in parts] + [section(names, one) for names, one in found]
            ),
        )
    }


def commands(group: Any, above: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """All commands below a group that are not hidden, with their names."""
    for name in group.list_commands(None):
        one = group.get_command(None, name)
        if one.hidden:
            continue
        if hasattr(one, "list_commands"):
            yield from commands(one, (*above, name))
        else:
            yield (*above, name), one


def anchor(names: tuple[str, ...]) -> str:
    """The name of a command's heading in a link."""
    return "-".join(names)


def summary(command: Any) -> str:
    """The first paragraph of a command's help."""
    return plain((command.help or "").split("\n\n")[0])


def section(names: tuple[str, ...], command: Any) -> str:
    """A command's heading, usage, help and tables."""
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    options = [one for one in command.params if one.param_type_name == "option" and not one.hidden]
    usage = " ".join([*names, *(["[OPTIONS]"] if options else []), *map(usage_of, arguments)])
    parts = [f"## {' '.join(names)}", f"```text\n{usage}\n```", help_text(command.help or "")]
    if told := [(f"`{shown(one)}`", described(one)) for one in arguments if one.help]:
        parts.append(table(("argument", ""), told))
    if options:
        parts.append(_options(names, command))
    return "\n\n".join(parts)


def help_text(text: str) -> str:
    """A command's help as Markdown. What follows a \\b is kept line by line, as on a terminal."""
    parts = []
    for paragraph in text.split("\n\n"):
        lines = paragraph.strip("\n")
        if lines.startswith("\b"):
            kept = "\n".join(line.rstrip() for line in lines.splitlines()[1:])
            parts.append(f"```text\n{kept}\n```")
        else:
            parts.append(plain(lines))
    return "\n\n".join(parts)


def usage_of(argument: Any) -> str:
    """An argument in the line of usage."""
    name = f"{shown(argument)}{'...' if argument.nargs == -1 else ''}"
    return name if argument.required else f"[{name}]"


def shown(argument: Any) -> str:
    """An argument's name, as the help shows it."""
    return str(argument.metavar or argument.name.upper())


def _options(names: tuple[str, ...], command: Any) -> str:
    rows = [
        (f"`{spelled(one)}`", described(one), default(one))
        for one in command.params
        if one.param_type_name == "option" and not one.hidden
    ]
    return table(("option", "", "default"), rows)


def spelled(option: Any) -> str:
    """An option's names and what it takes: `--quiet, -q`, `--seconds NUMBER`."""
    names = ", ".join(option.opts)
    if option.secondary_opts:
        names += f" / {', '.join(option.secondary_opts)}"
    return names if option.is_flag else f"{names} {_kind(option)}"


def _kind(option: Any) -> str:
    if option.metavar:
        return str(option.metavar)
    kind = type(option.type).__name__
    if "Choice" in kind:
        return "WORD"
    if "Path" in kind or "File" in kind:
        return "PATH"
    return KINDS.get(kind, "TEXT")


def described(parameter: Any) -> str:
    """What a parameter is for, its choices and bounds, and the variable that stands for it."""
    parts = [plain(parameter.help or "")]
    if choices := getattr(parameter.type, "choices", None):
        parts.append(f"One of {', '.join(f'`{one}`' for one in choices)}.")
    least, most = (getattr(parameter.type, name, None) for name in ("min", "max"))
    if least is not None and most is not None:
        parts.append(f"From {least} to {most}.")
    elif least is not None:
        parts.append(f"At least {least}.")
    if getattr(parameter, "multiple", False):
        parts.append("May be given several times.")
    if parameter.required and parameter.param_type_name == "option":
        parts.append("Has to be given.")
    if parameter.envvar:
        parts.append(f"Also `{parameter.envvar}`.")
    return " ".join(part for part in parts if part)


def default(option: Any) -> str:
    """What holds where the option is not given; empty where nothing does."""
    value = option.default
    if isinstance(option.show_default, str):
        return plain(option.show_default)
    if option.is_flag:
        return f"`{option.opts[0]}`" if value is True and option.secondary_opts else ""
    if value is None or callable(value) or value == ():
        return ""
    return f"`{value}`"


if __name__ == "__main__":
    sys.exit(run(pages, __doc__))
