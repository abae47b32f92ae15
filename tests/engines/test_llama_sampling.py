"""Sampling over llama.cpp against plain arithmetic, and what the engine refuses."""

from __future__ import annotations

import ctypes
from pathlib import Path

import numpy as np
import pytest

from edgemind.engines.llama import LlamaEngine
from edgemind.engines.llama.chain import measure
from edgemind.engines.scripted import ScriptedEngine
from edgemind.errors import ContextFull
from edgemind.types import Sampling
from tests.engines.branches import DRAWN, GREEDY, OTHER, PROMPT, say

# Sampling


def test_seeds(engine: LlamaEngine) -> None:
    said = say(engine, PROMPT, 12, DRAWN)
    assert say(engine, PROMPT, 12, DRAWN) == said
    root = engine.prefill(PROMPT, GREEDY)
    samplings = [Sampling(**{**SAMPLING, "seed": seed}) for seed in (11, 11, 12)]  # type: ignore[arg-type]
    same, equal, different = engine.fork(root, samplings)
    tokens = [engine.step([same, equal, different]) for _ in range(12)]
    assert [t[0].id for t in tokens] == [t[1].id for t in tokens]
    assert [t[0].id for t in tokens] != [t[2].id for t in tokens]


SAMPLING = {"temperature": 1.0, "top_k": 0, "top_p": 1.0, "min_p": 0.0}


@pytest.mark.parametrize("seed", [0, 1, 0x7FFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF, 0x100000000, -1])
def test_every_seed_gives_the_same_again(engine: LlamaEngine, seed: int) -> None:
    sampling = Sampling(**{**SAMPLING, "seed": seed})  # type: ignore[arg-type]
    assert say(engine, PROMPT, 12, sampling) == say(engine, PROMPT, 12, sampling)


def test_logprob_and_margin_are_those_of_a_softmax(engine: LlamaEngine) -> None:
    branch = engine.prefill(PROMPT, DRAWN)
    for _ in range(5):
        [token] = engine.step([branch])
        pointer = engine._api.llama_get_logits_ith(engine._context, 0)
        row = ctypes.cast(pointer, ctypes.POINTER(ctypes.c_float))
        logits = np.ctypeslib.as_array(row, shape=(engine.vocabulary.size,)).astype(np.float64)
        shifted = logits - logits.max()
        expected = shifted - np.log(np.exp(shifted).sum())
        assert token.logprob == pytest.approx(expected[token.id], abs=1e-4)
        best = np.sort(logits)
        assert token.margin == pytest.approx(best[-1] - best[-2], abs=1e-6)
        assert token.confidence is None


def test_confidence_only_when_asked_for(engine: LlamaEngine) -> None:
    branch = engine.prefill(PROMPT, Sampling(temperature=0.0, confidence=True))
    [token] = engine.step([branch])
    assert token.confidence is not None
    assert token.confidence >= -token.logprob


def test_measuring_leaves_the_logits_as_they_were() -> None:
    logits = np.random.default_rng(1).normal(size=100).astype(np.float32)
    before = logits.copy()
    logprob, margin, sure = measure(logits, 3, True)
    assert np.array_equal(logits, before)
    expected = before - np.log(np.exp(before.astype(np.float64)).sum())
    assert logprob == pytest.approx(expected[3], abs=1e-5)
    assert margin == pytest.approx(np.sort(before)[-1] - np.sort(before)[-2])
    assert sure == pytest.approx(-np.sort(expected)[-20:].mean(), abs=1e-5)


def test_end_of_generation_tokens(engine: LlamaEngine) -> None:
    ends = [token for token in range(engine.vocabulary.size) if engine.vocabulary.is_end(token)]
    texts = {engine.vocabulary.text_of(token) for token in ends}
    assert {"<|im_end|>", "<|endoftext|>"} <= texts
    branches = engine.fork(engine.prefill(PROMPT, GREEDY), [DRAWN] * 1)
    for _ in range(1400):
        [token] = engine.step(branches)
        assert token.end == (token.id in ends)
        if token.end:
            assert token.text in ("", "\ufffd")
            return
    pytest.fail("no end in 1,400 tokens")


# What is refused


def test_dropped_and_foreign_branches(engine: LlamaEngine, tiny: Path) -> None:
    branch = engine.prefill(PROMPT, GREEDY)
    engine.drop(branch)
    engine.drop(branch)
    foreign = ScriptedEngine([["4"]]).prefill(PROMPT, GREEDY)
    for wrong in (branch, foreign):
        with pytest.raises(ValueError, match="dropped"):
            engine.step([wrong])
        with pytest.raises(ValueError, match="dropped"):
            engine.fork(wrong, [GREEDY])
        with pytest.raises(ValueError, match="dropped"):
            engine.extend(wrong, [1])
    with pytest.raises(ValueError, match="dropped"):
        engine.drop(foreign)


def test_a_branch_of_another_llama_engine(engine: LlamaEngine, tiny: Path) -> None:
    other = LlamaEngine(tiny, context=64, width=1, threads=1)
    try:
        foreign = other.prefill(PROMPT, GREEDY)
        mine = engine.prefill(OTHER, GREEDY)
        with pytest.raises(ValueError, match="another engine"):
            engine.step([foreign])
        with pytest.raises(ValueError, match="another engine"):
            engine.drop(foreign)
        assert engine.step([mine])
    finally:
        other.close()


def test_a_branch_twice_too_many_branches_and_wrong_tokens(engine: LlamaEngine) -> None:
    branch = engine.prefill(PROMPT, GREEDY)
    with pytest.raises(ValueError, match="twice"):
        engine.step([branch, branch])
    with pytest.raises(ValueError, match="at most 4"):
        engine.step([branch, *engine.fork(branch, [GREEDY] * 4)])
    for token in (-1, 600, 1 << 40):
        with pytest.raises(ValueError, match="vocabulary"):
            engine.extend(branch, [token])
        with pytest.raises(ValueError, match="vocabulary"):
            engine.prefill([1, token], GREEDY)


def test_prompts_that_do_not_fit(engine: LlamaEngine) -> None:
    with pytest.raises(ContextFull, match="empty"):
        engine.prefill([], GREEDY)
    with pytest.raises(ContextFull, match="1536"):
        engine.prefill([1] * 1536, GREEDY)
    assert engine.step([engine.prefill([1] * 1535, GREEDY)])


def test_all_sequences_in_use(engine: LlamaEngine) -> None:
    root = engine.prefill(PROMPT, GREEDY)
    with pytest.raises(ContextFull, match="sequences"):
        engine.fork(root, [GREEDY] * 6)
    assert len(engine.fork(root, [GREEDY] * 5)) == 5, "a fork that fails leaves nothing behind"
    assert engine.step([root])


def test_closing(tiny: Path) -> None:
    made = LlamaEngine(tiny, context=64, width=1, threads=1)
    branch = made.prefill(PROMPT, GREEDY)
    made.close()
    made.close()
    made.drop(branch)
    made.resume()
    with pytest.raises((ValueError, RuntimeError)):
        made.step([branch])
    for call in (
        lambda: made.prefill(PROMPT, GREEDY),
        lambda: made.vocabulary.encode("x", True),
        lambda: made.vocabulary.specials,
        lambda: made.vocabulary.is_end(7),
        lambda: made.vocabulary.decode([7]),
    ):
        with pytest.raises(RuntimeError, match="closed"):
            call()
