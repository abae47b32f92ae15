"""Which files a build holds, with their hashes: written beside it, and compared between builds.

    python packaging/frozen/listing.py compare ONE.files OTHER.files

prints what differs. Exit code 0: the same bytes; 1: other files; 3: the same files, other bytes.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

SAME, OTHER_FILES, USAGE, OTHER_BYTES = 0, 1, 2, 3


def listing(tree: Path) -> str:
    """A line for each file: hash (or where a link leads), bytes, path; sorted by path."""
    lines = []
    for path in sorted(tree.rglob("*"), key=lambda one: one.relative_to(tree).as_posix()):
        name = path.relative_to(tree).as_posix()
        if path.is_symlink():
            lines.append(f"->{os.readlink(path)} 0 {name}")
        elif path.is_file():
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            lines.append(f"{digest} {path.stat().st_size} {name}")
    return "".join(f"{line}\n" for line in lines)


def sums(files: Sequence[Path]) -> str:
    """What `sha256sum --check` reads."""
    return "".join(
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in sorted(files)
    )


def compare(one: str, other: str) -> tuple[int, list[str]]:
    """Exit code and lines that say what differs between two listings."""
    first, second = _read(one), _read(other)
    lines = [f"only in the first: {name}" for name in sorted(first.keys() - second.keys())]
    lines += [f"only in the second: {name}" for name in sorted(second.keys() - first.keys())]
    if lines:
        return OTHER_FILES, lines
    lines = [f"other bytes: {name}" for name in sorted(first) if first[name] != second[name]]
    return (OTHER_BYTES if lines else SAME), lines


def _read(text: str) -> dict[str, str]:
    pairs = (line.split(" ", 2) for line in text.splitlines())
    return {name: digest for digest, _, name in pairs}


def main(arguments: Sequence[str]) -> int:
    """The command line."""
    if len(arguments) != 3 or arguments[0] != "compare":
        print("usage: listing.py compare ONE.files OTHER.files", file=sys.stderr)
        return USAGE
    code, lines = compare(*(Path(one).read_text(encoding="utf-8") for one in arguments[1:]))
    print("\n".join(lines) if lines else "the same files with the same bytes")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
