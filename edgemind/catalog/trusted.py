"""Which model files were tried before and did no harm: one small file for each, in a folder.

A model is known by its files' paths, sizes, modification times and inodes, so that gigabytes are
not hashed at each start: whatever is written into a file makes it unknown again. Another version
of the checks or of the engine's library makes all of them unknown. One file for each model, put in
its place at once, needs no lock between two processes.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Self

from edgemind.folders import replace_file


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What a file is known by: its path, and what a symbolic link there leads to.

    The path keeps its links: a part of a split model may come to be another file through them.
    """

    path: str
    bytes: int
    modified_ns: int
    inode: int

    @classmethod
    def of(cls, path: Path) -> Self:
        """The fingerprint of the file as it is now; `OSError` where there is none."""
        known = path.stat()
        return cls(os.path.abspath(path), known.st_size, known.st_mtime_ns, known.st_ino)


class TrustedFiles:
    """The models that were tried, in `folder`; `version` tells of a model what would try it now."""

    def __init__(self, folder: Path, version: Callable[[Path], str]) -> None:
        self._folder = folder
        self._version = version

    def holds(self, path: Path) -> bool:
        """Whether the model at `path`, all its parts, is as it was when it was tried."""
        try:
            entry = json.loads(self._file(path).read_text(encoding="utf-8"))
            files = [Fingerprint(*one) for one in entry["files"]]
            if entry["version"] != self._version(path) or not files:
                return False
            return all(known == Fingerprint.of(Path(known.path)) for known in files)
        except (OSError, ValueError, LookupError, TypeError, RecursionError):
            return False  # no entry, or none of ours: try it again

    def template(self, path: Path) -> str | None:
        """The hash of the chat template of the model at `path`, as noted when it was tried."""
        try:
            noted = json.loads(self._file(path).read_text(encoding="utf-8"))["template"]
        except (OSError, ValueError, LookupError, TypeError, RecursionError):
            return None
        return noted if isinstance(noted, str) else None

    def add(self, path: Path, files: Iterable[Fingerprint], template: str | None = None) -> None:
        """Remember the model at `path` and the hash of its chat template, where that is known.

        Where nothing can be written, it is tried again.
        """
        known = [astuple(one) for one in files]
        entry = {"version": self._version(path), "files": known, "template": template}
        with suppress(OSError):
            # For this person's eyes: it tells which models they use.
            replace_file(self._file(path), json.dumps(entry), private=True)

    def _file(self, path: Path) -> Path:
        name = hashlib.sha256(os.fsencode(os.path.abspath(path))).hexdigest()[:32]
        return self._folder / f"{name}.json"
