"""Branches that say the same are evaluated as one, and part when they say different things."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from edgemind.engines.base import Branch, Engine, Interrupted
from edgemind.engines.llama import LlamaEngine
from edgemind.engines.trails import Trail, mark_evaluated, part, twins
from edgemind.types import Sampling, Token
from tests.engines.branches import DRAWN, GREEDY, OTHER, PROMPT, before_runs, opened

SHARING = ["unified", "concatenating", "in place", "equal", "one token"]
NARROW = dataclasses.replace(DRAWN, top_k=2, temperature=0.5)
"""Twins of this sampling part soon, but not at once."""


@pytest.fixture(params=SHARING)
def sharing(tiny: Path, tiny_onnx: dict[str, Path], request: pytest.FixtureRequest) -> Engine:
    """An engine whose cache can hold one token for several branches."""
    made = opened(request.param, tiny, tiny_onnx, 512, 8)
    request.addfinalizer(made.close)
    return made


def seeded(count: int, base: Sampling = NARROW) -> list[Sampling]:
    return [dataclasses.replace(base, seed=seed) for seed in range(count)]


def said(engine: Engine, children: list[Branch], count: int, apart: bool) -> list[list[Token]]:
    """What each says in so many steps."""
    lines: list[list[Token]] = [[] for _ in children]
    for branch in children if apart else ():
        part(branch)
    for _ in range(count):
        for line, token in zip(lines, engine.step(children), strict=True):
            line.append(token)
    return lines


def test_the_same_samples_as_apart_for_fewer_evaluations(sharing: Engine) -> None:
    found = []
    for apart in (True, False):
        root = sharing.prefill(PROMPT, NARROW)
        children = sharing.fork(root, seeded(8))
        before = sharing.evaluated_tokens
        lines = said(sharing, children, 12, apart)
        found.append((lines, sharing.evaluated_tokens - before))
        for branch in (*children, root):
            sharing.drop(branch)
    (alone, full), (shared, fewer) = found
    assert full == 8 * 12
    texts = [[token.id for token in line] for line in shared]
    assert texts == [[token.id for token in line] for line in alone]
    # One evaluation for each different beginning; what was drawn last was not evaluated yet.
    assert fewer == 1 + len({(*line[:n],) for line in texts for n in range(1, 12)})
    assert 12 < fewer < full
    for one, other in zip(shared, alone, strict=True):
        logprobs = [token.logprob for token in one]
        assert logprobs == pytest.approx([token.logprob for token in other], abs=0.05)


def test_what_is_put_into_mouths_parts_them(sharing: Engine) -> None:
    root = sharing.prefill(PROMPT, GREEDY)
    first, second, third = sharing.fork(root, [GREEDY] * 3)
    sharing.extend(second, OTHER[:5])
    sharing.extend(third, OTHER[:5])
    before = sharing.evaluated_tokens
    tokens = sharing.step([first, second, third])
    assert sharing.evaluated_tokens - before == 1 + 6
    assert tokens[1] == tokens[2]
    sharing.drop(third)
    [alone] = sharing.step([second])
    fresh = sharing.prefill([*PROMPT, *OTHER[:5], tokens[1].id], GREEDY)
    [expected] = sharing.step([fresh])
    assert alone.id == expected.id
    assert alone.logprob == pytest.approx(expected.logprob, abs=0.05)


def test_dropping_one_leaves_the_others_whole(sharing: Engine) -> None:
    root = sharing.prefill(PROMPT, GREEDY)
    children = sharing.fork(root, [GREEDY] * 3)
    lines = said(sharing, children, 4, apart=False)
    sharing.drop(children[0])
    sharing.drop(root)
    [token, same] = sharing.step(children[1:])
    assert token == same
    fresh = sharing.prefill([*PROMPT, *[token.id for token in lines[1]]], GREEDY)
    [expected] = sharing.step([fresh])
    assert token.id == expected.id
    assert token.logprob == pytest.approx(expected.logprob, abs=0.05)


def test_a_cut_step_of_twins_is_stepped_again(
    sharing: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = sharing.prefill(PROMPT, NARROW)
    children = sharing.fork(root, seeded(4))
    sharing.step(children)
    cuts = [True]

    def cut() -> None:
        if cuts:
            sharing.interrupt()

    before_runs(sharing, monkeypatch, cut)
    with pytest.raises(Interrupted):
        sharing.step(children)
    cuts.clear()
    sharing.resume()
    before = sharing.evaluated_tokens
    groups = twins(children)
    sharing.step(children)
    assert sharing.evaluated_tokens - before == len(groups) < 4


def test_who_goes_where_another_went_evaluates_nothing(tiny: Path) -> None:
    engine = LlamaEngine(tiny, context=512, width=8, threads=1)
    try:
        root = engine.prefill(PROMPT, NARROW)
        [alone] = engine.fork(root, [dataclasses.replace(NARROW, seed=0)])
        [expected] = said(engine, [alone], 14, apart=True)
        engine.drop(alone)
        [first] = engine.fork(root, [dataclasses.replace(NARROW, seed=0)])
        [line] = said(engine, [first], 10, apart=False)
        before = engine.evaluated_tokens
        other = engine.fork(root, [dataclasses.replace(NARROW, seed=0)])[0]
        tokens = [engine.step([other])[0] for _ in range(10)]
        assert [token.id for token in tokens] == [token.id for token in line]
        assert [token.logprob for token in tokens] == [token.logprob for token in line]
        assert engine.evaluated_tokens == before, "the same seed went the same way"
        # From here on nobody was: it has to have the keys and values of all that it said.
        more = [engine.step([other])[0] for _ in range(4)]
        assert engine.evaluated_tokens - before == 4
        assert [token.id for token in [*tokens, *more]] == [token.id for token in expected]
        assert more[-1].logprob == pytest.approx(expected[-1].logprob, abs=0.05)
    finally:
        engine.close()


@pytest.mark.parametrize(
    "sampling",
    [
        dataclasses.replace(NARROW, top_k=0),  # would draw from more than is remembered
        dataclasses.replace(NARROW, repeat_penalty=1.3, repeat_last_n=8),
        dataclasses.replace(NARROW, confidence=True),
        dataclasses.replace(NARROW, grammar="root ::= [a-z]*"),
    ],
    ids=["all tokens", "penalised", "confidence", "grammar"],
)
def test_who_draws_from_more_than_is_remembered_evaluates(tiny: Path, sampling: Sampling) -> None:
    engine = LlamaEngine(tiny, context=512, width=8, threads=1)
    try:
        root = engine.prefill(PROMPT, NARROW)
        first, other = engine.fork(root, [NARROW, sampling])
        said(engine, [first], 3, apart=False)
        before = engine.evaluated_tokens
        assert engine.foreseen([other]) == []
        engine.step([other])
        assert engine.evaluated_tokens - before == 1
    finally:
        engine.close()


def test_where_keys_cannot_be_taken_over_nobody_follows(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sliding window may have lost them; streams of their own have them elsewhere."""
    for mode in ("unified", "split"):
        engine = LlamaEngine(tiny, context=256, width=4, threads=1, cache=mode)
        try:
            monkeypatch.setattr(engine, "_windowed", mode == "unified")
            root = engine.prefill(PROMPT, NARROW)
            first, other = engine.fork(root, [NARROW] * 2)
            [line] = said(engine, [first], 4, apart=False)
            before = engine.evaluated_tokens
            assert engine.foreseen([other]) == []
            [again] = said(engine, [other], 4, apart=False)
            assert [token.id for token in again] == [token.id for token in line]
            assert engine.evaluated_tokens - before == 4
        finally:
            engine.close()


