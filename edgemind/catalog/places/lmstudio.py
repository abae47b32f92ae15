"""LM Studio: `models/<publisher>/<model>/*.gguf`, in a folder that its settings may move."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from edgemind.catalog.places.base import (
    Found,
    called,
    folders,
    gguf_files,
    quantisation,
    read_json,
    tagged,
    text_of,
)


def find(home: Path, environment: Mapping[str, str]) -> Iterator[Found]:
    """GGUF files, named as on Hugging Face, whose layout LM Studio keeps."""
    bases = [home / ".lmstudio", home / ".cache" / "lm-studio"]
    try:
        pointer = (home / ".lmstudio-home-pointer").read_text(encoding="utf-8").strip()
        bases.insert(0, Path(pointer)) if pointer else None
    except (OSError, UnicodeDecodeError):
        pass
    moved = [text_of(read_json(base / "settings.json"), "downloadsFolder") for base in bases]
    for folder in folders(*moved, *(base / "models" for base in bases)):
        for path in gguf_files(folder):
            quant = quantisation(path.stem)
            inside = path.relative_to(folder).parts
            repo = "/".join(inside[:2]) if len(inside) > 2 else None
            name = tagged(repo, quant) if repo else called(path.stem)
            yield Found("lmstudio", name, path, repo, quant)
