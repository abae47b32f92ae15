"""ollama: `manifests/<host>/<namespace>/<model>/<tag>` name blobs, which carry their SHA-256."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from edgemind.catalog.places.base import Found, folders, read_json

WEIGHTS = "application/vnd.ollama.image.model"
_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
_USUAL = ("registry.ollama.ai", "library")


def find(home: Path, environment: Mapping[str, str]) -> Iterator[Found]:
    """Models of one GGUF blob, by the name that ollama lists them under."""
    given = environment.get("OLLAMA_MODELS")
    system = Path("/usr/share/ollama/.ollama/models") if sys.platform == "linux" else None
    for store in folders(given, home / ".ollama" / "models", None if given else system):
        for manifest in sorted(store.glob("manifests/*/*/*/*")):
            if (found := _found(store, manifest)) is not None:
                yield found


def _found(store: Path, manifest: Path) -> Found | None:
    host, namespace, model, tag = manifest.parts[-4:]
    content = read_json(manifest)
    layers = content.get("layers") if isinstance(content, dict) else None
    weights = [
        layer.get("digest")
        for layer in (layers if isinstance(layers, list) else [])
        if isinstance(layer, dict) and layer.get("mediaType") == WEIGHTS
    ]
    if len(weights) != 1:
        return None  # none, or cut into blobs that no other program can open
    digest = _DIGEST.fullmatch(str(weights[0]))
    if digest is None:
        return None
    blobs = store / "blobs"
    path = next(
        (one for mark in "-:" if (one := blobs / f"sha256{mark}{digest[1]}").is_file()), None
    )
    if path is None:
        return None
    repo = f"{namespace}/{model}" if host in ("hf.co", "huggingface.co") else None
    parts = [host, namespace, model]
    while len(parts) > 1 and parts[0] in _USUAL:
        del parts[0]
    name = f"{'/'.join(parts)}:{tag}"
    return Found("ollama", name, path, repo, tag.upper() if repo else None, digest[1])
