"""Keys and values of all branches: rows of a few packs, grown together.

A *pack* is one array of (rows, heads, slots, width) for each key and value tensor: what one run
takes as its past. Branches that are stepped together are rows of one pack, so that a step copies
nothing here; when the set of stepped branches changes (a fork, a sample that ended), their rows
are copied into a new pack once. A fork itself copies nothing: children share their parent's row
until they grow.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

import numpy as np

from edgemind.engines.base import common_prefix
from edgemind.engines.onnx.branch import OnnxBranch
from edgemind.engines.onnx.buffers import Buffers
from edgemind.engines.onnx.layout import CacheTensor
from edgemind.engines.onnx.pack import Pack, Source, Style, flat_of, seen_slots, view
from edgemind.engines.onnx.repeat import Repeat
from edgemind.engines.onnx.runner import Array, Logits, Runner
from edgemind.errors import ContextFull

SPARE_SLOTS = 64
"""Room for so many further tokens in a new buffer; pages that are never written cost nothing."""


class Cache:
    """All packs. `style` and `in_place` are what `probe` found the graph to do.

    `limit` is the most bytes that caches may take.
    """

    def __init__(self, runner: Runner, style: Style, in_place: bool, limit: int) -> None:
        self._runner = runner
        self._tensors = runner.layout.tensors
        self.style = style
        self.in_place = in_place
        self._held_token_bytes = runner.layout.token_bytes
        self.limit = limit
        self.branches: dict[int, OnnxBranch] = {}
        self.kept: OnnxBranch | None = None
        self._spare: list[Array] = []
        self._buffers = Buffers()
        self.repeat: Repeat | None = None

    # What it takes

    @property
    def packs(self) -> list[Pack]:
        """Every pack that a branch lies in."""
        owners = [*self.branches.values(), *([self.kept] if self.kept else [])]
        return list(dict.fromkeys(branch.pack for branch in owners if branch.pack is not None))

    @property
    def bytes(self) -> int:
        """Bytes of all packs and of the buffers that wait for the next step."""
        return sum(pack.bytes for pack in self.packs) + sum(flat.nbytes for flat in self._spare)

    @property
    def token_bytes(self) -> int:
        """Bytes of one token of a branch that is stepped: where a graph concatenates, twice."""
        return self._held_token_bytes * (1 if self.in_place else 2)

    def room(self, tokens: int) -> int:
        """How many branches of so many tokens could be stepped, were all others dropped."""
        held = self._held_token_bytes * tokens  # the prompt that they are forked from
        return max(0, (self.limit - held) // max(1, self.token_bytes * tokens))

    # Who lies where

    def place(self, branch: OnnxBranch, pack: Pack | None, row: int) -> None:
        """Let a branch lie in a row, beside whoever lies there."""
        self.repeat = None
        self.leave(branch)
        branch.pack, branch.row = pack, row
        if pack is not None:
            pack.holders[row].append(branch)

    def leave(self, branch: OnnxBranch) -> None:
        """Take a branch out of its row."""
        self.repeat = None
        if branch.pack is not None:
            branch.pack.holders[branch.row].remove(branch)
        branch.pack = None

    def release(self, branch: OnnxBranch) -> None:
        """Take a branch out for good; its pack shrinks once half of its rows are empty."""
        pack = branch.pack
        self.leave(branch)
        if pack is not None:
            self._shrink(pack)

    def _shrink(self, pack: Pack) -> None:
        used = [row for row, holders in enumerate(pack.holders) if holders]
        if used and 2 * len(used) <= len(pack.holders):
            self._spare.clear()
            for index, tensor in enumerate(self._tensors):
                pack.arrays[index] = self._rows(tensor, index, [(pack, row) for row in used])
            pack.keep_rows(used)
        elif not used and pack.arrays:
            self._spare.clear()

    def step_aside(self, branch: OnnxBranch, leader: OnnxBranch) -> None:
        """Take a twin of `leader` out for one run, unless its row may grow with it there."""
        beside = branch.pack is leader.pack and branch.row == leader.row
        if not beside:
            self.release(branch)
        elif not self.in_place:
            self.leave(branch)

    def step_beside(self, branch: OnnxBranch, leader: OnnxBranch) -> None:
        """Let a twin of `leader` lie where this one lies after a run."""
        if branch.pack is not leader.pack or branch.row != leader.row:
            self.release(branch)
            self.place(branch, leader.pack, leader.row)

    def forget_kept(self) -> None:
        """Free the kept branch's row, if there is one."""
        kept, self.kept = self.kept, None
        if kept is not None:
            self.release(kept)

    def adopt_prefix(self, branch: OnnxBranch) -> None:
        """Let a new branch begin with the longest prefix that lies somewhere.

        A kept branch that does not win is freed.
        """
        best, length = None, 0
        for other in (*self.branches.values(), *([self.kept] if self.kept else [])):
            match = common_prefix(other.tokens[: other.evaluated], branch.tokens[:-1])
            if match > length or (match == length and match and other is self.kept):
                best, length = other, match
        if best is not None:
            self.place(branch, best.pack, best.row)
            branch.evaluated = length
        self.forget_kept()

    # Growing

    def advance(self, branches: Sequence[OnnxBranch], ids: Array, reserve: int = 0) -> Logits:
        """Evaluate `ids` of (branches, tokens): the logits after each branch's last, in order.

        Several tokens only for one branch at a time. `reserve` further slots will be needed soon.
        Raises `ContextFull` where memory does not suffice, `Interrupted`; nothing has changed then.
        """
        new = ids.shape[1]
        self.repeat = None
        free = self._check_room(branches, new + reserve)
        pack = self._arrange(branches, new + reserve)
        order = [branch.row for branch in branches]
        rows = np.empty_like(ids)
        rows[order] = ids
        lengths = np.array(pack.lengths)
        # A pack that lost its longest row has more slots than any of its rows takes.
        total = (int(lengths.max()) if self.in_place else pack.slots) + new
        mask = seen_slots(self.style, lengths, total, new)
        positions = lengths[:, None] + np.arange(new)
        present = pack.arrays if self.in_place else self._present(len(lengths), total)
        started = time.perf_counter()
        try:
            logits = self._runner.run(rows, mask, positions, pack.arrays, present)
        except BaseException:
            if not self.in_place:
                self._spare = [flat_of(array) for array in present]
            raise
        if not self.in_place and any(len(holders) > 1 for holders in pack.holders):
            # What others still read stays theirs.
            pack, old = Pack(present, pack.lengths), pack
            for branch in branches:
                self.place(branch, pack, branch.row)
            self._shrink(old)
        elif not self.in_place:
            # What was the past is where the next step writes.
            self._spare = [flat_of(array) for array in pack.arrays]
            pack.arrays = present
        pack.lengths = [length + new for length in pack.lengths]
        if new == 1 and not reserve and (self.in_place or self._spare):
            self.repeat = Repeat(
                self._runner, pack, branches, self.style, self._spare, self.in_place,
                free // max(1, self.token_bytes * len(branches)), time.perf_counter() - started,
            )  # fmt: skip
        return logits if order == [*range(len(order))] else logits[order]

    def groups(self, branches: Sequence[OnnxBranch]) -> list[list[OnnxBranch]]:
        """Branches by the runs that they can share."""
        most = self._runner.layout.rows or len(branches)
        found: dict[int, list[OnnxBranch]] = {}
        for branch in branches:
            length = branch.evaluated if self.style is Style.EQUAL else 0
            found.setdefault(length, []).append(branch)
        return [
            group[at : at + most] for group in found.values() for at in range(0, len(group), most)
        ]

    def _check_room(self, branches: Sequence[OnnxBranch], new: int) -> int:
        """Bytes that are left once these have grown; `ContextFull` where they cannot."""
        chosen = set(branches)
        need = self.token_bytes * len(branches) * (new + max(b.evaluated for b in branches))
        while True:
            others = sum(
                pack.bytes // len(pack.holders)
                for pack in self.packs
                for holders in pack.holders
                if not chosen.issuperset(holders)
            )
            if need + others <= self.limit:
                return self.limit - need - others
            if self.kept is None:
                raise ContextFull(
                    f"the caches would take {(need + others) >> 20} MiB and may take "
                    f"{self.limit >> 20}: think with fewer branches or a shorter prompt"
                )
            self.forget_kept()

    def _arrange(self, branches: Sequence[OnnxBranch], new: int) -> Pack:
        """A pack whose rows are exactly these branches, in any order.

        Others may lie in these rows too: of what they hold nothing is overwritten, and who grows
        later finds the row longer than it should be and gets a copy.
        """
        pack = branches[0].pack
        if (
            pack is not None
            and len(pack.holders) == len(branches)
            and all(branch.pack is pack for branch in branches)
            and len({branch.row for branch in branches}) == len(branches)
            and all(branch.evaluated == pack.lengths[branch.row] for branch in branches)
        ):
            if self.in_place and max(pack.lengths) + new > pack.slots:
                self._lengthen(pack, new)
            return pack
        return self._gathered(branches, new)

    def _gathered(self, branches: Sequence[OnnxBranch], new: int) -> Pack:
        """Copy the rows of these branches into a new pack, tensor by tensor.

        What nobody else needs is freed on the way, so that memory peaks at little more than the
        larger of before and after.
        """
        self._spare.clear()
        sources = [Source.of(branch.pack, branch.row, self.style) for branch in branches]
        lengths = [branch.evaluated for branch in branches]
        touched = dict.fromkeys(branch.pack for branch in branches if branch.pack is not None)
        for branch in branches:
            self.leave(branch)
        left = {
            pack: [row for row, holders in enumerate(pack.holders) if holders] for pack in touched
        }
        slots = max(lengths) + (new + SPARE_SLOTS if self.in_place else 0)
        arrays = []
        for index, tensor in enumerate(self._tensors):
            arrays.append(self._copied(tensor, index, sources, lengths, slots))
            for pack, rows in left.items():
                if not rows:
                    pack.arrays[index] = np.empty((0, 0, 0, 0), np.float32)
                elif len(rows) < len(pack.holders):
                    pack.arrays[index] = self._rows(tensor, index, [(pack, row) for row in rows])
        for pack, rows in left.items():
            pack.keep_rows(rows)
        made = Pack(arrays, lengths)
        for row, branch in enumerate(branches):
            self.place(branch, made, row)
        return made

    def _copied(
        self,
        tensor: CacheTensor,
        index: int,
        sources: Sequence[Source],
        lengths: Sequence[int],
        slots: int,
    ) -> Array:
        """One tensor of a new pack. Padding is zero: what is masked must still be a number."""
        longest = max(lengths)
        shape = (len(sources), tensor.heads, slots, tensor.width)
        # With room for the step that will write where this one read.
        roomy = slots if self.in_place else slots + SPARE_SLOTS
        size = len(sources) * tensor.heads * roomy * tensor.width
        array = view(self._buffers.take(size, tensor.kind), shape)
        for row, (source, length) in enumerate(zip(sources, lengths, strict=True)):
            to = longest - length if self.style is Style.END else 0
            if source.pack is not None:
                held = source.pack.arrays[index][source.row]
                array[row, :, to : to + length] = held[:, source.at : source.at + length]
            array[row, :, :to] = 0
            array[row, :, to + length :] = 0
        return array

    def _rows(self, tensor: CacheTensor, index: int, rows: Sequence[tuple[Pack, int]]) -> Array:
        """The given rows of a pack in an array of their own, as they lie."""
        held = rows[0][0].arrays[index]
        shape = (len(rows), *held.shape[1:])
        array = view(self._buffers.take(math.prod(shape), tensor.kind), shape)
        return np.take(held, [row for _, row in rows], axis=0, out=array)

    def _lengthen(self, pack: Pack, new: int) -> None:
        """Give a pack that is written in place more slots."""
        rows = [Source.of(pack, row, self.style) for row in range(len(pack.lengths))]
        slots = max(pack.lengths) + new + SPARE_SLOTS
        for index, tensor in enumerate(self._tensors):
            pack.arrays[index] = self._copied(tensor, index, rows, pack.lengths, slots)

    def _present(self, rows: int, slots: int) -> list[Array]:
        """Arrays for what a run gives, in the buffers that wait or in new ones."""
        found = []
        waiting, self._spare = self._spare, []
        for index, tensor in enumerate(self._tensors):
            shape = (rows, tensor.heads, slots, tensor.width)
            size = math.prod(shape)
            flat = waiting[index] if waiting else None
            if flat is None or not size <= flat.size <= 2 * size + rows * SPARE_SLOTS * 1024:
                if waiting:
                    waiting[index] = flat = np.empty(0, tensor.kind)  # freed before the next
                roomy = rows * tensor.heads * (slots + SPARE_SLOTS) * tensor.width
                flat = self._buffers.take(roomy, tensor.kind)
            found.append(view(flat, shape))
        return found
