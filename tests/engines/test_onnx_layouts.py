"""Every layout that exporters write, against a plain run of the whole text without any cache."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from edgemind.engines.base import Branch
from edgemind.engines.onnx import OnnxEngine
from edgemind.engines.onnx.pack import Style
from edgemind.types import Sampling
from tests.engines.onnx_models import MATRIX, Kind, plain_logits, write

GREEDY = Sampling(temperature=0.0)
LENGTHS = (3, 17, 1, 30, 9)
STEPS = 6


class Watched:
    """An engine, and the logits that its tokens were drawn from."""

    def __init__(self, folder: Path, kind: Kind) -> None:
        self.kind = kind
        self.engine = OnnxEngine(write(folder, kind), width=8, threads=1)
        draw = self.engine._sampler.draw

        def watched(branches: Sequence[Branch], logits: np.ndarray) -> object:
            self.logits = logits.copy()
            self.before = [[*branch.tokens] for branch in branches]
            return draw(branches, logits)  # type: ignore[arg-type]

        self.engine._sampler.draw = watched  # type: ignore[assignment, method-assign]

    def step(self, branches: Sequence[Branch]) -> None:
        """One step, whose logits are those of a plain run."""
        self.engine.step(branches)
        tolerance = 0.02 if self.kind.half else 1e-4
        for row, tokens in zip(self.logits, self.before, strict=True):
            expected = plain_logits(self.kind, tokens)
            np.testing.assert_allclose(row, expected, atol=tolerance * expected.std() + 1e-6)


@pytest.fixture(params=MATRIX)
def watched(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Watched]:
    made = Watched(tmp_path / "model", MATRIX[request.param])
    yield made
    made.engine.close()


def prompts() -> list[list[int]]:
    chance = np.random.default_rng(3)
    return [chance.integers(0, 250, length).tolist() for length in LENGTHS]


def test_one_branch(watched: Watched) -> None:
    branch = watched.engine.prefill(prompts()[1], GREEDY)
    for _ in range(STEPS):
        watched.step([branch])


def test_five_branches_of_different_lengths(watched: Watched) -> None:
    engine = watched.engine
    branches = [engine.prefill(prompt, GREEDY) for prompt in prompts()]
    for _ in range(3):
        watched.step(branches)
    # Some leave, the order changes, one forks, one is told something.
    engine.drop(branches.pop(3))
    watched.step(branches[::-1])
    branches += engine.fork(branches[0], [GREEDY])
    engine.extend(branches[2], [5, 6, 7])
    for _ in range(2):
        watched.step(branches)


def test_a_fork_says_what_its_parent_would(watched: Watched) -> None:
    engine = watched.engine
    root = engine.prefill(prompts()[1], GREEDY)
    evaluated = engine.evaluated_tokens
    children = engine.fork(root, [GREEDY] * 4)
    assert engine.evaluated_tokens == evaluated
    watched.step(children)
    watched.step([children[1], root])
    watched.step(children[2:])


def test_a_prefix_is_cut_and_used_again(watched: Watched) -> None:
    engine = watched.engine
    first = prompts()[3]
    branch = engine.prefill(first, GREEDY)
    watched.step([branch])
    engine.drop(branch, keep=True)
    before = engine.evaluated_tokens
    again = engine.prefill([*first[:20], 1, 2, 3, 4], GREEDY)
    assert engine.evaluated_tokens - before == 3
    watched.step([again])


FOUND = {
    "position_ids": (Style.END, True, False),
    "no position ids": (Style.END, True, False),
    "positions by slot": (Style.EQUAL, True, False),
    "merged": (Style.END, True, False),
    "pair": (Style.END, True, False),
    "pair, one token": (Style.END, False, False),
    "half": (Style.END, True, False),
    "grouped": (Style.END, True, False),
    "genai": (Style.BEGIN, True, True),
    "genai, half": (Style.BEGIN, True, True),
    "keep": (Style.END, True, False),
    "forgets order": (Style.END, False, False),
    "cache_position": (Style.END, True, False),
    "direct": (Style.BEGIN, True, True),
    "direct, no position ids": (Style.BEGIN, True, True),
    "direct, by slot": (Style.EQUAL, True, True),
    "direct, with a window": (Style.END, True, False),
}


@pytest.mark.parametrize("name", MATRIX)
def test_what_the_probe_finds(tmp_path: Path, name: str) -> None:
    engine = OnnxEngine(write(tmp_path / "model", MATRIX[name]), threads=1)
    found = (engine._cache.style, engine._several, engine._cache.in_place)
    engine.close()
    assert found == FOUND[name]
