"""llama.cpp's own cache: `org_repo_file.gguf`, and manifests that say where the name is cut.

Newer versions use the cache of Hugging Face instead.
"""

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
    """GGUF files, named as on Hugging Face where a file beside them tells."""
    given = environment.get("LLAMA_CACHE")
    cache = Path(environment.get("XDG_CACHE_HOME") or home / ".cache")
    usual = (cache / "llama.cpp", home / "Library" / "Caches" / "llama.cpp")
    for folder in folders(*((given,) if given else usual)):
        repos = dict(_manifests(folder))
        for path in gguf_files(folder):
            quant = quantisation(path.stem)
            repo = _fetched_from(path) or next(
                (repo for start, repo in repos.items() if path.name.startswith(start)), None
            )
            name = tagged(repo, quant) if repo else called(path.stem)
            yield Found("llamacpp", name, path, repo, quant)


def _manifests(folder: Path) -> Iterator[tuple[str, str]]:
    """How the names of a repository's files begin, and the repository."""
    for path in sorted(folder.glob("manifest=*=*=*.json")):
        _, org, repo, *_ = path.name.split("=")
        yield f"{org}_{repo}_", f"{org}/{repo}"


def _fetched_from(path: Path) -> str | None:
    """The repository in the URL that older versions kept beside a file."""
    url = text_of(read_json(path.with_name(f"{path.name}.json")), "url") or ""
    before, cut, _ = url.partition("/resolve/")
    parts = before.split("/")
    return "/".join(parts[-2:]) if cut and len(parts) >= 5 else None
