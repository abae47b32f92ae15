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
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Self


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


def write_private(target: Path, entry: object) -> None:
    """Put a JSON value at `target`, whole or not at all, for this person's eyes.

    It tells which models they use. Where nothing can be written, nothing happens.
    """
    partial = target.with_name(f"{target.name}.{os.getpid()}.tmp")
    with suppress(OSError):
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as to:
                json.dump(entry, to)
            os.replace(partial, target)
        finally:
            partial.unlink(missing_ok=True)


class TrustedFiles:
    """The models that were tried, in `folder`, under this `version` of what tried them."""

    def __init__(self, folder: Path, version: str) -> None:
        self._folder = folder
        self._version = version

    def holds(self, path: Path) -> bool:
        """Whether the model at `path`, all its parts, is as it was when it was tried."""
        try:
            entry = json.loads(self._file(path).read_text(encoding="utf-8"))
            files = [Fingerprint(*one) for one in entry["files"]]
            if entry["version"] != self._version or not files:
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
        entry = {"version": self._version, "files": known, "template": template}
        write_private(self._file(path), entry)

    def _file(self, path: Path) -> Path:
        name = hashlib.sha256(os.fsencode(os.path.abspath(path))).hexdigest()[:32]
        return self._folder / f"{name}.json"
