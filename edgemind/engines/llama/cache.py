"""Who owns which sequence of llama.cpp's cache, and which cells may be re-used.

Every call that llama.cpp answers with an abort of the process when its arguments are wrong
(ids out of range, copies onto a used id, partial copies between streams) is made here, after
its arguments were checked.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, TypeVar

from edgemind.engines.base import Branch, common_prefix
from edgemind.errors import ContextFull

B = TypeVar("B", bound=Branch)


class Cache(Generic[B]):
    """Sequence ids, the kept sequence, and copies between sequences."""

    def __init__(self, api: Any, context: Any, sequences: int, unified: bool, window: int) -> None:
        self._api = api
        self._memory = api.llama_get_memory(context)
        self._free = list(range(sequences))
        self._unified = unified
        self._window = window
        self.branches: dict[int, B] = {}
        self.kept: B | None = None

    def new_sequence(self) -> int:
        """The lowest free id (dense ids keep batches consecutive), emptied."""
        if not self._free and self.kept is not None:
            self.forget_kept()
        if not self._free:
            raise ContextFull("all sequences of the cache are in use: think with fewer branches")
        sequence = min(self._free)
        self._free.remove(sequence)
        # Copying onto cells of an earlier life would corrupt the logits.
        self._api.llama_memory_seq_rm(self._memory, sequence, -1, -1)
        return sequence

    def release(self, sequence: int) -> None:
        """Free the cells of a sequence and its id."""
        self._api.llama_memory_seq_rm(self._memory, sequence, -1, -1)
        self._free.append(sequence)

    def forget_kept(self) -> bool:
        """Free the kept sequence; whether there was one."""
        if self.kept is None:
            return False
        self.release(self.kept.sequence)
        self.kept = None
        return True

    def length(self, sequence: int) -> int:
        """Tokens of a sequence that are really in the cache, as llama.cpp says."""
        return int(self._api.llama_memory_seq_pos_max(self._memory, sequence)) + 1

    def trim(self, sequence: int, length: int) -> int:
        """Cut a sequence to its first `length` tokens; what is left after it, 0 or `length`.

        Recurrent memories cannot be cut, and a sliding window has lost what lay before it: both
        start again from nothing.
        """
        api, memory = self._api, self._memory
        if self.length(sequence) > length and not api.llama_memory_seq_rm(
            memory, sequence, length, -1
        ):
            length = 0
        lost = int(api.llama_memory_seq_pos_min(memory, sequence)) > max(0, length - self._window)
        if length == 0 or self.length(sequence) != length or (self._window and lost):
            api.llama_memory_seq_rm(memory, sequence, -1, -1)
            return 0
        return length

    def settle(self, branch: B) -> int:
        """How many of a branch's tokens a decode that was cut has left evaluated.

        Whole micro-batches may have been evaluated before the cut.
        """
        held = self.length(branch.sequence)
        left = min(held, len(branch.tokens) - 1)
        if left < branch.evaluated or held > left:
            left = self.trim(branch.sequence, left)
        return left

    def copy(self, source: int, target: int, length: int) -> int:
        """Give `target` (empty) the first `length` tokens of `source`; how many it now has.

        In a unified cache the cells are shared. Between the streams of a split one only whole
        sequences may be copied (the process aborts otherwise), so that is cut afterwards.
        """
        if self._unified and self.length(source) >= length:
            self._api.llama_memory_seq_cp(self._memory, source, target, 0, length)
        else:
            self._api.llama_memory_seq_cp(self._memory, source, target, -1, -1)
        return self.trim(target, length)

    def adopt_prefix(self, tokens: Sequence[int]) -> tuple[int, int]:
        """A sequence for a new prompt and how many of its `tokens` it already holds.

        The longest match wins: the kept sequence is cut and taken over as it is, a living
        branch is copied. A kept sequence that does not win is freed.
        """
        wanted = tokens[:-1]
        best: B | None = None
        length = 0
        kept = self.kept
        candidates = [*self.branches.values()] + ([kept] if kept is not None else [])
        for branch in candidates:
            match = common_prefix(branch.tokens[: branch.evaluated], wanted)
            if match > length or (match == length and match and branch is kept):
                best, length = branch, match
        if best is not None and best is kept:
            self.kept = None
            return best.sequence, self.trim(best.sequence, length)
        self.forget_kept()
        sequence = self.new_sequence()
        return sequence, self.copy(best.sequence, sequence, length) if best is not None else 0
