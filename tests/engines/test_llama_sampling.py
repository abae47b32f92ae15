"""What llama.cpp's sampler chain and a row of its logits say, against plain arithmetic."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

from edgemind.engines.llama import LlamaEngine
from edgemind.engines.llama.chain import Seen
from edgemind.errors import ModelError
from tests.engines.branches import DRAWN, GREEDY, PROMPT


def test_logprob_and_margin_are_those_of_a_softmax(llama: LlamaEngine) -> None:
    branch = llama.prefill(PROMPT, DRAWN)
    for _ in range(5):
        [token] = llama.step([branch])
        pointer = llama._api.llama_get_logits_ith(llama._context, 0)
        row = ctypes.cast(pointer, ctypes.POINTER(ctypes.c_float))
        logits = np.ctypeslib.as_array(row, shape=(llama.vocabulary.size,)).astype(np.float64)
        shifted = logits - logits.max()
        expected = shifted - np.log(np.exp(shifted).sum())
        assert token.logprob == pytest.approx(expected[token.id], abs=1e-4)
        best = np.sort(logits)
        assert token.margin == pytest.approx(best[-1] - best[-2], abs=1e-6)
        assert token.confidence is None


def test_measuring_leaves_the_logits_as_they_were() -> None:
    logits = np.random.default_rng(1).normal(size=60).astype(np.float32)
    before = logits.copy()
    seen = Seen.of(logits, True)
    logprob, margin, sure = seen.logprob(3), seen.margin, seen.confidence
    assert np.array_equal(logits, before)
    expected = before - np.log(np.exp(before.astype(np.float64)).sum())
    assert logprob == pytest.approx(expected[3], abs=1e-5)
    assert margin == pytest.approx(np.sort(before)[-1] - np.sort(before)[-2])
    assert sure == pytest.approx(-np.sort(expected)[-20:].mean(), abs=1e-5)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_numbers_that_are_none(
    llama: LlamaEngine, monkeypatch: pytest.MonkeyPatch, bad: float
) -> None:
    branch = llama.prefill(PROMPT, GREEDY)
    row = np.zeros(llama.vocabulary.size, np.float32)
    row[7] = bad
    monkeypatch.setattr(llama._sampler, "_logits_of", lambda *_: row)
    with pytest.raises(ModelError, match="numbers that are none"):
        llama.step([branch])
    monkeypatch.undo()
    llama.drop(branch)
    assert llama.step([llama.prefill(PROMPT, GREEDY)])


def test_end_of_generation_tokens(llama: LlamaEngine) -> None:
    ends = [token for token in range(llama.vocabulary.size) if llama.vocabulary.is_end(token)]
    texts = {llama.vocabulary.text_of(token) for token in ends}
    assert {"<|im_end|>", "<|endoftext|>"} <= texts
    branches = llama.fork(llama.prefill(PROMPT, GREEDY), [DRAWN] * 1)
    for _ in range(1400):
        [token] = llama.step(branches)
        assert token.end == (token.id in ends)
        if token.end:
            assert token.text in ("", "\ufffd")
            return
    pytest.fail("no end in 1,400 tokens")
