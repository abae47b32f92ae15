"""Where the bundled model is: in the wheel beside the package, or in a checkout's `models/`."""

from __future__ import annotations

from pathlib import Path

from edgemind.errors import ModelNotFound

NAME = "edgemind-nano.gguf"
PACKAGE = Path(__file__).resolve().parent.parent


def bundled_model() -> Path:
    """Path of the bundled model; `ModelNotFound` where the installation lacks it."""
    for folder in (PACKAGE / "models", PACKAGE.parent / "models"):
        if (folder / NAME).is_file():
            return folder / NAME
    raise ModelNotFound(f"the bundled model {NAME} is missing: install again, or give --model PATH")
