"""Edgemind's own folder of model files: brought there whole, and removed again.

A folder on the shelf is marked while it is filled or emptied. The mark names the files in it and is
locked by the process that works there, so whatever a killed process leaves can be told from what a
person keeps there, and is swept away. A file is removed only where edgemind put it, while it is
still as it was put.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from edgemind.catalog.entry import Own
from edgemind.database_file import alone
from edgemind.errors import ConfigError

STAGING: Final = ".edgemind-staging"
FETCHING: Final = ".edgemind-fetching"
LOCK: Final = ".lock"
CHUNK_BYTES: Final = 4 << 20
SPARE_BYTES: Final = 256 << 20
"""Of the disk, to be left free."""
Tell = Callable[[int], None]
"""Told how many bytes further something is."""


@dataclass(frozen=True, slots=True)
class Staged:
    """Files in their folder. `sha256` is the main (first) file's where it was read for it."""

    folder: Path
    own: tuple[Own, ...]
    sha256: str | None


@dataclass(frozen=True, slots=True)
class Shelf:
    """The folder of models that edgemind keeps itself."""

    folder: Path

    def holds(self, path: Path) -> bool:
        """Whether a path leads here, links followed but for its own."""
        return path.parent.resolve().is_relative_to(self.folder.resolve())

    @contextmanager
    def stage(
        self,
        name: str,
        files: Sequence[tuple[Path, str]],
        *,
        keep: bool,
        tell: Tell = lambda count: None,
    ) -> Iterator[Staged]:
        """A new folder with these files (source and name in it) while this lasts, and afterwards.

        Where the body raises, it is gone again. They are copied; without `keep` of the sources
        they are hard links where that is possible, and it is the caller's to remove the sources.
        """
        needed = sum(source.stat().st_size for source, _ in files)
        folder = self.folder / f"{plain(name)}-{os.urandom(4).hex()}"
        names = [inside for _, inside in files]
        with self.marked(folder, STAGING, names) as mark:
            try:
                if keep or not _links_work(files[0][0], folder):
                    check_space(self.folder, needed)
                    digests: list[str | None] = [
                        _copy(source, folder / inside, tell) for source, inside in files
                    ]
                else:
                    digests = [None]
                    for source, inside in files:
                        _link(source, folder / inside)
                yield Staged(folder, tuple(as_put(folder / one) for one in names), digests[0])
            except BaseException:
                clear(folder, names)
                raise
            finally:
                mark.unlink(missing_ok=True)
                with suppress(OSError):
                    folder.rmdir()  # where it was cleared

    def remove(self, own: Sequence[Own], forget: Callable[[], None]) -> list[Path]:
        """Remove files that edgemind put here, after `forget`; those that it left, as changed."""
        mine = [one for one in own if self.holds(one.path) and _unchanged(one)]
        left = [one.path for one in own if one not in mine and os.path.lexists(one.path)]
        tops = {self._top(one.path) for one in mine}
        forgotten = False
        for top in sorted(tops):
            names = [str(one.path.relative_to(top)) for one in mine if self._top(one.path) == top]
            with self.marked(top, STAGING, names) as mark:
                if not forgotten:
                    forget()
                    forgotten = True
                clear(top, names)
                mark.unlink(missing_ok=True)
            with suppress(OSError):
                top.rmdir()  # unless a person put something there
        if not forgotten:
            forget()
        return left

    def sweep(self, known: Callable[[], Iterable[Path]]) -> None:
        """Remove what killed processes left half done; `known` gives the models' paths."""
        if not self.folder.is_dir():
            return
        with alone(self.folder / LOCK):
            for mark in self.folder.glob(f"*/{STAGING}"):
                with (
                    suppress(OSError, UnicodeDecodeError),
                    mark.open("r+", encoding="utf-8") as file,
                ):
                    if not _lock(file):
                        continue
                    # Asked now: it may have been added at the last moment of its process.
                    used = {self._top(path) for path in known() if self.holds(path)}
                    if mark.parent.absolute() not in used:
                        clear(mark.parent, file.read().splitlines())
                    mark.unlink(missing_ok=True)
                    mark.parent.rmdir()

    @contextmanager
    def marked(self, folder: Path, kind: str, names: Sequence[str]) -> Iterator[Path]:
        """Mark a folder as being worked in while this lasts; the mark stays unless it is removed.

        The folder is made where there is none. Raises `ConfigError` where another process works
        in it.
        """
        mark = folder / kind
        self.folder.mkdir(parents=True, exist_ok=True)
        with alone(self.folder / LOCK):  # a mark that is not locked yet looks like a dead one's
            folder.mkdir(exist_ok=True)
            file = mark.open("a+", encoding="utf-8")
            held = _lock(file)
        with file:
            if not held:
                raise ConfigError(f"another process works in {folder}: wait for it")
            file.truncate(0)
            file.write("".join(f"{name}\n" for name in names))
            file.flush()
            yield mark

    def _top(self, path: Path) -> Path:
        """The folder on the shelf that a path lies in."""
        inside = path.parent.resolve().relative_to(self.folder.resolve())
        return self.folder.absolute() / (inside.parts[0] if inside.parts else "")


