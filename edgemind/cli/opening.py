"""Opening a model for a command: `edgemind.loading.load`, imported when it is called."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edgemind.runtime import Mind


def load(model: str | Path | None = None, **options: Any) -> Mind:
    """As `edgemind.load`, with its options."""
    from edgemind import loading

    return loading.load(model, **options)
