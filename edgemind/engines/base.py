"""The engine seam: thinking is growing a tree of branches.

A branch is one sequence in the key/value cache. Five verbs are enough for every strategy:
`prefill`, `fork`, `step`, `extend`, `drop`. An engine knows nothing of chats, strategies and
budgets. Each engine is one module in this package; its name is its key.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from edgemind.engines.trails import Trail
from edgemind.errors import ModelError
from edgemind.tokenizing import Vocabulary
from edgemind.types import Sampling, Token

CacheMode = Literal["unified", "split"]
"""Whether branches share one cache (and a common prefix in it), or have one stream each."""


class Interrupted(Exception):
    """`interrupt()` cut the running verb. The branches are as before it, and it may be repeated.

    Not an error that a person sees: the run turns it into a finish reason.
    """


class BranchesFailed(Exception):
    """A step could not go on with some branches; the others have made theirs.

    `tokens` has one for each branch of the step, None for those that failed and are only to be
    dropped; `reason` says why. What all branches suffer is a `ModelError` of its own.
    """

    def __init__(self, tokens: Sequence[Token | None], reason: ModelError) -> None:
        super().__init__(str(reason))
        self.tokens = list(tokens)
        self.reason = reason


@dataclass(eq=False, slots=True)
class Branch:
    """One sequence: its tokens, of which the first `evaluated` are in the cache.

    The rest are pending: known, and evaluated by the next `step`. There is always at least one,
    so a fork is valid at any moment and an interrupted step is simply stepped again.

    `trail` stands for what it has said: branches with one trail have said the same (`trails`). It
    may be further than what is evaluated in this branch.
    """

    sequence: int
    tokens: list[int]
    evaluated: int
    sampling: Sampling
    alive: bool = field(default=True)
    trail: Trail = field(default_factory=Trail)

    @property
    def pending(self) -> list[int]:
        """The tokens that the next step will evaluate."""
        return self.tokens[self.evaluated :]


def common_prefix(left: Sequence[object], right: Sequence[object]) -> int:
    """Length of the longest common prefix."""
    length = min(len(left), len(right))
    if left[:length] == right[:length]:
        return length
    return next(index for index in range(length) if left[index] != right[index])


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What a model's file says about itself."""

    name: str
    architecture: str
    parameters: int
    bytes: int
    context_length: int
    template: str | None
    bos_text: str
    eos_text: str
    sampling: Sampling
    answer_cue: str | None = None
    """Text after which this model gives its final answer (`edgemind.answer_cue`), if it says so."""


class Engine(Protocol):
    """One loaded model. Not thread-safe but for `interrupt` and `resume`."""

    @property
    def info(self) -> ModelInfo:
        """What the file says about itself."""

    @property
    def vocabulary(self) -> Vocabulary:
        """The model's tokens."""

    @property
    def device(self) -> str:
        """What it runs on, as a key for measured costs: `cpu:2` is two CPU threads."""

    @property
    def context_length(self) -> int:
        """Most tokens that one branch can hold."""

    @property
    def max_width(self) -> int:
        """Most branches that can be stepped at once."""

    @property
    def shares(self) -> bool:
        """Whether a step evaluates branches as one while they say the same (`trails.twins`)."""

    @property
    def evaluated_tokens(self) -> int:
        """Tokens evaluated so far, prompts and answers together: a counter for the ledger."""

    def room(self, tokens: int) -> int:
        """Most branches of so many tokens that memory holds at once; at most `max_width`.

        Where a cache is of fixed size, `max_width`: a step that finds it full says so.
        """

    def prefill(self, tokens: Sequence[int], sampling: Sampling) -> Branch:
        """Evaluate a prompt but for its last token, re-using the longest prefix already held.

        Raises `ContextFull` where it does not fit, `Interrupted` when cut (what was evaluated
        is kept for the next try).
        """

    def fork(self, branch: Branch, samplings: Sequence[Sampling]) -> list[Branch]:
        """One child for each sampling, each with its own fresh seed; no second prefill."""

    def step(self, branches: Sequence[Branch]) -> list[Token]:
        """Evaluate all pending tokens of all branches in one batch, sample one token for each.

        Branches that have said the same so far are evaluated as one, where the cache can share.
        Raises `ContextFull` where the cache has no room (nothing is changed), `Interrupted`
        when cut, `BranchesFailed` where some branches cannot go on but the others did.
        """

    def foreseen(self, branches: Sequence[Branch]) -> list[Branch]:
        """Those whose next step evaluates nothing: others have said what they said last."""

    def extend(self, branch: Branch, tokens: Sequence[int]) -> None:
        """Append known tokens to what is pending; costs nothing until the next step."""

    def drop(self, branch: Branch, keep: bool = False) -> None:
        """Give a branch's memory back.

        With `keep` its tokens stay as the prefix that the next `prefill` may re-use, until
        another branch is kept or the room is needed.
        """

    def interrupt(self) -> None:
        """Cut the running verb and refuse the next ones, until `resume`. Any thread, any time."""

    def resume(self) -> None:
        """Undo `interrupt`."""

    def close(self) -> None:
        """Free everything. Safe to call twice."""