def as_put(path: Path) -> Own:
    """A file as it is now, for the list of our own."""
    known = path.stat()
    return Own(path, known.st_size, known.st_mtime_ns)


def plain(name: str) -> str:
    """A model's name as the name of a folder."""
    return re.sub(r"[^A-Za-z0-9._+-]+", "-", name).strip("-.")[:60] or "model"


def check_space(folder: Path, needed: int) -> None:
    """`ConfigError` where the disk has no room for so many bytes."""
    free = shutil.disk_usage(folder).free
    if needed + SPARE_BYTES > free:
        raise ConfigError(
            f"{needed / 1e9:.1f} GB are needed and {max(0, free - SPARE_BYTES) / 1e9:.1f} GB are "
            f"free at {folder}"
        )


def sync(path: Path) -> None:
    """Wait until a file's bytes are on the disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _copy(source: Path, target: Path, tell: Tell) -> str:
    """Copy a file and read its SHA-256 on the way."""
    seen = hashlib.sha256()
    target.parent.mkdir(parents=True, exist_ok=True)
    with source.open("rb") as reading, target.open("xb") as writing:
        while data := reading.read(CHUNK_BYTES):
            seen.update(data)
            writing.write(data)
            tell(len(data))
        writing.flush()
        os.fsync(writing.fileno())
    return seen.hexdigest()


def _links_work(source: Path, folder: Path) -> bool:
    """Whether a hard link of the file can be made there."""
    trial = folder / ".trial"
    try:
        os.link(source, trial)
    except OSError:
        return False
    trial.unlink()
    return True


def _link(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    os.link(source, target)


def _unchanged(one: Own) -> bool:
    """Whether the file is the one that was put there: no link, of the same size and time."""
    try:
        known = one.path.lstat()
    except OSError:
        return False
    regular = not one.path.is_symlink() and one.path.is_file()
    return regular and (known.st_size, known.st_mtime_ns) == (one.bytes, one.modified_ns)


def clear(folder: Path, names: Iterable[str]) -> int:
    """Remove these files of the folder, and folders in it that are empty then; how many bytes."""
    freed = 0
    for name in names:
        path = folder / name
        if not name or ".." in Path(name).parts or Path(name).is_absolute():
            continue
        with suppress(OSError):
            count = path.lstat().st_size
            path.unlink()
            freed += count
        for above in path.relative_to(folder).parents:
            if str(above) != ".":
                with suppress(OSError):
                    (folder / above).rmdir()
    return freed


def _lock(file: IO[str]) -> bool:
    """Lock an open file for this process, until it is closed; False where another one has it.

    Where the system has no such locks, nobody is there.
    """
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
