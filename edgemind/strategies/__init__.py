"""Ways of answering, one module each; its name is the strategy's (`edgemind.strategies.base`)."""

from __future__ import annotations

import pkgutil

SUPPORT = {"base", "choice", "prior", "roles", "stopping", "tally", "urns"}


def strategy_names() -> list[str]:
    """The keys of all strategies, sorted."""
    modules = pkgutil.iter_modules(__path__)
    return sorted(module.name for module in modules if module.name not in SUPPORT)
