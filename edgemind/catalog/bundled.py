"""Where the bundled model is: in the wheel beside the package, or in a checkout's `models/`."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from edgemind.errors import ModelNotFound

NAME = "edgemind-nano.gguf"
BYTES = 4_813_568
SHA256 = "92f5120844d24e575ac4411ddc8ecfba30cb2877f4c49004e3aa1b745288b4a8"
"""Of the bundled model: a new one brings new numbers (`sha256sum models/edgemind-nano.gguf`)."""
PACKAGE = Path(__file__).resolve().parent.parent


def bundled_model() -> Path:
    """Path of the bundled model; `ModelNotFound` where the installation lacks it."""
    for folder in (PACKAGE / "models", PACKAGE.parent / "models"):
        if (folder / NAME).is_file():
            return folder / NAME
    raise ModelNotFound(f"the bundled model {NAME} is missing: install again, or give --model PATH")


def is_bundled(path: Path) -> bool:
    """Whether `path` is the bundled model, unchanged: its place and its size say so.

    Its place is where our own code lies. Whoever can write there needs no model file to do harm,
    so the hash (5 ms) is left to `edgemind models verify`.
    """
    try:
        return os.path.samefile(path, bundled_model()) and path.stat().st_size == BYTES
    except (OSError, ModelNotFound):
        return False


def bundled_hash() -> str:
    """The SHA-256 of the bundled model as it is, to be held against `SHA256`."""
    with bundled_model().open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
