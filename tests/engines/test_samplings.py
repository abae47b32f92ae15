"""Seeds and confidence on every engine, and what engines refuse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from edgemind.engines.base import Engine
from edgemind.engines.scripted import ScriptedEngine
from edgemind.errors import ContextFull
from edgemind.types import Sampling
from tests.engines.branches import DRAWN, GREEDY, OTHER, PROMPT, say

# Sampling


def test_seeds(engine: Engine) -> None:
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
def test_every_seed_gives_the_same_again(engine: Engine, seed: int) -> None:
    sampling = Sampling(**{**SAMPLING, "seed": seed})  # type: ignore[arg-type]
    assert say(engine, PROMPT, 12, sampling) == say(engine, PROMPT, 12, sampling)


def test_confidence_only_when_asked_for(engine: Engine) -> None:
    branch = engine.prefill(PROMPT, Sampling(temperature=0.0, confidence=True))
    [token] = engine.step([branch])
    assert token.confidence is not None
    assert token.confidence >= -token.logprob


# What is refused


def test_dropped_and_foreign_branches(engine: Engine) -> None:
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


def test_a_branch_of_another_engine(engine: Engine, open_tiny: Callable[..., Engine]) -> None:
    other = open_tiny()
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


def test_a_branch_twice_too_many_branches_and_wrong_tokens(engine: Engine) -> None:
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


def test_prompts_that_do_not_fit(engine: Engine) -> None:
    with pytest.raises(ContextFull, match="empty"):
        engine.prefill([], GREEDY)
    with pytest.raises(ContextFull, match="1536"):
        engine.prefill([1] * 1536, GREEDY)
    assert engine.step([engine.prefill([1] * 1535, GREEDY)])


def test_all_sequences_in_use(engine: Engine) -> None:
    root = engine.prefill(PROMPT, GREEDY)
    with pytest.raises(ContextFull, match="sequences"):
        engine.fork(root, [GREEDY] * 6)
    assert len(engine.fork(root, [GREEDY] * 5)) == 5, "a fork that fails leaves nothing behind"
    assert engine.step([root])


def test_closing(open_tiny: Callable[..., Engine]) -> None:
    made: Any = open_tiny()
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
