"""What checks the values of a configuration: a function for each kind, and fields made with them.

`edgemind.config` is the schema that is made of these. All raise `ConfigError`, which says where the
value stands.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from dataclasses import field
from difflib import get_close_matches
from typing import Any, TypeVar

from edgemind.errors import ConfigError

T = TypeVar("T")
Reader = Callable[[object, str], Any]
"""Checks one value; the text says where it stands, for `ConfigError`."""


def setting(reader: Reader, default: Any = None, says: str = "") -> Any:
    """A field of a table: how its value is read, and what it is where the file is silent.

    What it `says` stands in the documentation; what is called as an option says what that says.
    """
    made = {"reader": reader, "says": says}
    if callable(default):
        return field(default_factory=default, metadata=made)
    return field(default=default, metadata=made)


def positive(value: object, where: str) -> float:
    """A finite number above 0."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < math.inf:
        return float(value)
    raise ConfigError(f"{where} has to be a number above 0, not {_shown(value)}")


def whole(value: object, where: str) -> int:
    """A whole number from 1."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return value
    raise ConfigError(f"{where} has to be a whole number from 1, not {_shown(value)}")


def not_negative(value: object, where: str) -> float:
    """A finite number from 0."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < math.inf:
        return float(value)
    raise ConfigError(f"{where} has to be a number from 0, not {_shown(value)}")


def layers(value: object, where: str) -> int:
    """A whole number from 0, or -1 for all."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= -1:
        return value
    raise ConfigError(
        f"{where} has to be a whole number from 0, or -1 for all, not {_shown(value)}"
    )


def percentage(value: object, where: str) -> float:
    """A number from 1 to 100."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 1 <= value <= 100:
        return float(value)
    raise ConfigError(f"{where} has to be a number from 1 to 100, not {_shown(value)}")


def switch(value: object, where: str) -> bool:
    """`true` or `false`."""
    if isinstance(value, bool):
        return value
    raise ConfigError(f"{where} has to be true or false, not {_shown(value)}")


def text(value: object, where: str) -> str:
    """A text that is not empty."""
    if isinstance(value, str) and value:
        return value
    raise ConfigError(f"{where} has to be a name in quotes, not {_shown(value)}")


def one_of(*names: str) -> Reader:
    """A reader of one of these texts."""

    def read(value: object, where: str) -> str:
        if value in names:
            return str(value)
        raise ConfigError(f"{where} has to be one of {', '.join(names)}, not {_shown(value)}")

    read.__doc__ = f"One of {', '.join(names)}."
    return read


def table(kind: type[T]) -> Reader:
    """A reader of a whole table into the dataclass `kind`."""

    def read(value: object, where: str) -> T:
        if not isinstance(value, Mapping):
            raise ConfigError(f"{where} has to be a table, not {_shown(value)}")
        fields = {each.name: each for each in dataclasses.fields(kind)}  # type: ignore[arg-type]
        values = {}
        for key, one in value.items():
            place = f"{where}.{key}" if where else str(key)
            if key not in fields:
                raise ConfigError(f"{place} is no setting: {nearest(key, fields)}")
            values[key] = fields[key].metadata["reader"](one, place)
        return kind(**values)

    return read


def inner(kind: type[T], default: Any = None) -> Any:
    """A field that is a table of its own."""
    made = {"reader": table(kind), "table": kind}
    if callable(default):
        return field(default_factory=default, metadata=made)
    return field(default=default, metadata=made)


def named(reader: Reader) -> Reader:
    """A reader of a table whose keys are names that the person chose."""

    def read(value: object, where: str) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise ConfigError(f"{where} has to be a table, not {_shown(value)}")
        return {str(key): reader(one, f"{where}.{key}") for key, one in value.items()}

    return read


def nearest(key: str, known: Mapping[str, object]) -> str:
    """What was probably meant by `key`, or what there is."""
    near = get_close_matches(key, known, n=1)
    return f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(known))}"


def _shown(value: object) -> str:
    return repr(value) if len(repr(value)) <= 40 else f"{repr(value)[:39]}…"
