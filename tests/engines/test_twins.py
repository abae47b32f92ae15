"""Branches that say the same are evaluated as one, and part when they say different things."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from edgemind.engines.base import Branch, Engine, Interrupted, mark_evaluated, twins
from edgemind.engines.llama import LlamaEngine
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
        mark_evaluated([branch], branch.evaluated)
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


def test_an_old_trail_does_not_join_what_went_different_ways(tiny: Path) -> None:
    one, two = (Branch(number, [1, 2], 1, GREEDY) for number in range(2))
    two.trail = one.trail
    assert twins([one, two]) == [[one, two]]
    one.tokens.append(3)
    two.tokens.append(4)
    mark_evaluated([one], 3)
    mark_evaluated([two], 3)
    one.tokens.append(9)
    two.tokens.append(9)
    assert twins([one, two]) == [[one], [two]]
