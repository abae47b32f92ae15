"""Jan: a folder for each model, with a `model.yml` that names the file, here or elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from edgemind.catalog.places.base import (
    Found,
    folders,
    gguf_files,
    is_candidate,
    quantisation,
    read_json,
    text_of,
)

_FILE = re.compile(r"""^model_path:\s*["']?(?P<path>[^"'\n#]+?)["']?\s*$""", re.MULTILINE)
MAX_YAML_BYTES = 1 << 20


def find(home: Path, environment: Mapping[str, str]) -> Iterator[Found]:
    """Models that Jan fetched or was shown, by its names for them."""
    for data in folders(*_data_folders(home, environment)):
        for models in folders(data / "llamacpp" / "models", data / "models"):
            named: set[Path] = set()
            for description in sorted(models.rglob("model.yml")):
                path = _named(description, data)
                if path is not None and is_candidate(path):
                    named.add(path.resolve())
                    name = "/".join(description.parent.relative_to(models).parts)
                    yield Found("jan", name, path, None, quantisation(path.stem))
            for path in gguf_files(models):
                if path.resolve() not in named:
                    name = "/".join(path.parent.relative_to(models).parts) or path.stem
                    yield Found("jan", name, path, None, quantisation(path.stem))


def _data_folders(home: Path, environment: Mapping[str, str]) -> Iterator[str | Path | None]:
    config = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
    share = Path(environment.get("XDG_DATA_HOME") or home / ".local" / "share")
    mac = home / "Library" / "Application Support"
    for base in (config / "Jan", share / "Jan", mac / "Jan"):
        yield text_of(read_json(base / "settings.json"), "data_folder")
        yield base / "data"
    yield home / "jan"


def _named(description: Path, data: Path) -> Path | None:
    """The file that a model.yml names: absolute, in Jan's data folder, or beside it."""
    try:
        if description.stat().st_size > MAX_YAML_BYTES:
            return None
        match = _FILE.search(description.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return None
    if match is None:
        return None
    path = Path(match["path"].strip())
    if path.is_absolute():
        return path
    return next(
        (one for base in (data, description.parent) if (one := base / path).is_file()), None
    )
