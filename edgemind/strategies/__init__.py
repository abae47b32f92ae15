"""Ways of answering, one module each; its name is the strategy's (`edgemind.strategies.base`)."""

from __future__ import annotations

import pkgutil
from functools import cache

SUPPORT = {"base", "choice", "prior", "roles", "stopping", "tally", "urns"}


@cache
def strategy_names() -> tuple[str, ...]:
    """The keys of all strategies, sorted. Looked for once: each answer asks twice."""
    modules = pkgutil.iter_modules(__path__)
    return tuple(sorted(module.name for module in modules if module.name not in SUPPORT))
