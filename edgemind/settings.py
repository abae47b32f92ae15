"""Where the values of a configuration come from, the weakest first: file, profile, environment.

Reached from `edgemind.config.load_config`, and from `edgemind config show`, which says for each
value which of them it was.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from edgemind.config import Config, config_file, read_file
from edgemind.config_readers import nearest, text
from edgemind.errors import ConfigError

PREFIX: Final = "EDGEMIND_"
PROFILE: Final = "EDGEMIND_PROFILE"
OTHERS: Final = (
    PROFILE,
    *(PREFIX + name for name in "CONFIG DATA_DIR CACHE_DIR PYTHON CPU_VARIANT".split()),
)
"""Variables that say where something is rather than what is set."""
Key = tuple[str, ...]
"""The way to a value: `("budget", "seconds")`."""


@dataclass(frozen=True, slots=True)
class Source:
    """Values and where they stand, by the way to each."""

    names: Mapping[Key, str]
    values: Mapping[Key, Any]


def sources(path: Path | None, environment: Mapping[str, str] = os.environ) -> list[Source]:
    """All sources, each of which goes before those in front of it."""
    demanded = path is not None or bool(environment.get("EDGEMIND_CONFIG"))
    path = path or config_file(environment)
    file = read_file(path, demanded=demanded)
    profiles = file.get("profile", {})
    found = [_of(file, str(path))]
    if name := environment.get(PROFILE):
        if name not in profiles:
            hint = nearest(name, profiles) if profiles else f"{path} has none"
            raise ConfigError(f"there is no profile {name!r}: {hint}")
        found.append(_of(profiles[name], f"{path} [profile.{name}]"))
    found.append(_variables(environment))
    return found


def merged(found: Sequence[Source]) -> dict[str, Any]:
    """The values that hold, as the tables of the file."""
    whole: dict[str, Any] = {}
    for source in found:
        for key, value in source.values.items():
            place = whole
            for name in key[:-1]:
                place = place.setdefault(name, {})
            place[key[-1]] = value
    return whole


def settings() -> dict[Key, Any]:
    """Every setting outside of profiles, with the function that reads it."""
    return dict(_settings(Config, ()))


def _settings(kind: Any, above: Key) -> Iterator[tuple[Key, Any]]:
    for each in dataclasses.fields(kind):
        key = (*above, each.name)
        inner = each.metadata.get("table")
        if inner is not None:
            yield from _settings(inner, key)
        elif key != ("profile",):
            yield key, each.metadata["reader"]


def variable(key: Key) -> str:
    """The environment variable of a setting: `EDGEMIND_BUDGET_SECONDS`."""
    return PREFIX + "_".join(key).upper()


def _variables(environment: Mapping[str, str]) -> Source:
    """What the environment sets; an empty variable sets nothing."""
    known = {variable(key): (key, reader) for key, reader in settings().items()}
    names: dict[Key, str] = {}
    values: dict[Key, Any] = {}
    for name, given in environment.items():
        if not name.startswith(PREFIX) or not given or name in OTHERS:
            continue
        if name not in known:
            near = get_close_matches(name, (*known, *OTHERS), n=1)
            hint = f"did you mean {near[0]}?" if near else "`edgemind config show` lists them"
            raise ConfigError(f"{name} in the environment is no setting: {hint}")
        key, reader = known[name]
        names[key] = name
        values[key] = reader(given if reader is text else _value(given), name)
    return Source(names, values)


def _value(given: str) -> bool | int | float | str:
    """What a variable's text stands for, as it would in the file."""
    low = given.strip().lower()
    if low in ("true", "false"):
        return low == "true"
    for kind in (int, float):
        try:
            return kind(low)
        except ValueError:
            continue
    return given


def _of(values: Mapping[str, Any], name: str) -> Source:
    flat = dict(_flat(values, ()))
    return Source(dict.fromkeys(flat, name), flat)


def _flat(values: Mapping[str, Any], above: Key) -> Iterator[tuple[Key, Any]]:
    """Every value by the way to it; profiles as they are, since they do not hold by themselves."""
    for name, value in values.items():
        key = (*above, name)
        if isinstance(value, Mapping) and key != ("profile",):
            yield from _flat(value, key)
        else:
            yield key, value
