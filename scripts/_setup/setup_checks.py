"""What set-up looks at on this machine before it starts something long, for setup_install.py."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import tomllib
from collections.abc import Mapping
from pathlib import Path

COMPILERS = {"CC": ("cc", "gcc", "clang"), "CXX": ("c++", "g++", "clang++")}


def pinned_llama(root: Path) -> str | None:
    """The version of llama-cpp-python that pyproject.toml pins."""
    with (root / "pyproject.toml").open("rb") as file:
        dependencies = tomllib.load(file)["project"].get("dependencies", [])
    for dependency in dependencies:
        if match := re.fullmatch(r"llama-cpp-python\s*==\s*(\S+)", dependency):
            return match[1]
    return None


def missing_compilers(environment: Mapping[str, str]) -> str:
    """Which compiler is not there: "C", "C++", "C or C++", or nothing."""
    missing = []
    for (variable, names), word in zip(COMPILERS.items(), ("C", "C++"), strict=True):
        chosen = shlex.split(environment.get(variable, ""))[:1]
        if not any(map(shutil.which, chosen or names)):
            missing.append(word)
    return " or ".join(missing)


def pip_would_write(folder: Path, environment: Mapping[str, str]) -> bool:
    """Whether pip would use this cache folder: as root it refuses one that another user owns.

    An empty HOME would make it a folder in the root of the file system, which nobody means.
    """
    if environment.get("HOME") == "":
        return False
    there = next(path for path in (folder, *folder.parents) if path.exists())
    owned = os.geteuid() != 0 or there.stat().st_uid == 0
    return owned and os.access(there, os.W_OK)


def forget_half_installed(packages: Path) -> None:
    """Drop the metadata of packages whose installation was cut, so that pip installs them again.

    pip writes RECORD last; a package without it looks installed to pip but may lack files.
    """
    for metadata in packages.glob("*.dist-info"):
        if not (metadata / "RECORD").exists():
            remove(metadata)


def holds_files(path: Path) -> bool:
    """Whether this is a file, or a folder with one somewhere inside."""
    if path.is_symlink() or not path.is_dir():
        return True
    return any(files for _, _, files in os.walk(path))


def remove(path: Path) -> None:
    """Remove a file, a link or a folder."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
