"""Watts per busy core and watts of idling, fitted to what a counter showed: two unknowns, by least
squares over stretches of different load, each weighted by its own energy so that all count alike.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from edgemind.errors import ConfigError
from edgemind.meters.estimate import Power

LEAST_ERROR = 0.05
"""No fit over a few stretches knows more than this."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some seconds of one load: CPU seconds and seconds that passed, joules by the counter."""

    cpu_seconds: float
    seconds: float
    joules: float


def fit_power(stretches: Sequence[Stretch], name: str, fitted_to: str) -> Power:
    """The watts that explain the stretches best; `ConfigError` where they explain nothing.

    Needs at least two loads. Neither figure may be negative; the error is the root mean square of
    the relative residuals, doubled (about 95 %), and at least 5 %.
    """
    usable = [one for one in stretches if one.seconds > 0 and one.joules > 0]
    if len(usable) < 2:
        raise ConfigError("the counter showed no energy: plug nothing in meanwhile, and try again")
    rows = [(one.cpu_seconds / one.joules, one.seconds / one.joules) for one in usable]
    cc = sum(c * c for c, _ in rows)
    cs = sum(c * s for c, s in rows)
    ss = sum(s * s for _, s in rows)
    c1, s1 = sum(c for c, _ in rows), sum(s for _, s in rows)
    determinant = cc * ss - cs * cs
    if determinant <= 1e-9 * cc * ss:
        raise ConfigError("all stretches had the same load: let no other program run meanwhile")
    core = (c1 * ss - s1 * cs) / determinant
    idle = (s1 * cc - c1 * cs) / determinant
    if idle < 0:
        core, idle = c1 / cc, 0.0
    if core <= 0:
        raise ConfigError("the counter does not rise with the work: let no other program run")
    residuals = [core * c + idle * s - 1 for c, s in rows]
    error = 2 * math.sqrt(sum(r * r for r in residuals) / len(residuals))
    return Power(name, core, idle, max(error, LEAST_ERROR), fitted_to)
