"""A step of the same branches as the one before: what stays is bound already, and nothing is made.

Around a model whose step takes half a millisecond, making masks and views and binding every tensor
took as long as the step itself (docs/log.md). A `Repeat` is made behind a step and holds for as
long as the same branches go on in the same buffers.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from edgemind.engines.onnx.branch import OnnxBranch
from edgemind.engines.onnx.layout import BRANCH, IDS, MASK, POSITIONS, SLOTS
from edgemind.engines.onnx.pack import Pack, Style, flat_of
from edgemind.engines.onnx.runner import Array, Logits, Runner


class Repeat:
    """The next steps of `branches`, which fill `pack`, by one token each.

    `spare` are the buffers that the next step writes into, unless it writes `in_place`; each step
    puts those into it that it read. `seconds` is what the last step took. At most `most` are made,
    fewer where the buffers end. Whatever an exception cuts, even one of a signal, the pack is as
    before the step or as after it.
    """

    def __init__(
        self,
        runner: Runner,
        pack: Pack,
        branches: Sequence[OnnxBranch],
        style: Style,
        spare: list[Array],
        in_place: bool,
        most: int,
        seconds: float,
    ) -> None:
        self._runner, self._pack, self._style = runner, pack, style
        self.seconds = seconds
        self._branches = [*branches]
        self._by_row = sorted(branches, key=lambda branch: branch.row)
        order = [branch.row for branch in branches]
        self._order = None if order == [*range(len(order))] else order
        self._rows = rows = len(order)
        self._spare, self._in_place = spare, in_place
        self._kinds = [np.dtype(tensor.kind).type for tensor in runner.layout.tensors]
        flats = [] if in_place else [*spare, *map(flat_of, pack.arrays)]
        sizes = 2 * [rows * tensor.heads * tensor.width for tensor in runner.layout.tensors]
        ends = [flat.size // size for flat, size in zip(flats, sizes, strict=False)]
        self._slots = max(pack.lengths) if in_place else pack.slots
        end = pack.slots if in_place else min(ends)
        self._left = max(0, min(most, end - self._slots))
        # Where a buffer lies, known without asking numpy at each step.
        self._addresses = {id(flat): flat.ctypes.data for flat in flats}
        if self._left:
            self._bind_integers()

    def _bind_integers(self) -> None:
        """Arrays for all small inputs: bound once, and filled at each step."""
        layout, rows = self._runner.layout, self._rows
        self._binding = binding = self._runner.bindings[-1]
        kinds, most = layout.integers, self._slots + self._left
        self._ids = np.zeros((rows, 1), kinds[IDS])
        self._positions = np.zeros((rows, 1), kinds.get(POSITIONS, "int64"))
        self._place = np.zeros(1, kinds.get(SLOTS, "int64"))
        self._always = np.ones((1,) * layout.keep_rank, kinds.get(layout.keep or "", "int64"))
        self._flag = np.array([True])
        self._mask = np.ones(rows * most, kinds.get(MASK, "int64"))
        self._masked = MASK in kinds
        self._mask_at: int = self._mask.ctypes.data
        self._every_slot = np.arange(most)
        self._even = min(self._pack.lengths) == self._slots
        values = {
            IDS: self._ids, POSITIONS: self._positions, SLOTS: self._place,
            layout.keep: self._always,
        }  # fmt: skip
        self._runner.bind_logits(-1, rows)
        for name in kinds:
            if name != MASK:
                binding.take(name, values[name])
        if layout.branch:
            binding.take(BRANCH, self._flag)

    def fits(self, branches: Sequence[OnnxBranch]) -> bool:
        """Whether the next step of these is one: the same ones, each with one pending token."""
        return (
            self._left > 0
            and branches == self._branches
            and all(
                branch.evaluated == length and len(branch.tokens) == length + 1
                for branch, length in zip(self._by_row, self._pack.lengths, strict=True)
            )
        )

    def step(self) -> Logits:
        """Evaluate each branch's last token: logits as of `Runner.run`, in the branches' order."""
        pack, lengths, total = self._pack, self._pack.lengths, self._slots + 1
        ids, positions = self._ids, self._positions
        for row, branch in enumerate(self._by_row):
            ids[row, 0] = branch.tokens[-1]
            positions[row, 0] = lengths[row]
        self._place[0] = self._slots
        if self._masked:
            self._bind_mask(total)
        before: list[Array] = []
        present = pack.arrays
        if not self._in_place:
            before = [flat_of(array) for array in present]
            present = self._bind_caches(before, total)
        started = time.perf_counter()
        logits = self._runner.execute(-1)
        self.seconds = time.perf_counter() - started
        longer, left = [length + 1 for length in lengths], self._left - 1
        # An exception between two of these leaves what the next step can go on from.
        self._left, self._spare[:] = 0, ()
        pack.arrays, pack.lengths = present, longer
        self._spare[:] = before
        self._slots, self._left = total, left
        return logits if self._order is None else logits[self._order]

    def _bind_mask(self, total: int) -> None:
        rows = self._rows
        if not self._even:
            mask = self._mask[: rows * total].reshape(rows, total)
            lengths = np.array(self._pack.lengths)[:, None]
            if self._style is Style.END:
                np.greater_equal(self._every_slot[:total], total - 1 - lengths, out=mask)
            else:
                np.less_equal(self._every_slot[:total], lengths, out=mask)
        self._binding.take_at(MASK, self._mask.dtype.type, (rows, total), self._mask_at)

    def _bind_caches(self, before: list[Array], total: int) -> list[Array]:
        """Bind what a run reads and writes; the arrays that it writes."""
        binding, rows, addresses = self._binding, self._rows, self._addresses
        present = []
        for tensor, kind, old, new in zip(
            self._runner.layout.tensors, self._kinds, before, self._spare, strict=True
        ):
            heads, width = tensor.heads, tensor.width
            shape = (rows, heads, total, width)
            binding.take_at(tensor.past, kind, (rows, heads, total - 1, width), addresses[id(old)])
            binding.give_at(tensor.present, kind, shape, addresses[id(new)])
            present.append(new[: rows * heads * total * width].reshape(shape))
        return present
