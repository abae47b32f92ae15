"""Limits as a person writes them: `5s 30J 200t`."""

from __future__ import annotations

import re
from dataclasses import replace

from edgemind.budget import check_budget
from edgemind.errors import ConfigError
from edgemind.types import Budget

UNITS = {
    "ms": ("seconds", 0.001),
    "s": ("seconds", 1),
    "min": ("seconds", 60),
    "j": ("joules", 1),
    "kj": ("joules", 1000),
    "t": ("tokens", 1),
    "tokens": ("tokens", 1),
}


def parse_budget(text: str) -> Budget:
    """Limits as a person writes them: `5s 30J 200t`; `none` for no limit."""
    if text == "none":
        return Budget()
    limits = Budget()
    for word in text.replace(",", " ").split():
        found = re.fullmatch(r"([0-9]*\.?[0-9]+)([a-zA-Z]+)", word)
        if found is None or found[2].lower() not in UNITS:
            raise ConfigError(f"{word!r} is no limit: write 5s 30J 200t, or none")
        name, factor = UNITS[found[2].lower()]
        value = float(found[1]) * factor
        if name == "seconds":
            limits = replace(limits, seconds=value)
        elif name == "joules":
            limits = replace(limits, joules=value)
        elif value == int(value):
            limits = replace(limits, tokens=int(value))
        else:
            raise ConfigError(f"{word!r} is no whole number of tokens")
    return check_budget(limits)
