"""GPT4All: GGUF files in one folder; half fetched ones are called `incomplete-…`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from edgemind.catalog.places.base import Found, called, folders, gguf_files, quantisation


def find(home: Path, environment: Mapping[str, str]) -> Iterator[Found]:
    """GGUF files of the application's and of its Python library's folder."""
    data = environment.get("XDG_DATA_HOME") or home / ".local" / "share"
    for folder in folders(
        Path(data) / "nomic.ai" / "GPT4All",
        home / "Library" / "Application Support" / "nomic.ai" / "GPT4All",
        home / ".cache" / "gpt4all",
    ):
        for path in gguf_files(folder):
            yield Found("gpt4all", called(path.stem), path, None, quantisation(path.stem))
