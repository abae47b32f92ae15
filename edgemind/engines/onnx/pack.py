"""A pack: the past of one run, whose rows are branches, and how rows may lie in it."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

from edgemind.engines.onnx.branch import OnnxBranch
from edgemind.engines.onnx.runner import Array


class Style(Enum):
    """How rows of different lengths lie in one pack."""

    END = "they end together, padding comes first"
    BEGIN = "they begin together, padding comes last"
    EQUAL = "only rows of one length can be run together"


class Pack:
    """The past of one run. `holders[row]` are the branches that lie in a row."""

    def __init__(self, arrays: list[Array], lengths: list[int]) -> None:
        self.arrays = arrays
        self.lengths = lengths
        self.holders: list[list[OnnxBranch]] = [[] for _ in lengths]

    @property
    def slots(self) -> int:
        """Tokens for which each row has room."""
        return int(self.arrays[0].shape[2])

    @property
    def bytes(self) -> int:
        """Bytes of its arrays."""
        return sum(array.nbytes for array in self.arrays)

    def keep_rows(self, rows: Sequence[int]) -> None:
        """Forget all other rows; the arrays hold these alone already."""
        self.lengths = [self.lengths[row] for row in rows]
        self.holders = [self.holders[row] for row in rows]
        for row, holders in enumerate(self.holders):
            for branch in holders:
                branch.row = row


@dataclass(frozen=True, slots=True)
class Source:
    """Where tokens are copied from: a row, and the slot of its first token."""

    pack: Pack | None
    row: int
    at: int

    @classmethod
    def of(cls, pack: Pack | None, row: int, style: Style) -> Source:
        """A row as it lies now; its pack may change while tensor after tensor is copied."""
        ends = pack is not None and style is Style.END
        return cls(pack, row, pack.slots - pack.lengths[row] if pack and ends else 0)


def seen_slots(style: Style, lengths: Array, total: int, new: int) -> Array:
    """Which of `total` slots each row sees, once it has grown by `new` tokens."""
    slots = np.arange(total)
    if style is Style.END:
        return slots >= total - new - lengths[:, None]
    return slots < lengths[:, None] + new


def give_back() -> None:
    """Let the C library return to the system what was freed: glibc keeps up to 64 MiB otherwise.

    onnxruntime's arena frees what a chunk of a prompt took, into a heap that does not shrink.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def view(flat: Array, shape: Iterable[int]) -> Array:
    shape = tuple(shape)
    return flat[: math.prod(shape)].reshape(shape)


def flat_of(array: Array) -> Array:
    """The one-dimensional buffer that an array lies in."""
    base = array
    while base.base is not None and isinstance(base.base, np.ndarray):
        base = base.base
    return base if base.ndim == 1 else base.reshape(-1)
