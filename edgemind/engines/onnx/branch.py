"""A branch of the ONNX engine: a row of a pack, and what it draws with."""

from __future__ import annotations

import codecs
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from edgemind.engines.base import Branch

if TYPE_CHECKING:
    from edgemind.engines.onnx.grammars import Reading
    from edgemind.engines.onnx.pack import Pack


@dataclass(eq=False, slots=True)
class OnnxBranch(Branch):
    """`pack` and `row` say where its keys and values lie: the first `evaluated` of that row.

    Several branches share a row until they say different things. `chance` is its own stream of
    random numbers, made at its first draw. `reading` is its grammar's state after `judged` tokens.
    """

    pack: Pack | None = None
    row: int = 0
    chance: np.random.Generator | None = None
    reading: Reading | None = None
    judged: int = 0
    decoder: codecs.IncrementalDecoder = field(
        default_factory=lambda: codecs.getincrementaldecoder("utf-8")("replace")
    )
