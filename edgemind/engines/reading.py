"""What a model expects after each token of a given text: for judging a model, never for answers.

Beside the five verbs, since these draw tokens and hide what was expected. `predictions` evaluates
a text from nothing and gives the logits of every token.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from edgemind.engines.base import Engine
from edgemind.errors import ContextFull, ModelUnsupported

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from edgemind.engines.llama.engine import LlamaEngine
    from edgemind.engines.onnx.engine import OnnxEngine

    Logits = npt.NDArray[np.float32]

CHUNK_TOKENS = 32
"""So few that the logits of a large vocabulary stay small (20 MB)."""


def predictions(engine: Engine, tokens: Sequence[int]) -> Iterator[Logits]:
    """Logits of (some tokens, vocabulary), piece by piece; a row says what comes after its token.

    No branch is left behind, however far it was read. Raises `ContextFull` for a text that is
    longer than the context, `ModelUnsupported` for an engine without logits, what verbs raise.
    """
    if len(tokens) > engine.context_length:
        raise ContextFull(
            f"{len(tokens)} tokens do not fit into a context of {engine.context_length}"
        )
    from edgemind.engines.llama import LlamaEngine
    from edgemind.engines.onnx import OnnxEngine

    if isinstance(engine, LlamaEngine):
        return _llama(engine, tokens)
    if isinstance(engine, OnnxEngine):
        return _onnx(engine, tokens)
    raise ModelUnsupported(f"a {type(engine).__name__} does not tell what it expects")


def _pieces(tokens: Sequence[int]) -> Iterator[Sequence[int]]:
    for at in range(0, len(tokens), CHUNK_TOKENS):
        yield tokens[at : at + CHUNK_TOKENS]


def _llama(engine: LlamaEngine, tokens: Sequence[int]) -> Iterator[Logits]:
    import numpy as np

    from edgemind.engines.llama.sampling import LlamaBranch
    from edgemind.types import Sampling

    api, cache, batch = engine._api, engine._cache, engine._batch
    shape = (engine.vocabulary.size,)

    def begin() -> LlamaBranch:
        sequence = cache.new_sequence()
        branch = LlamaBranch(sequence, [*tokens], 0, Sampling(temperature=0.0))
        cache.branches[sequence] = branch
        engine._sampler.begin(branch)
        return branch

    def read(piece: Sequence[int]) -> Logits:
        batch.clear()
        batch.add(piece, branch.evaluated, [branch.sequence], last_logits=True)
        for row in range(len(piece)):
            batch.raw.logits[row] = 1
        engine._decode([[branch]])
        branch.evaluated += len(piece)
        pointers = [api.llama_get_logits_ith(engine._context, row) for row in range(len(piece))]
        floats = ctypes.POINTER(ctypes.c_float)
        return np.array([np.ctypeslib.as_array(ctypes.cast(p, floats), shape) for p in pointers])

    branch = engine._worker.call(begin, engine.interrupt)
    try:
        for piece in _pieces(tokens):
            yield engine._worker.call(lambda piece=piece: read(piece), engine.interrupt)  # type: ignore[misc]
    finally:
        engine.drop(branch)


def _onnx(engine: OnnxEngine, tokens: Sequence[int]) -> Iterator[Logits]:
    import numpy as np

    from edgemind.engines.onnx.branch import OnnxBranch
    from edgemind.types import Sampling

    cache = engine._cache
    branch = OnnxBranch(next(engine._numbers), [*tokens], 0, Sampling(temperature=0.0))

    def begin() -> None:
        cache.forget_kept()
        engine._admit(branch)

    def read(piece: Sequence[int]) -> Logits:
        # One by one, as an answer is made: graphs give the logits of the last token alone.
        rows = []
        for token in piece:
            rows.append(cache.advance([branch], np.array([[token]]))[0].copy())
            branch.evaluated += 1
        return np.array(rows)

    engine._worker.call(begin, engine.interrupt)
    try:
        for piece in _pieces(tokens):
            yield engine._worker.call(lambda piece=piece: read(piece), engine.interrupt)  # type: ignore[misc]
    finally:
        engine.drop(branch)
