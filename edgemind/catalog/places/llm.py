"""llm and its plug-ins llm-gguf and llm-llama-cpp: a JSON file with names and paths."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from edgemind.catalog.places.base import (
    Found,
    called,
    folders,
    gguf_files,
    is_candidate,
    quantisation,
    read_json,
    text_of,
)

APP = "io.datasette.llm"


def find(home: Path, environment: Mapping[str, str]) -> Iterator[Found]:
    """Models that were fetched or registered, by the names that `llm models` lists."""
    config = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
    mac = home / "Library" / "Application Support"
    given = environment.get("LLM_USER_PATH")
    for user in folders(*((given,) if given else (config / APP, mac / APP))):
        for plugin in folders(user / "gguf", user / "llama-cpp"):
            named: set[Path] = set()
            models = read_json(plugin / "models.json")
            for name, model in sorted(models.items() if isinstance(models, dict) else ()):
                text = text_of(model, "path")
                if text and is_candidate(path := Path(text).expanduser()):
                    named.add(path.resolve())
                    yield Found("llm", name, path, None, quantisation(path.stem))
            for path in gguf_files(plugin / "models"):
                if path.resolve() not in named:
                    yield Found("llm", called(path.stem), path, None, quantisation(path.stem))
