"""A table of facts: aligned text for people, objects for JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Section:
    """One table: a key for JSON, column names, and rows of text, numbers, yes/no or nothing."""

    key: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str | float | bool | None, ...], ...]

    def to_values(self) -> list[dict[str, Any]]:
        """As values of JSON, one object for each row."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]

    def lines(self) -> list[str]:
        """As aligned text."""
        table = [self.columns, *(tuple(map(_shown, row)) for row in self.rows)]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        return [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in table
        ]


def _shown(value: str | float | bool | None) -> str:
    match value:
        case None:
            return "–"
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.2f}"
        case _:
            return str(value)
