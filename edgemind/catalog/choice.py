"""Which files of a repository are the model that was asked for. Pure: names in, names out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import PurePosixPath
from typing import Final

from edgemind.catalog.finding import PREFERRED
from edgemind.catalog.hub import Remote
from edgemind.catalog.places.base import PART, called, quantisation
from edgemind.catalog.places.huggingface import DECODERS
from edgemind.errors import ModelError, ModelNotFound
from edgemind.formats.onnx_files import SIDE_FILES

SMALL_FIRST: Final = ("q4", "int8", "quantized", "uint8", "q4f16", "", "fp16", "bnb4")
"""Variants of ONNX models, what suits a processor first."""
NOT_MODELS: Final = ("mmproj", "imatrix")


@dataclass(frozen=True, slots=True)
class Choice:
    """A model in a repository: its files, the one to open first. `folder` is it an ONNX model's."""

    quant: str | None
    files: tuple[Remote, ...]
    folder: bool

    @property
    def bytes(self) -> int:
        """All of it."""
        return sum(file.bytes for file in self.files)


def choose(repo: str, files: Sequence[Remote], quant: str | None) -> Choice:
    """The model with this quantisation, or the usual one where none is named.

    Raises `ModelNotFound` with what there is, `ModelError` where parts are missing.
    """
    choices = _gguf(files) or _onnx(files)
    if not choices:
        raise ModelNotFound(f"{repo} holds no GGUF file and no ONNX model of a decoder")
    chosen = _chosen(repo, choices, quant)
    first = PurePosixPath(chosen.files[0].name)
    part = PART.fullmatch(first.stem)
    if part is not None and not chosen.folder and len(chosen.files) != int(part["count"]):
        raise ModelError(
            f"{repo} holds {len(chosen.files)} of the {int(part['count'])} parts of {first}"
        )
    return chosen


def _chosen(repo: str, choices: Sequence[Choice], quant: str | None) -> Choice:
    if quant is not None:
        wanted = quant.casefold()
        own = [one for one in choices if (one.quant or "f32").casefold() == wanted]
        own = own or [one for one in choices if wanted in _file_names(one)]
        if len(own) == 1:
            return own[0]
        names = [one.quant or "f32" for one in choices]
        if own:
            files = ", ".join(one.files[0].name for one in own)
            raise ModelNotFound(f"{repo}:{quant} could be {files}: name the file")
        near = get_close_matches(quant.upper(), [name.upper() for name in names], n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise ModelNotFound(f"{repo} has no {quant}: {hint}It has {', '.join(sorted(names))}")
    if len(choices) == 1:
        return choices[0]
    usual = SMALL_FIRST if choices[0].folder else PREFERRED
    for name in usual:
        own = [one for one in choices if (one.quant or "") == name]
        if len(own) == 1:
            return own[0]
    names = sorted({one.quant or one.files[0].name for one in choices})
    raise ModelNotFound(f"{repo} holds several models; name one of :{', :'.join(names)}")


def _file_names(choice: Choice) -> tuple[str, ...]:
    path = PurePosixPath(choice.files[0].name)
    return (path.name.casefold(), called(path.stem).casefold(), str(path).casefold())


def _gguf(files: Sequence[Remote]) -> list[Choice]:
    """GGUF models, the parts of a split one together."""
    groups: dict[str, list[Remote]] = {}
    for file in sorted(files, key=lambda file: file.name):
        path = PurePosixPath(file.name)
        if path.suffix.lower() == ".gguf" and not any(no in path.name.lower() for no in NOT_MODELS):
            groups.setdefault(str(path.with_name(called(path.stem))), []).append(file)
    return [
        Choice(quantisation(PurePosixPath(name).name), tuple(parts), folder=False)
        for name, parts in groups.items()
    ]


def _onnx(files: Sequence[Remote]) -> list[Choice]:
    """ONNX models of decoders: a graph, its weights, and the files that are needed beside it."""
    beside = [file for file in files if file.name in SIDE_FILES]
    found = []
    for file in files:
        path = PurePosixPath(file.name)
        if path.suffix != ".onnx" or str(path.parent) not in (".", "onnx"):
            continue
        for stem in DECODERS[:2]:
            rest = path.stem.removeprefix(stem)
            if path.stem.startswith(stem) and (not rest or rest.startswith("_")):
                weights = [
                    one
                    for one in files
                    if one.name == f"{file.name}.data" or one.name.startswith(f"{file.name}_data")
                ]
                found.append(Choice(rest[1:] or None, (file, *weights, *beside), folder=True))
                break
    return found
