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
    from edgemind.engines.onnx.runner import Logits


@dataclass(eq=False, slots=True)
class OnnxBranch(Branch):
    """`pack` and `row` say where its keys and values lie: the first `evaluated` of that row.

    Several branches share a row while they say the same, or while only one of them grows. `chance`
    is its own stream of random numbers, made at its first draw. `reading` is its grammar's state
    after `judged` tokens. `ahead` are logits that a prompt's run gave already, and of how many
    tokens: the next step draws from them if there are still as many.
    """

    pack: Pack | None = None
    row: int = 0
    chance: np.random.Generator | None = None
    reading: Reading | None = None
    judged: int = 0
    ahead: tuple[int, Logits] | None = None
    decoder: codecs.IncrementalDecoder = field(
        default_factory=lambda: codecs.getincrementaldecoder("utf-8")("replace")
    )
