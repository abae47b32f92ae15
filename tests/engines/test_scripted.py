"""The scripted engine keeps the promises of the engine seam: it stands for real ones in tests."""

from __future__ import annotations

import pytest

from edgemind.engines.base import Branch, BranchesFailed, Interrupted
from edgemind.engines.scripted import END, Line, ScriptedEngine
from edgemind.errors import ContextFull
from edgemind.types import Sampling

SAMPLING = Sampling()


def tokens(engine: ScriptedEngine, text: str) -> list[int]:
    return engine.vocabulary.encode(text, False)


def say(engine: ScriptedEngine, branch: Branch) -> str:
    """All that a branch has to say."""
    text = ""
    while True:
        [token] = engine.step([branch])
        text += token.text
        if token.end:
            return text


def test_children_replay_the_scripts_in_turn() -> None:
    engine = ScriptedEngine([["a", "b"], ["c"]])
    root = engine.prefill(tokens(engine, "p"), SAMPLING)
    first, second = engine.fork(root, [SAMPLING] * 2)
    [third] = engine.fork(root, [SAMPLING])
    assert [say(engine, branch) for branch in (first, second, third)] == ["ab", "c", "ab"]


def test_a_fork_in_the_middle_goes_on_with_the_same_script() -> None:
    engine = ScriptedEngine([["a", "b", "c"], ["x"]])
    [branch] = engine.fork(engine.prefill(tokens(engine, "p"), SAMPLING), [SAMPLING])
    engine.step([branch])
    [child] = engine.fork(branch, [SAMPLING])
    assert say(engine, child) == say(engine, branch) == "bc"


def test_a_script_may_never_end() -> None:
    engine = ScriptedEngine([Line(("a",), ends=False)])
    [branch] = engine.fork(engine.prefill(tokens(engine, "p"), SAMPLING), [SAMPLING])
    assert [engine.step([branch])[0].text for _ in range(4)] == ["a", " ", " ", " "]


def test_probabilities_are_the_scripts() -> None:
    engine = ScriptedEngine([Line(("a", "b", "c"), (-1.0, -2.0), margin=3.0)])
    [branch] = engine.fork(engine.prefill(tokens(engine, "p"), SAMPLING), [SAMPLING])
    drawn = [engine.step([branch])[0] for _ in range(4)]
    assert [token.logprob for token in drawn] == [-1.0, -2.0, -2.0, -2.0]
    assert {token.margin for token in drawn} == {3.0}
    assert [token.end for token in drawn] == [False, False, False, True]


def test_pending_tokens_and_prefixes_are_counted() -> None:
    engine = ScriptedEngine([["a"]])
    root = engine.prefill(tokens(engine, "hello"), SAMPLING)
    assert (engine.evaluated_tokens, len(root.pending)) == (4, 1)
    [child] = engine.fork(root, [SAMPLING])
    assert engine.evaluated_tokens == 4
    engine.extend(child, tokens(engine, "xyz"))
    engine.step([child])
    assert engine.evaluated_tokens == 4 + 1 + 3
    engine.prefill(tokens(engine, "help me"), SAMPLING)
    assert engine.evaluated_tokens == 8 + 3


def test_a_kept_branch_is_a_prefix_once() -> None:
    engine = ScriptedEngine([["a"]])
    for keep, cost in ((True, 4), (False, 0), (False, 4)):
        before = engine.evaluated_tokens
        root = engine.prefill(tokens(engine, "hello"), SAMPLING)
        assert engine.evaluated_tokens - before == cost
        engine.drop(root, keep)


def test_interruptions() -> None:
    engine = ScriptedEngine([["a"]])
    [branch] = engine.fork(engine.prefill(tokens(engine, "p"), SAMPLING), [SAMPLING])
    engine.interrupt()
    with pytest.raises(Interrupted):
        engine.step([branch])
    with pytest.raises(Interrupted):
        engine.prefill(tokens(engine, "p"), SAMPLING)
    engine.resume()
    assert say(engine, branch) == "a"


def test_a_full_context_and_a_full_cache() -> None:
    engine = ScriptedEngine([Line(("a",), ends=False)], context=10, cells=20)
    with pytest.raises(ContextFull):
        engine.prefill(tokens(engine, "x" * 10), SAMPLING)
    root = engine.prefill(tokens(engine, "hello"), SAMPLING)
    branches = engine.fork(root, [SAMPLING] * 2)
    engine.step(branches)
    engine.step(branches)
    before = [len(branch.tokens) for branch in branches]
    with pytest.raises(ContextFull):
        engine.step(branches)
    assert [len(branch.tokens) for branch in branches] == before
    engine.drop(branches.pop())
    for _ in range(3):
        engine.step(branches)
    with pytest.raises(ContextFull):
        engine.step(branches)


def test_a_branch_that_fails_leaves_the_others_alone() -> None:
    engine = ScriptedEngine([["a", "b"], Line(("c", "d"), fails=1), ["e", "f"]])
    branches = engine.fork(engine.prefill(tokens(engine, "p"), SAMPLING), [SAMPLING] * 3)
    assert [token.text for token in engine.step(branches)] == ["a", "c", "e"]
    with pytest.raises(BranchesFailed, match="fails, as its script says") as failure:
        engine.step(branches)
    assert [token and token.text for token in failure.value.tokens] == ["b", None, "f"]
    engine.drop(branches.pop(1))
    assert all(token.end for token in engine.step(branches))


def test_dropped_and_foreign_branches() -> None:
    engine, other = ScriptedEngine([["a"]]), ScriptedEngine([["a"]])
    root = engine.prefill(tokens(engine, "p"), SAMPLING)
    foreign = other.prefill(tokens(other, "p"), SAMPLING)
    engine.drop(root)
    engine.drop(root)
    for wrong in (root, Branch(0, [1], 0, SAMPLING)):
        with pytest.raises(ValueError, match="dropped"):
            engine.step([wrong])
    for call in (
        lambda: engine.step([foreign]),
        lambda: engine.drop(foreign),
        lambda: engine.fork(foreign, [SAMPLING]),
    ):
        with pytest.raises(ValueError, match="another engine"):
            call()
    assert engine.branches == []


def test_what_a_real_engine_refuses() -> None:
    engine = ScriptedEngine([["a"]], width=2)
    with pytest.raises(ContextFull):
        engine.prefill([], SAMPLING)
    root = engine.prefill(tokens(engine, "p"), SAMPLING)
    with pytest.raises(ValueError, match="twice"):
        engine.step([root, root])
    with pytest.raises(ValueError, match="at most 2"):
        engine.step(engine.fork(root, [SAMPLING] * 3))


def test_the_vocabulary() -> None:
    vocabulary = ScriptedEngine([]).vocabulary
    assert vocabulary.decode(vocabulary.encode("é🙂<|end|>x", False)) == "é🙂<|end|>x"
    assert vocabulary.encode("<|end|>x<|end|>", True)[::2] == [END, END]
    assert END not in vocabulary.encode("<|end|>", False)
