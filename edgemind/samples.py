"""The samples of one run: branches forked from one prompt, those that grow and those that ended.

Memory is given and taken here: samples that ended keep their keys, so that a revision can go on
from them, until others need the room.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from edgemind.engines.base import Branch, Engine, common_prefix, mark_evaluated
from edgemind.errors import BudgetTooSmall, ContextFull
from edgemind.prompt import Prompt
from edgemind.sample import ANSWER_ROOM, Sample
from edgemind.thoughts import ThoughtSplitter
from edgemind.types import Completion, Sampling, Verdict

T = TypeVar("T")
Prefill = Callable[[Sequence[int], Sampling], Branch | None]
"""Evaluates a prompt within the budget; None where it was stopped."""


class Samples:
    """Those of one prompt. `drawn` were begun so far, the draft among them.

    `live` grow, `held` have ended; `root` is the branch of the evaluated prompt.
    """

    def __init__(self, engine: Engine, prompt: Prompt) -> None:
        self._engine = engine
        self._prompt = prompt
        self.root: Branch | None = None
        self.draft: Completion | None = None
        self.held: list[tuple[Completion, Sample]] = []
        self.live: list[Sample] = []
        self.drawn = 0

    def _fork(self, base: Branch, samplings: Sequence[Sampling]) -> list[Branch]:
        """Children of `base`."""
        return self._with_room(lambda: self._engine.fork(base, samplings), base)

    def _with_room(self, make: Callable[[], T], base: Branch) -> T:
        """What `make` makes of `base`; held samples make room where sequences run out."""
        while True:
            try:
                return make()
            except ContextFull:
                held = [(done, sample.branch) for done, sample in self.held]
                spare = [done for done, own in held if done is not self.draft and own is not base]
                if not spare:
                    raise
                self.release(spare[0])

    def start(
        self, samplings: Sequence[Sampling], root: Branch, apart: bool = False
    ) -> list[Sample]:
        """One sample for each sampling, forked from `root`; `apart`: never evaluated as one."""
        branches = self._fork(root, samplings)
        for branch in branches if apart else ():
            mark_evaluated([branch], branch.evaluated)
        room = self._engine.context_length - len(self._prompt.tokens)
        return [
            self.make(branch, sampling, self._prompt.opened_thought, room)
            for branch, sampling in zip(branches, samplings, strict=True)
        ]

    def start_told(
        self,
        samplings: Sequence[Sampling],
        root: Branch,
        told: Sequence[tuple[tuple[int, ...], bool]],
        prefill: Prefill,
    ) -> list[Sample]:
        """Samples of prompts that go on differently, forked where these part; none if stopped.

        What they differ in is evaluated by their first step, for all in one batch. Where the
        context has no room for it they are samples of the prompt itself.
        """
        prompts = [told[(self.drawn - 1 + place) % len(told)] for place in range(len(samplings))]
        room = self._engine.context_length - max(len(tokens) for tokens, _ in prompts)
        shared = min(common_prefix(root.tokens, [*tokens]) for tokens, _ in prompts)
        if room < ANSWER_ROOM or shared == 0:
            return self.start(samplings, root)
        known = root.tokens[:shared]
        try:
            stem = self._with_room(lambda: prefill(known, samplings[-1]), root)
        except BudgetTooSmall:
            return []
        if stem is None:
            return []
        try:
            branches = [*self._fork(stem, samplings[:-1]), stem]
        except BaseException:
            self._engine.drop(stem)
            raise
        live = []
        for branch, sampling, (tokens, opened) in zip(branches, samplings, prompts, strict=True):
            self._engine.extend(branch, tokens[shared:])
            live.append(self.make(branch, sampling, opened, room))
        return live

    def make(self, branch: Branch, sampling: Sampling, opened: bool, room: int) -> Sample:
        """A sample that grows on `branch` by at most `room` tokens."""
        splitter = ThoughtSplitter(opened, self._prompt.tags)
        most = min(sampling.max_tokens or room, room)
        sample = Sample(
            self.drawn, branch, splitter, sampling.stop, most, structure=self._prompt.structure
        )
        self.live.append(sample)
        self.drawn += 1
        return sample

    def grown(
        self,
        completion: Completion,
        tokens: Sequence[int],
        sampling: Sampling,
        prefill: Prefill,
    ) -> Branch | None:
        """A branch of these tokens, grown from the longest that is there; None if stopped."""
        held = [sample.branch for one, sample in self.held if one is completion]
        for base in (*held, self.root):
            known = len(base.tokens) if base else 0
            if base and known < len(tokens) and tuple(tokens[:known]) == tuple(base.tokens):
                [branch] = self._fork(base, [sampling])
                self._engine.extend(branch, tokens[known:])
                return branch
        return prefill(tokens, sampling)

    def finish(self, sample: Sample, judge: Callable[[str], Verdict]) -> Completion:
        """What a sample came to; it is held from now on."""
        sample.complete()
        completion = sample.completion(judge)
        self.live.remove(sample)
        self.held.append((completion, sample))
        return completion

    def abandon(self, sample: Sample) -> None:
        """Drop a sample that is still growing."""
        self.live.remove(sample)
        self._engine.drop(sample.branch)

    def release(self, completion: Completion) -> None:
        """Give back the memory of a finished sample that cannot win any more."""
        for index, (held, sample) in enumerate(self.held):
            if held is completion and held is not self.draft:
                self._engine.drop(sample.branch)
                del self.held[index]
                return

    def close(self, winner: Completion | None = None) -> tuple[int, ...]:
        """Free every branch; the winner's tokens stay as the prefix of the next turn.

        Those that do are returned.
        """
        stays = next((held.branch for done, held in self.held if done is winner), self.root)
        known = tuple(stays.tokens[: stays.evaluated]) if stays is not None else ()
        for sample in self.live:
            self._engine.drop(sample.branch)
        for completion, sample in self.held:
            self._engine.drop(sample.branch, keep=completion is winner)
        if self.root is not None:
            kept = any(completion is winner for completion, _ in self.held)
            self._engine.drop(self.root, keep=not kept)
        self.live, self.held, self.root = [], [], None
        return known
