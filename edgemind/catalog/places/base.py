"""What the modules of this package have in common: what is found, and how names are read."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

Find = Callable[[Path, Mapping[str, str]], Iterator["Found"]]

MAX_JSON_BYTES: Final = 4 << 20
MAX_DEPTH: Final = 6
MAX_FILES: Final = 20_000
"""In one folder, so that one which was put in the wrong place is not walked for ever."""
PART: Final = re.compile(r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})")
_QUANT: Final = re.compile(
    r"(?:^|[-._])(?P<quant>(?:UD-)?(?:I?Q\d\w*|TQ\d_\d|MXFP4(?:_MOE)?|NVFP4|BF16|F16|FP16|F32))$",
    re.IGNORECASE,
)
_UNFINISHED: Final = re.compile(r"^(incomplete-|downloading_)")


@dataclass(frozen=True, slots=True)
class Found:
    """A model of another program's: what it is called there, and what an engine would open.

    `repo` is `org/repo` where that is known, `quant` what the file's name says (`Q4_K_M`), `sha256`
    the main file's where the program keeps it.
    """

    program: str
    name: str
    path: Path
    repo: str | None = None
    quant: str | None = None
    sha256: str | None = None


def quantisation(stem: str) -> str | None:
    """The quantisation that a file's name ends in: `Q4_K_M`; None where it says none."""
    part = PART.fullmatch(stem)
    match = _QUANT.search(part["stem"] if part else stem)
    return match["quant"].upper() if match else None


def called(stem: str) -> str:
    """A model's name by its file's: without the number of its part."""
    part = PART.fullmatch(stem)
    return part["stem"] if part else stem


def tagged(repo: str, quant: str | None) -> str:
    """`org/repo:QUANT`, or `org/repo` where there is no quantisation to tell."""
    return f"{repo}:{quant}" if quant else repo


def is_candidate(path: Path) -> bool:
    """Whether a file may be a whole GGUF model: no projector, no later part, not half fetched."""
    name = path.name
    if path.suffix.lower() != ".gguf" or _UNFINISHED.match(name):
        return False
    if "mmproj" in name.lower():
        return False
    part = PART.fullmatch(path.stem)
    if part is not None and int(part["number"]) != 1:
        return False
    return path.is_file()


def gguf_files(folder: Path) -> Iterator[Path]:
    """Candidates in a folder and the folders in it, linked ones too, in order of their names."""
    seen = 0
    for here, folders, names in os.walk(folder, followlinks=True):
        folders.sort()
        if len(Path(here).relative_to(folder).parts) >= MAX_DEPTH:
            folders.clear()
        for name in sorted(names):
            seen += 1
            if seen > MAX_FILES:
                return
            if is_candidate(path := Path(here, name)):
                yield path


def read_json(path: Path) -> Any:
    """A file's JSON; None where there is none that can be read."""
    try:
        if path.stat().st_size > MAX_JSON_BYTES:
            return None
        return json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None


def text_of(values: Any, *keys: str) -> str | None:
    """A text inside JSON objects, by a key for each; None where there is none."""
    for key in keys:
        values = values.get(key) if isinstance(values, dict) else None
    return values if isinstance(values, str) and values else None


def folders(*candidates: str | Path | None) -> Iterator[Path]:
    """Those of the candidates that are folders, each once."""
    seen: set[Path] = set()
    for one in candidates:
        if one is None or one == "":
            continue
        path = Path(one)
        try:
            real = path.resolve()
            if path.is_dir() and real not in seen:
                seen.add(real)
                yield path
        except OSError:
            continue
