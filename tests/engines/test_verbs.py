"""The five verbs, on tiny random models: llama.cpp with both kinds of cache, two kinds of ONNX."""

from __future__ import annotations

import threading

import pytest

from edgemind.engines.base import Engine, Interrupted
from edgemind.types import Token
from tests.engines.branches import GREEDY, OTHER, PROMPT, before_runs, say, steps

# Prefixes


def test_a_prompt_is_evaluated_but_for_its_last_token(engine: Engine) -> None:
    branch = engine.prefill(PROMPT, GREEDY)
    assert engine.evaluated_tokens == len(PROMPT) - 1
    assert (branch.evaluated, branch.pending) == (len(PROMPT) - 1, PROMPT[-1:])
    engine.step([branch])
    assert engine.evaluated_tokens == len(PROMPT)
    assert len(branch.pending) == 1


def test_a_living_prefix_is_re_used(engine: Engine) -> None:
    first = engine.prefill(PROMPT, GREEDY)
    before = engine.evaluated_tokens
    second = engine.prefill([*PROMPT[:10], *OTHER], GREEDY)
    assert engine.evaluated_tokens - before == len(OTHER) - 1
    alone = steps(engine, second, 6)
    engine.drop(first)
    engine.drop(second)
    assert alone == say(engine, [*PROMPT[:10], *OTHER], 6)


def test_a_kept_prefix_is_re_used(engine: Engine) -> None:
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


def test_without_keep_nothing_is_re_used(engine: Engine) -> None:
    say(engine, PROMPT)
    before = engine.evaluated_tokens
    engine.drop(engine.prefill(PROMPT, GREEDY))
    assert engine.evaluated_tokens - before == len(PROMPT) - 1


def test_the_same_prompt_again_costs_nothing(engine: Engine) -> None:
    engine.drop(engine.prefill(PROMPT, GREEDY), keep=True)
    before = engine.evaluated_tokens
    branch = engine.prefill(PROMPT, GREEDY)
    assert engine.evaluated_tokens == before
    assert branch.pending == PROMPT[-1:]


def test_an_interrupted_prefill_goes_on_where_it_was(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = [(7 * i) % 590 for i in range(1400)]
    expected = say(engine, long)
    calls = []

    def cut() -> None:
        calls.append(1)
        if len(calls) == 3:
            engine.interrupt()

    before_runs(engine, monkeypatch, cut)
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


def test_interrupting_from_another_thread_at_any_moment(engine: Engine) -> None:
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
    assert branch.evaluated == len(long) - 1
    [token] = engine.step([branch])
    engine.drop(branch)
    fresh = engine.prefill(long, GREEDY)
    [expected] = engine.step([fresh])
    assert token.logprob == pytest.approx(expected.logprob, abs=0.05)


def test_an_interrupted_step_is_stepped_again(engine: Engine) -> None:
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


def test_a_fork_costs_nothing_and_says_the_same(engine: Engine) -> None:
    expected = say(engine, PROMPT)
    root = engine.prefill(PROMPT, GREEDY)
    before = engine.evaluated_tokens
    children = engine.fork(root, [GREEDY] * 3)
    assert engine.evaluated_tokens == before
    for child in children:
        assert steps(engine, child, 8) == expected
    assert steps(engine, root, 8) == expected


def test_a_fork_in_the_middle_of_an_answer(engine: Engine) -> None:
    expected = say(engine, PROMPT)
    branch = engine.prefill(PROMPT, GREEDY)
    said = steps(engine, branch, 4)
    [child] = engine.fork(branch, [GREEDY])
    engine.drop(branch)
    assert said + steps(engine, child, 4) == expected


def test_a_batch_says_what_its_branches_say_alone(engine: Engine) -> None:
    prompts = [PROMPT, OTHER, PROMPT[:7], [*PROMPT, *OTHER]]
    expected = [say(engine, prompt) for prompt in prompts]
    branches = [engine.prefill(prompt, GREEDY) for prompt in prompts]
    said: list[list[Token]] = [engine.step(branches) for _ in range(8)]
    assert [[token.id for token in one] for one in zip(*said, strict=True)] == expected


def test_the_order_in_a_batch_is_the_callers(engine: Engine) -> None:
    branches = [engine.prefill(prompt, GREEDY) for prompt in (PROMPT, OTHER, PROMPT[:5])]
    forward = [token.id for token in engine.step(engine.fork(branches[0], [GREEDY]))]
    again = [engine.fork(branch, [GREEDY])[0] for branch in branches[:1]]
    backward = engine.step([branches[2], branches[1], again[0]])
    assert backward[2].id == forward[0]


def test_branches_of_one_batch_may_have_different_amounts_pending(engine: Engine) -> None:
    expected = say(engine, [*PROMPT, *OTHER])
    other = say(engine, OTHER)
    branch, beside = engine.prefill(PROMPT, GREEDY), engine.prefill(OTHER, GREEDY)
    engine.extend(branch, OTHER)
    said = [engine.step([branch, beside]) for _ in range(8)]
    assert [pair[0].id for pair in said] == expected
    assert [pair[1].id for pair in said] == other


def test_more_than_a_batch_pending(engine: Engine) -> None:
    long = [(7 * i) % 590 for i in range(1200)]
    expected = engine.step([engine.prefill([*PROMPT, *long], GREEDY)])[0]
    branch, beside = engine.prefill(PROMPT, GREEDY), engine.prefill(OTHER, GREEDY)
    engine.extend(branch, long)
    token, _ = engine.step([branch, beside])
    assert token.logprob == pytest.approx(expected.logprob, abs=0.05)
    assert branch.evaluated == len(PROMPT) + len(long)


def test_an_empty_step(engine: Engine) -> None:
    assert engine.step([]) == []
