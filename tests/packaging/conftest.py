"""The modules of packaging/ by name: they are scripts, outside of the package."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PACKAGING = Path(__file__).parents[2] / "packaging"


@pytest.fixture
def packaging(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """Imports a module of packaging/ or a folder in it."""
    for folder in ("", "frozen", "debian"):
        monkeypatch.syspath_prepend(PACKAGING / folder)
    return importlib.import_module
