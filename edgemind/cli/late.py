"""Commands that are imported when they are asked for: answers and completions should not wait."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any, ClassVar

import typer
from typer.core import TyperGroup


class LateGroup(TyperGroup):
    """A group whose `late` commands are a module and a name in it: a function or another group.

    (typer brings its own copy of click or uses it, hence Any.)
    """

    late: ClassVar[Mapping[str, tuple[str, str]]] = {}

    def list_commands(self, ctx: Any) -> list[str]:
        return [*super().list_commands(ctx), *self.late]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in self.late:
            return super().get_command(ctx, cmd_name)
        module, name = self.late[cmd_name]
        found = getattr(importlib.import_module(module), name)
        if isinstance(found, typer.Typer):
            return typer.main.get_command(found)
        alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        alone.command(cmd_name)(found)
        return typer.main.get_command(alone)
