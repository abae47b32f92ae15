"""What a graph does with padding, with several tokens at once and with its past's memory: tried.

No name or attribute tells it reliably: where a graph has fused attention, rows of different lengths
have to begin together; where it masks, they may end together; one that numbers positions by slots
can have no padding at all; and some older exports, traced with one new token, forgot that several
of them must not see each other. So four tokens are evaluated in each way and compared with the
plain one. Padding is filled with numbers that nobody could overlook.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from edgemind.engines.onnx.pack import Style
from edgemind.engines.onnx.runner import Array, Logits, Runner
from edgemind.errors import ModelError

TOKENS = (1, 7, 3, 11)
GAP = 16
"""Slots of padding: so many that a graph that counts them as positions gives itself away."""
LOUD = 100.0
TOLERANCE = 0.25
"""Most difference of two rows of logits, in their standard deviations: eight-bit products with one
scale for a whole batch differ so much, and a wrong mask by far more."""


@dataclass(frozen=True, slots=True)
class Nature:
    """How rows may be batched, whether several tokens may be evaluated after a past, and whether
    past and present may be the same memory."""

    style: Style
    several: bool
    in_place: bool


def probe(runner: Runner) -> Nature:
    """Find a graph's nature by running it on a few tokens.

    Raises `ModelError` where it does not even evaluate a prompt.
    """
    return _Probe(runner).nature()


class _Probe:
    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._tensors = runner.layout.tensors
        self._first: list[Array] = []

    def nature(self) -> Nature:
        ids = np.array([TOKENS])
        # First of all, since it tells the vocabulary's size.
        whole, _ = self._plain(ids)
        if not np.isfinite(whole).all():
            raise ModelError("the model computes numbers that are none: fetch it again")
        two, self._first = self._plain(ids[:, :2])
        _, past = self._plain(ids[:, :3])
        # Rows of three and of one token, each followed by its next one.
        expected = np.concatenate([whole, two])
        _, one = self._plain(ids[:, :1])
        style = Style.EQUAL
        if "attention_mask" in self._runner.layout.integers and self._runner.layout.rows is None:
            differences = {
                kind: self._difference(lambda kind=kind: self._ragged(kind, past, one), expected)  # type: ignore[misc]
                for kind in (Style.END, Style.BEGIN)
            }
            style = min(differences, key=lambda kind: differences[kind])
            if differences[style] > TOLERANCE:
                style = Style.EQUAL
        several = not self._runner.layout.one_token and (
            self._difference(self._continued, whole) <= TOLERANCE
        )
        return Nature(style, several, self._writes_in_place(style, past, whole))

    def _empty(self, rows: int, slots: int) -> list[Array]:
        return [
            np.full((rows, tensor.heads, slots, tensor.width), LOUD, tensor.kind)
            for tensor in self._tensors
        ]

    def _plain(self, ids: Array) -> tuple[Logits, list[Array]]:
        """One row from nothing: its logits and its cache."""
        length = ids.shape[1]
        present = self._empty(1, length)
        positions = np.arange(length)[None]
        logits = self._runner.run(ids, np.ones_like(ids), positions, self._empty(1, 0), present)
        return logits.copy(), present

    def _continued(self) -> Logits:
        """Two tokens, then the two that follow, at once."""
        present = self._empty(1, 4)
        ids, positions = np.array([TOKENS[2:]]), np.array([[2, 3]])
        return self._runner.run(ids, np.ones((1, 4)), positions, self._first, present)

    def _ragged(self, style: Style, longer: list[Array], shorter: list[Array]) -> Logits:
        """The fourth and the second token after rows of three and of one, with a gap."""
        slots = 3 if style is Style.BEGIN else 3 + GAP
        past = self._empty(2, slots)
        mask = np.zeros((2, slots + 1))
        for row, (source, length) in enumerate(((longer, 3), (shorter, 1))):
            start = 0 if style is Style.BEGIN else slots - length
            for array, held in zip(past, source, strict=True):
                array[row, :, start : start + length] = held[0]
            end = length + 1 if style is Style.BEGIN else slots + 1
            mask[row, start:end] = 1
        ids, positions = np.array([[TOKENS[3]], [TOKENS[1]]]), np.array([[3], [1]])
        return self._runner.run(ids, mask, positions, past, self._empty(2, slots + 1))

    def _writes_in_place(self, style: Style, past: list[Array], expected: Logits) -> bool:
        """Whether a graph takes a longer buffer as past and as present at once."""
        layout = self._runner.layout
        simple = len(self._runner.layouts) == 1 and not layout.branch
        if style is Style.END or not simple or "cache_position" in layout.integers:
            return False
        buffers = self._empty(1, GAP)
        for array, held in zip(buffers, past, strict=True):
            array[:, :, :3] = held

        def follow() -> Logits:
            ids = np.array([[TOKENS[3]]])
            return self._runner.run(ids, np.ones((1, 4)), np.array([[3]]), buffers, buffers)

        return self._difference(follow, expected) <= TOLERANCE

    def _difference(self, run: Callable[[], Logits], expected: Logits) -> float:
        """How far a run's logits are from the expected, in standard deviations of these."""
        try:
            logits = run()
        except ModelError:  # the graph refuses such shapes
            return np.inf
        if not np.isfinite(logits).all():
            return np.inf
        spread = expected.std(axis=-1, keepdims=True) + 1e-6
        return float((np.abs(logits - expected) / spread).max())
