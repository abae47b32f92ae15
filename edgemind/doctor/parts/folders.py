"""Where edgemind keeps things: whether it may write there, how much is there, how much may come."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from edgemind.doctor.base import Finding, Site
from edgemind.errors import EdgemindError
from edgemind.files import decimal as size

RANK = 80
LITTLE = 200 << 20
LOOK_SECONDS = 0.15
"""How long a folder is added up; what is larger is "at least"."""


def folders(site: Site) -> Iterator[Finding]:
    """Configuration, data, cache."""
    from edgemind import folders as places

    yield _config()
    kept = {
        "data": (places.data_folder(), "what answers cost, models, calibrations are not kept"),
        "cache": (places.cache_folder(), "what was learned of costs is forgotten each time"),
    }
    for key, (path, loss) in kept.items():
        yield _folder(key, path, loss)


def _config() -> Finding:
    """The configuration is read, never written but by `config edit`."""
    from edgemind.config import config_file, load_config

    path = config_file(os.environ)
    value = {"path": str(path), "exists": path.exists()}
    try:
        load_config()
    except EdgemindError as error:
        inherited = "in the environment" in str(error) or "profile" in str(error)
        action = "mend or unset that variable" if inherited else "edgemind config edit"
        return Finding("config", str(error), value, "problem", action)
    text = f"{path}" if value["exists"] else f"{path}, not there: everything is as it comes"
    return Finding("config", text, value)


def _folder(key: str, path: Path, loss: str) -> Finding:
    there = path.is_dir()
    home = path
    while not home.exists() and home != home.parent:
        home = home.parent
    writable = os.access(home, os.W_OK | os.X_OK) and home.is_dir()
    used, whole = _used(path) if there else (0, True)
    try:
        free: int | None = shutil.disk_usage(home).free
    except OSError:
        free = None
    value = {"path": str(path), "exists": there, "writable": writable, "bytes": used, "free": free}
    text = f"{path}" if there else f"{path}, not there yet"
    text += f", {'' if whole else 'at least '}{size(used)}" if there else ""
    text += "" if free is None else f", {size(free)} free on the disk"
    if not writable:
        text += f"; cannot be written: {loss}"
        action = f"set EDGEMIND_{key.upper()}_DIR to a folder of yours"
        if home.is_dir():
            action = f"make {home} yours (chown, chmod), or {action}"
        return Finding(key, text, value, "note", action)
    if free is not None and free < LITTLE:
        return Finding(key, f"{text}, which is little", value, "note", "make room on that disk")
    return Finding(key, text, value)


def _used(path: Path) -> tuple[int, bool]:
    """Bytes of all files below, as far as it can be read; and whether all were added up."""
    until = time.monotonic() + LOOK_SECONDS
    total = 0
    for folder, _, names in os.walk(path):
        for name in names:
            try:
                total += os.lstat(os.path.join(folder, name)).st_size
            except OSError:
                continue
        if time.monotonic() > until:
            return total, False
    return total, True
