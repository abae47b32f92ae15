"""What the five verbs have in common, whatever library decodes: refusals, and who works where.

An engine of one library inherits this and says how a branch is made, stepped and dropped; all of
that runs in its one worker thread. See `edgemind.engines.base.Engine` for the verbs' contract.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Generic, TypeVar

from edgemind.engines.base import Branch, Interrupted
from edgemind.engines.trails import Trail
from edgemind.engines.worker import Worker
from edgemind.errors import ContextFull
from edgemind.types import Sampling, Token

B = TypeVar("B", bound=Branch)


class Verbs(ABC, Generic[B]):
    """The verbs over branches of the class `kind`."""

    kind: type[B]
    context_length: int
    max_width: int
    _worker: Worker
    _closed: bool

    @abstractmethod
    def interrupt(self) -> None:
        """Cut the running verb, and refuse the next, until `resume`. From any thread."""

    @property
    @abstractmethod
    def _branches(self) -> Mapping[int, B]:
        """Those that are alive, by sequence."""

    @property
    @abstractmethod
    def _ids(self) -> int:
        """How many tokens the vocabulary has."""

    @abstractmethod
    def _prefill(self, tokens: list[int], sampling: Sampling, made: list[B]) -> None:
        """Append the prompt's branch to `made` as soon as there is one, then evaluate it."""

    @abstractmethod
    def _fork(self, parent: B, samplings: Sequence[Sampling], made: list[B]) -> None:
        """Append a child for each sampling to `made`, each as soon as there is one."""

    @abstractmethod
    def _step(self, branches: list[B]) -> list[Token]:
        """Evaluate what is pending and draw a token for each."""

    def _is_brief(self, _branches: list[B]) -> bool:
        """Whether `_step` of these may run where it is called; see `Worker.brief`."""
        return False

    @abstractmethod
    def _drop(self, branch: B, keep: bool) -> None:
        """Give a branch's memory back, or keep it as the next prompt's prefix."""

    def prefill(self, tokens: Sequence[int], sampling: Sampling) -> Branch:
        """Evaluate a prompt but for its last token; see `Engine.prefill`."""
        if not tokens:
            raise ContextFull("the prompt is empty: there is nothing to continue")
        if len(tokens) >= self.context_length:
            raise ContextFull(
                f"the prompt has {len(tokens)} tokens and the context holds "
                f"{self.context_length}: shorten it, or load the model with a larger context"
            )
        prompt = self._checked(tokens)
        made: list[B] = []
        return self._making(made, lambda: self._prefill(prompt, sampling, made))[0]

    def fork(self, branch: Branch, samplings: Sequence[Sampling]) -> list[Branch]:
        """One child for each sampling; see `Engine.fork`."""
        parent = self._own(branch)
        made: list[B] = []
        return self._making(made, lambda: self._fork(parent, samplings, made))

    def step(self, branches: Sequence[Branch]) -> list[Token]:
        """One batched decode, one sampled token for each branch; see `Engine.step`."""
        own = [self._own(branch) for branch in branches]
        if len(own) > 1 and len({branch.sequence for branch in own}) != len(own):
            raise ValueError("a branch stands twice in one step")
        if len(own) > self.max_width:
            raise ValueError(f"{len(own)} branches in one step; at most {self.max_width}")
        for branch in own:
            if len(branch.tokens) >= self.context_length:
                raise ContextFull(f"a branch has filled its {self.context_length} tokens")
        if not own:
            return []
        if self._is_brief(own):
            return self._worker.brief(lambda: self._step(own))
        return self._worker.call(lambda: self._step(own), self.interrupt)

    def extend(self, branch: Branch, tokens: Sequence[int]) -> None:
        """Append known tokens; see `Engine.extend`."""
        self._own(branch).tokens.extend(self._checked(tokens))

    def foreseen(self, branches: Sequence[Branch]) -> list[Branch]:
        """None, unless an engine remembers what its model gave; see `Engine.foreseen`."""
        return []

    def drop(self, branch: Branch, keep: bool = False) -> None:
        """Give a branch's memory back; see `Engine.drop`. Dropping twice is harmless."""
        if branch.alive and not self._closed:
            own = self._own(branch)
            self._worker.call(lambda: self._drop(own, keep), self.interrupt)
            own.trail = Trail()  # what was remembered of it goes with it

    def _own(self, branch: Branch) -> B:
        # Another engine's branch has a sequence id that means somebody else here.
        own = isinstance(branch, self.kind) and branch.alive
        if not own or self._branches.get(branch.sequence) is not branch:
            raise ValueError("this branch was dropped, or belongs to another engine")
        return branch

    def _checked(self, tokens: Sequence[int]) -> list[int]:
        if not all(0 <= token < self._ids for token in tokens):
            raise ValueError("a token id is outside the vocabulary")
        return [int(token) for token in tokens]

    def _making(self, made: list[B], make: Callable[[], None]) -> list[Branch]:
        """Run `make`, which appends to `made`; no branch survives an error that nobody hears of.

        A KeyboardInterrupt may come here after the worker has succeeded.
        """
        try:
            self._worker.call(make, self.interrupt)
        except BaseException as error:
            for branch in made:
                self.drop(branch, keep=isinstance(error, Interrupted))
            raise
        return [*made]
