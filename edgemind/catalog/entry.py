"""What the catalogue says of a model: values that `edgemind.catalog.library` reads and writes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from edgemind.errors import ConfigError

How = Literal["bundled", "link", "copy", "move", "pull"]

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*(?:[/:][A-Za-z0-9._+-]+)*")
MAX_NAME: Final = 128


@dataclass(frozen=True, slots=True)
class Facts:
    """What is kept of a model for lists, so that no file is read for them.

    `modified_ns` is the main file's; `bytes` are those of all files.
    """

    bytes: int
    modified_ns: int
    architecture: str
    parameters: int
    quantisation: str
    context: int
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Own:
    """A file that edgemind put there, as it was then."""

    path: Path
    bytes: int
    modified_ns: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One model. `path` is what an engine opens: a file or an ONNX folder."""

    id: str
    name: str
    path: Path
    how: How
    source: str
    added: float
    facts: Facts
    aliases: tuple[str, ...] = ()
    default: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Its name and its aliases."""
        return (self.name, *self.aliases)

    @property
    def state(self) -> Literal["", "missing", "changed"]:
        """Whether the main file is still there, and as it was when it was added."""
        if self.how == "bundled":
            return ""
        try:
            known = self.path.stat()
        except OSError:
            return "missing"
        if self.path.is_dir() or known.st_mtime_ns == self.facts.modified_ns:
            return ""
        return "changed"


def check_name(name: str) -> str:
    """`name`, or `ConfigError` where it could be taken for something else."""
    if not _NAME.fullmatch(name) or len(name) > MAX_NAME:
        raise ConfigError(
            f"{name!r} is no name for a model: letters, digits and . _ + - with / or : between, "
            f"at most {MAX_NAME}"
        )
    if name.lower().endswith((".gguf", ".onnx")):
        raise ConfigError(f"{name!r} looks like a file: leave the ending out")
    return name
