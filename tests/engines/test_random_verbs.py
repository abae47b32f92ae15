"""The five verbs in random order: every step says what a fresh evaluation says, no cell leaks."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from edgemind.engines.base import Branch, Engine, Interrupted
from edgemind.engines.llama import LlamaEngine
from edgemind.engines.onnx import OnnxEngine
from edgemind.engines.onnx.branch import OnnxBranch
from edgemind.errors import ContextFull
from edgemind.types import Sampling
from tests.engines.branches import opened

GREEDY = Sampling(temperature=0.0)
WIDTH = 4
CHANGED_LAST_DIGITS = 0.02
"""Other sequences in a unified cache, and other chunks, change a log-probability by less."""


class Session:
    """An engine, its living branches, and a second engine that evaluates from nothing."""

    def __init__(self, open_one: Callable[[int, int], Engine], seed: int) -> None:
        self.chance = random.Random(seed)
        context = self.chance.choice([40, 120, 512])
        self.engine = open_one(context, WIDTH)
        self.fresh = open_one(512, 1)
        self.shared = self.tokens(100)
        self.living: list[Branch] = []
        self.compared = 0

    def tokens(self, count: int) -> list[int]:
        return [self.chance.randrange(590) for _ in range(count)]

    def prefill(self) -> None:
        length = self.chance.randrange(1, 40)
        start = self.shared[: self.chance.randrange(length + 1)]
        prompt = start + self.tokens(length - len(start))
        self.living.append(self.engine.prefill(prompt, GREEDY))

    def fork(self) -> None:
        count = self.chance.randrange(1, 3)
        self.living += self.engine.fork(self.chance.choice(self.living), [GREEDY] * count)

    def step(self) -> None:
        count = self.chance.randrange(1, WIDTH + 1)
        chosen = self.chance.sample(self.living, min(len(self.living), count))
        before = [[*branch.tokens] for branch in chosen]
        foreseen = self.engine.foreseen(chosen)
        for branch, known, token in zip(chosen, before, self.engine.step(chosen), strict=True):
            assert branch.tokens == [*known, token.id]
            # One that goes where another went takes its keys and values over later.
            assert branch.evaluated == self.held(branch) <= len(known)
            assert branch.evaluated == len(known) or branch in foreseen
            if self.chance.random() < 0.1:
                self.compare(known, token.id, token.logprob)

    def compare(self, known: Sequence[int], token: int, logprob: float) -> None:
        branch = self.fresh.prefill(known, GREEDY)
        [expected] = self.fresh.step([branch])
        self.fresh.drop(branch)
        self.compared += 1
        if expected.margin > CHANGED_LAST_DIGITS:
            assert token == expected.id
        assert logprob == pytest.approx(expected.logprob, abs=CHANGED_LAST_DIGITS)

    def extend(self) -> None:
        tokens = self.tokens(self.chance.randrange(30))
        self.engine.extend(self.chance.choice(self.living), tokens)

    def drop(self) -> None:
        branch = self.living.pop(self.chance.randrange(len(self.living)))
        self.engine.drop(branch, keep=self.chance.random() < 0.5)

    def interrupt(self) -> None:
        self.engine.interrupt()
        with pytest.raises((Interrupted, ContextFull)):
            self.engine.step([self.chance.choice(self.living)])
        self.engine.resume()

    def play(self, moves: int) -> None:
        verbs = [self.fork, self.step, self.step, self.step, self.extend, self.drop, self.interrupt]
        for _ in range(moves):
            try:
                self.chance.choice([self.prefill, *(verbs if self.living else [])])()
            except ContextFull:
                while self.living:
                    self.drop()
            self.check_places()

    def held(self, branch: Branch) -> int:
        """Tokens of a branch that are in the cache."""
        if isinstance(self.engine, LlamaEngine):
            return self.engine._cache.length(branch.sequence)
        assert isinstance(branch, OnnxBranch) and branch.pack
        # Others may lie in its row and have grown since.
        return min(branch.evaluated, branch.pack.lengths[branch.row])

    def check_places(self) -> None:
        """No sequence, no row leaks."""
        if isinstance(self.engine, LlamaEngine):
            kept = self.engine._cache.kept
            used = [branch.sequence for branch in [*self.living, *([kept] if kept else [])]]
            assert sorted(used + self.engine._cache._free) == [*range(WIDTH + 2)]
            return
        assert isinstance(self.engine, OnnxEngine)
        cache = self.engine._cache
        assert {*cache.branches.values()} == {*self.living}
        holders = [
            (branch, pack, row)
            for pack in cache.packs
            for row, held in enumerate(pack.holders)
            for branch in held
        ]
        assert all(branch.pack is pack and branch.row == row for branch, pack, row in holders)
        owners = {*cache.branches.values(), *([cache.kept] if cache.kept else [])}
        assert {branch for branch, _, _ in holders} == {b for b in owners if b.pack is not None}
        for pack in cache.packs:
            empty = sum(not held for held in pack.holders)
            assert 2 * empty < len(pack.holders), "a pack shrinks when half of it is empty"


@pytest.mark.parametrize(
    "kind", ["unified", "split", "concatenating", "in place", "equal", "one token"]
)
@pytest.mark.parametrize("seed", range(5))
def test_verbs_in_random_order(
    tiny: Path, tiny_onnx: dict[str, Path], seed: int, kind: str
) -> None:
    session = Session(lambda context, width: opened(kind, tiny, tiny_onnx, context, width), seed)
    try:
        session.play(150)
        assert session.compared
    finally:
        session.engine.close()
        session.fresh.close()