def test_a_way_whose_keys_are_gone_is_gone_again(tiny: Path) -> None:
    engine = LlamaEngine(tiny, context=512, width=8, threads=1)
    try:
        root = engine.prefill(PROMPT, NARROW)
        first, second, third = engine.fork(root, [NARROW] * 3)
        [line] = said(engine, [first], 6, apart=False)
        assert engine.foreseen([second, third]) == [second, third]
        said(engine, [second], 3, apart=False)
        engine.drop(first)
        assert engine.foreseen([second, third]) == []
        before = engine.evaluated_tokens
        again = said(engine, [second, third], 3, apart=False)
        # The second has said three without evaluating any: now it does, in one step.
        assert engine.evaluated_tokens - before > 3
        assert [token.id for token in again[1]] == [token.id for token in line[:3]]
        assert [token.id for token in again[0]] == [token.id for token in line[3:]]
    finally:
        engine.close()


def test_long_texts_of_twins_are_evaluated_once(tiny: Path) -> None:
    engine = LlamaEngine(tiny, context=1536, width=4, threads=1)
    try:
        root = engine.prefill(PROMPT, GREEDY)
        children = engine.fork(root, [GREEDY] * 3)
        long = [(7 * i) % 590 for i in range(700)]  # more than a batch
        for branch in children:
            engine.extend(branch, long)
        before = engine.evaluated_tokens
        tokens = engine.step(children)
        assert engine.evaluated_tokens - before == len(long) + 1
        fresh = engine.prefill([*PROMPT, *long], GREEDY)
        [expected] = engine.step([fresh])
        assert {token.id for token in tokens} == {expected.id}
    finally:
        engine.close()


def test_streams_of_their_own_share_nothing(tiny: Path) -> None:
    engine = LlamaEngine(tiny, context=256, width=4, threads=1, cache="split")
    try:
        children = engine.fork(engine.prefill(PROMPT, GREEDY), [GREEDY] * 3)
        before = engine.evaluated_tokens
        assert len({token.id for token in engine.step(children)}) == 1
        assert engine.evaluated_tokens - before == 3
    finally:
        engine.close()


def test_an_old_trail_does_not_join_what_went_different_ways() -> None:
    one, two = (Branch(number, [1, 2], 1, GREEDY) for number in range(2))
    one.trail = two.trail = Trail(1)
    assert twins([one, two]) == [[one, two]]
    one.tokens.append(3)
    two.tokens.append(4)
    for branch in (one, two):
        mark_evaluated([branch], 3)
        branch.tokens.append(9)
    assert twins([one, two]) == [[one], [two]]
