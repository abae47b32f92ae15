"""Sound GGUF files of two kilobytes, different from each other by the name that they give."""

from __future__ import annotations

from pathlib import Path

from edgemind.catalog.gguf_types import STRING, UINT16
from fuzz_seeds import Pair, header, model_pairs

TOKENS = [b"t%d" % number for number in range(10)]
EMBEDDING = (b"token_embd.weight", (32, 10), 0, 0)
INT32 = 5


def gguf(path: Path, name: str | None = None, *further: Pair) -> Path:
    """Write a model that calls itself `name`; its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    called: Pair = ("general.name", STRING, (name or path.stem).encode())
    data = header([*model_pairs(TOKENS), called, *further], [EMBEDDING], data=bytes(1280))
    path.write_bytes(data)
    return path


def vocabulary(path: Path) -> Path:
    """Write a file with a vocabulary and no weights."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(header([*model_pairs(TOKENS), ("general.name", STRING, b"v")], []))
    return path


def adapter(path: Path) -> Path:
    """Write what a LoRA's file says of itself."""
    return gguf(path, None, ("general.type", STRING, b"adapter"))


def parts(folder: Path, stem: str, count: int = 2) -> Path:
    """Write a model in parts; the first one's path."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        split: list[Pair] = [
            ("split.no", UINT16, number),
            ("split.count", UINT16, count),
            ("split.tensors.count", INT32, count),
            ("general.name", STRING, stem.encode()),
        ]
        keys = model_pairs(TOKENS) if number == 0 else []
        tensor = EMBEDDING if number == 0 else (b"blk.%d.x" % number, (32, 10), 0, 0)
        data = header([*keys, *split], [tensor], data=bytes(1280))
        (folder / f"{stem}-{number + 1:05d}-of-{count:05d}.gguf").write_bytes(data)
    return folder / f"{stem}-00001-of-{count:05d}.gguf"
