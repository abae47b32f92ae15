"""Tells model files apart without reading them whole."""

from __future__ import annotations

import hashlib
from pathlib import Path

END_BYTES = 1 << 20


def fingerprint(model: Path) -> str:
    """Tells model files apart, quantisations of one name too: 16 hex digits, read in no time.

    From the size and both ends of a file, from the names and sizes in a folder.
    """
    seen = hashlib.sha256()
    if model.is_dir():
        for path in sorted(path for path in model.rglob("*") if path.is_file()):
            seen.update(f"{path.relative_to(model)} {path.stat().st_size}\n".encode())
    elif model.is_file():
        size = model.stat().st_size
        seen.update(str(size).encode())
        with model.open("rb") as file:
            seen.update(file.read(END_BYTES))
            file.seek(max(0, size - END_BYTES))
            seen.update(file.read(END_BYTES))
    return seen.hexdigest()[:16]
