"""The cache of huggingface_hub, which llama.cpp and others use too.

`models--org--name/snapshots/<revision>/…` are links to `blobs/<hash>`, named by their SHA-256 where
a file is large. Several revisions may lead to one blob; the one that `refs/main` names comes first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from edgemind.catalog.places.base import (
    Found,
    folders,
    gguf_files,
    quantisation,
    read_json,
    tagged,
)

_SHA256 = re.compile(r"[0-9a-f]{64}")
DECODERS = ("model", "decoder_model_merged", "decoder_model")


def find(home: Path, environment: Mapping[str, str]) -> Iterator[Found]:
    """GGUF files, and ONNX models of decoders, in the cache."""
    for cache in folders(*caches(home, environment)):
        for folder in sorted(cache.glob("models--*--*")):
            repo = folder.name.removeprefix("models--").replace("--", "/", 1)
            for revision in _revisions(folder):
                for path in gguf_files(revision):
                    quant = quantisation(path.stem)
                    blob = path.resolve().name
                    digest = blob if _SHA256.fullmatch(blob) else None
                    yield Found("huggingface", tagged(repo, quant), path, repo, quant, digest)
                if is_onnx_decoder(revision):
                    yield Found("huggingface", repo, revision, repo)
                    break  # another revision is no other model


def caches(home: Path, environment: Mapping[str, str]) -> Iterator[str | Path | None]:
    """Where the cache may be. What the environment names takes the place of what comes after."""
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        if given := environment.get(name):
            yield given
            return
    if given := environment.get("HF_HOME"):
        yield Path(given, "hub")
        return
    if given := environment.get("XDG_CACHE_HOME"):
        yield Path(given, "huggingface", "hub")
        return
    yield home / ".cache" / "huggingface" / "hub"


def _revisions(folder: Path) -> list[Path]:
    """A model's snapshots, the current one first."""
    snapshots = sorted(one for one in folder.glob("snapshots/*") if one.is_dir())
    try:
        current = (folder / "refs" / "main").read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        current = ""
    return sorted(snapshots, key=lambda one: one.name != current)


def is_onnx_decoder(folder: Path) -> bool:
    """Whether a folder holds a language model's graph and what is needed to run it."""
    graphs = [*folder.glob("*.onnx"), *folder.glob("onnx/*.onnx")]
    if not any(graph.stem.startswith(DECODERS) and graph.is_file() for graph in graphs):
        return False
    if not (folder / "tokenizer.json").is_file():
        return False
    if (folder / "genai_config.json").is_file():
        return True
    config = read_json(folder / "config.json")
    kinds = config.get("architectures") if isinstance(config, dict) else None
    return isinstance(kinds, list) and any(
        str(kind).endswith(("ForCausalLM", "LMHeadModel")) for kind in kinds
    )
