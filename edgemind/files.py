"""Small files: a person's, read up to a size with an error that says which one is too large; and
the system's, which may not be there."""

from __future__ import annotations

from pathlib import Path

from edgemind.errors import ConfigError


def read_limited(path: Path, most: int, what: str) -> bytes:
    """The bytes of a file that holds `what`; `ConfigError` for one of more than `most` bytes.

    No more than that is read, whatever the file says of its size: it may be a device or a pipe.
    """
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        raise ConfigError(f"cannot read {what} {path}: {error.strerror or error}") from None
    if len(data) > most:
        raise ConfigError(f"{what} {path} is larger than {size(most)}")
    return data


def read_text(path: Path, most: int, what: str) -> str:
    """The text of such a file; `ConfigError` where it is not UTF-8."""
    try:
        return read_limited(path, most, what).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError(f"{what} {path} is no UTF-8 text") from None


def glance(path: Path, most: int = 1 << 20) -> str:
    """What a small file of `/sys` or `/proc` says, without white space around; empty if nothing."""
    try:
        with path.open("rb") as file:
            return file.read(most).decode("utf-8", "replace").strip()
    except (OSError, ValueError):
        return ""


def size(count: int) -> str:
    """A number of bytes, in words."""
    return f"{count >> 20} MiB" if count >= 1 << 20 else f"{count >> 10} KiB"


def decimal(count: float) -> str:
    """`4.8 MB`, `12 GB`: decimal units, as disks are sold and programs list models."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            return f"{count:.0f} {unit}" if count >= 10 or unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    raise AssertionError("unreachable")
