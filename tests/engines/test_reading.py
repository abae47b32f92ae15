"""What an engine expects of a text is what it draws from, step by step."""

from __future__ import annotations

import numpy as np
import pytest

from edgemind.engines.base import Engine
from edgemind.engines.reading import CHUNK_TOKENS, predictions
from edgemind.engines.scripted import ScriptedEngine
from edgemind.errors import ContextFull, ModelUnsupported
from tests.engines.branches import GREEDY, PROMPT, is_idle


def test_predictions_are_what_steps_draw_from(engine: Engine) -> None:
    branch = engine.prefill(PROMPT, GREEDY)
    drawn = [engine.step([branch])[0] for _ in range(CHUNK_TOKENS)]
    engine.drop(branch)
    text = [*PROMPT, *(token.id for token in drawn)]
    rows = np.concatenate([*predictions(engine, text)]).astype(np.float64)
    assert rows.shape == (len(text), 600)
    rows -= np.log(np.exp(rows).sum(axis=1, keepdims=True))
    for row, token in zip(rows[len(PROMPT) - 1 :], drawn, strict=False):
        assert row.argmax() == token.id
        assert row.max() == pytest.approx(token.logprob, abs=5e-3)
    assert is_idle(engine)


def test_reading_may_be_left_at_any_piece(engine: Engine) -> None:
    reading = predictions(engine, [*range(40, 140)])
    next(reading)
    reading.close()  # type: ignore[attr-defined]
    assert is_idle(engine)
    assert sum(len(piece) for piece in predictions(engine, PROMPT)) == len(PROMPT)


def test_a_text_longer_than_the_context(engine: Engine) -> None:
    with pytest.raises(ContextFull, match="1537 tokens do not fit into a context of 1536"):
        predictions(engine, [40] * 1537)


def test_an_engine_without_logits() -> None:
    with pytest.raises(ModelUnsupported, match="ScriptedEngine does not tell"):
        predictions(ScriptedEngine([["a"]]), [1, 2])
