"""Which texts can only be paths: every start asks it, and needs nothing else for that."""

from __future__ import annotations

import os
from pathlib import Path


def as_path(text: str) -> Path:
    """The path that a text stands for; `~` is the person's home, an unknown person's stays."""
    return Path(os.path.expanduser(text))


def is_explicit(text: str) -> bool:
    """Whether a text can only be a path: by its ending, or as it begins."""
    path = Path(text)
    ending = path.suffix.lower() in (".gguf", ".onnx")
    return ending or path.is_absolute() or text.startswith((".", "~"))
