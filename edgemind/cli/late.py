"""Commands that are imported when they are asked for: answers and completions should not wait."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any, ClassVar

import typer
from typer.core import TyperCommand, TyperGroup

LISTING = "edgemind.listing"


class LateGroup(TyperGroup):
    """A group whose `late` commands are a module and a name in it: a function or another group.

    `summaries` are how they begin their help: a list of them then imports none. (typer brings its
    own copy of click or uses it, hence Any.)
    """

    late: ClassVar[Mapping[str, tuple[str, str]]] = {}
    summaries: ClassVar[Mapping[str, str]] = {}

    def list_commands(self, ctx: Any) -> list[str]:
        return [*super().list_commands(ctx), *self.late]

    def format_help(self, ctx: Any, formatter: Any) -> None:
        ctx.meta[LISTING] = self.summaries
        super().format_help(ctx, formatter)

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:
        ctx.meta[LISTING] = {name: self.summaries.get(name, "") for name in self.late}
        return super().shell_complete(ctx, incomplete)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in self.late:
            return super().get_command(ctx, cmd_name)
        if ctx is not None and cmd_name in (known := ctx.meta.get(LISTING, {})):
            return TyperCommand(cmd_name, help=known[cmd_name])
        module, name = self.late[cmd_name]
        found = getattr(importlib.import_module(module), name)
        if isinstance(found, typer.Typer):
            return typer.main.get_command(found)
        alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        alone.command(cmd_name)(found)
        return typer.main.get_command(alone)
