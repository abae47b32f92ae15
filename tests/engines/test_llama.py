"""The five verbs over llama.cpp, on a tiny random model, with both kinds of cache."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from edgemind.engines.base import Branch, Interrupted
from edgemind.engines.llama import LlamaEngine
from edgemind.engines.llama.engine import measure
from edgemind.engines.scripted import ScriptedEngine
from edgemind.errors import ContextFull
from edgemind.types import Sampling, Token

GREEDY = Sampling(temperature=0.0)
DRAWN = Sampling(temperature=1.0, top_k=0, top_p=1.0, min_p=0.0, seed=11)
PROMPT = [*range(40, 60)]
OTHER = [*range(300, 337)]


def steps(engine: LlamaEngine, branch: Branch, count: int) -> list[int]:
    return [engine.step([branch])[0].id for _ in range(count)]


def say(
    engine: LlamaEngine, tokens: Sequence[int], count: int = 8, sampling: Sampling = GREEDY
) -> list[int]:
    """What comes after a prompt; nothing is left behind."""
    branch = engine.prefill(tokens, sampling)
    said = steps(engine, branch, count)
    engine.drop(branch)
    return said


# Prefixes


def test_a_prompt_is_evaluated_but_for_its_last_token(engine: LlamaEngine) -> None:
    branch = engine.prefill(PROMPT, GREEDY)
    assert engine.evaluated_tokens == len(PROMPT) - 1
    assert (branch.evaluated, branch.pending) == (len(PROMPT) - 1, PROMPT[-1:])
    engine.step([branch])
    assert engine.evaluated_tokens == len(PROMPT)
    assert len(branch.pending) == 1


def test_a_living_prefix_is_re_used(engine: LlamaEngine) -> None:
    first = engine.prefill(PROMPT, GREEDY)
    before = engine.evaluated_tokens
    second = engine.prefill([*PROMPT[:10], *OTHER], GREEDY)
    assert engine.evaluated_tokens - before == len(OTHER) - 1
    alone = steps(engine, second, 6)
    engine.drop(first)
    engine.drop(second)
    assert alone == say(engine, [*PROMPT[:10], *OTHER], 6)


def test_a_kept_prefix_is_re_used(engine: LlamaEngine) -> None:
    expected = say(engine, [*PROMPT, *OTHER])
    branch = engine.prefill(PROMPT, GREEDY)
    said = steps(engine, branch, 3)
    engine.drop(branch, keep=True)
    before = engine.evaluated_tokens
    longer = engine.prefill([*PROMPT, *said, 5, 6], GREEDY)
    # The last token said was pending: it was never evaluated.
    assert engine.evaluated_tokens - before == 2
    engine.drop(longer, keep=True)
    shorter = engine.prefill([*PROMPT, *OTHER], GREEDY)
    assert engine.evaluated_tokens - before == 2 + len(OTHER) - 1
    assert steps(engine, shorter, 8) == expected


def test_without_keep_nothing_is_re_used(engine: LlamaEngine) -> None:
    say(engine, PROMPT)
    before = engine.evaluated_tokens
    engine.drop(engine.prefill(PROMPT, GREEDY))
    assert engine.evaluated_tokens - before == len(PROMPT) - 1


def test_the_same_prompt_again_costs_nothing(engine: LlamaEngine) -> None:
    engine.drop(engine.prefill(PROMPT, GREEDY), keep=True)
    before = engine.evaluated_tokens
    branch = engine.prefill(PROMPT, GREEDY)
    assert engine.evaluated_tokens == before
    assert branch.pending == PROMPT[-1:]


def test_an_interrupted_prefill_goes_on_where_it_was(
    engine: LlamaEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = [(7 * i) % 590 for i in range(1400)]
    expected = say(engine, long)
    decode, calls = engine._decode, []

    def cut(branches: list[object]) -> None:
        calls.append(1)
        if len(calls) == 3:
            engine.interrupt()
        decode(branches)  # type: ignore[arg-type]

    monkeypatch.setattr(engine, "_decode", cut)
    before = engine.evaluated_tokens
    with pytest.raises(Interrupted):
        engine.prefill(long, GREEDY)
    assert engine.evaluated_tokens - before == 2 * 512
    with pytest.raises(Interrupted):
        engine.prefill(long, GREEDY)
    engine.resume()
    branch = engine.prefill(long, GREEDY)
    assert engine.evaluated_tokens - before == len(long) - 1, "nothing was evaluated twice"
    assert steps(engine, branch, 8) == expected


def test_interrupting_from_another_thread_at_any_moment(engine: LlamaEngine) -> None:
    long = [(11 * i) % 590 for i in range(1400)]
    go = threading.Event()

    def press() -> None:
        go.wait(30)
        engine.interrupt()

    thread = threading.Thread(target=press)
    thread.start()
    go.set()
    try:
        branch = engine.prefill(long, GREEDY)
    except Interrupted:
        engine.resume()
        branch = engine.prefill(long, GREEDY)
    thread.join()
    engine.resume()
    assert engine.evaluated_tokens == len(long) - 1
    assert engine._cache.length(branch.sequence) == len(long) - 1
    [token] = engine.step([branch])
    engine.drop(branch)
    fresh = engine.prefill(long, GREEDY)
    [expected] = engine.step([fresh])
    assert token.logprob == pytest.approx(expected.logprob, abs=0.05)


def test_an_interrupted_step_is_stepped_again(engine: LlamaEngine) -> None:
    expected = say(engine, PROMPT)
    branch = engine.prefill(PROMPT, GREEDY)
    said = steps(engine, branch, 3)
    engine.interrupt()
    for _ in range(2):
        with pytest.raises(Interrupted):
            engine.step([branch])
    engine.resume()
    assert said + steps(engine, branch, 5) == expected


# Forks and batches


def test_a_fork_costs_nothing_and_says_the_same(engine: LlamaEngine) -> None:
    expected = say(engine, PROMPT)
    root = engine.prefill(PROMPT, GREEDY)
    before = engine.evaluated_tokens
    children = engine.fork(root, [GREEDY] * 3)
    assert engine.evaluated_tokens == before
    for child in children:
        assert steps(engine, child, 8) == expected
    assert steps(engine, root, 8) == expected


def test_a_fork_in_the_middle_of_an_answer(engine: LlamaEngine) -> None:
    expected = say(engine, PROMPT)
    branch = engine.prefill(PROMPT, GREEDY)
    said = steps(engine, branch, 4)
    [child] = engine.fork(branch, [GREEDY])
    engine.drop(branch)
    assert said + steps(engine, child, 4) == expected


def test_a_batch_says_what_its_branches_say_alone(engine: LlamaEngine) -> None:
    prompts = [PROMPT, OTHER, PROMPT[:7], [*PROMPT, *OTHER]]
    expected = [say(engine, prompt) for prompt in prompts]
    branches = [engine.prefill(prompt, GREEDY) for prompt in prompts]
    said: list[list[Token]] = [engine.step(branches) for _ in range(8)]
    assert [[token.id for token in one] for one in zip(*said, strict=True)] == expected


def test_the_order_in_a_batch_is_the_callers(engine: LlamaEngine) -> None:
    branches = [engine.prefill(prompt, GREEDY) for prompt in (PROMPT, OTHER, PROMPT[:5])]
    forward = [token.id for token in engine.step(engine.fork(branches[0], [GREEDY]))]
    again = [engine.fork(branch, [GREEDY])[0] for branch in branches[:1]]
    backward = engine.step([branches[2], branches[1], again[0]])
    assert backward[2].id == forward[0]


def test_branches_of_one_batch_may_have_different_amounts_pending(engine: LlamaEngine) -> None:
    expected = say(engine, [*PROMPT, *OTHER])
    other = say(engine, OTHER)
    branch, beside = engine.prefill(PROMPT, GREEDY), engine.prefill(OTHER, GREEDY)
    engine.extend(branch, OTHER)
    said = [engine.step([branch, beside]) for _ in range(8)]
    assert [pair[0].id for pair in said] == expected
    assert [pair[1].id for pair in said] == other


def test_more_than_a_batch_pending(engine: LlamaEngine) -> None:
    long = [(7 * i) % 590 for i in range(1200)]
    expected = engine.step([engine.prefill([*PROMPT, *long], GREEDY)])[0]
    branch, beside = engine.prefill(PROMPT, GREEDY), engine.prefill(OTHER, GREEDY)
    engine.extend(branch, long)
    token, _ = engine.step([branch, beside])
    assert token.logprob == pytest.approx(expected.logprob, abs=0.05)
    assert branch.evaluated == len(PROMPT) + len(long)


def test_an_empty_step(engine: LlamaEngine) -> None:
    assert engine.step([]) == []


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
    with pytest.raises(RuntimeError, match="closed"):
        made.prefill(PROMPT, GREEDY)
