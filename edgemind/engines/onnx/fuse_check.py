"""Whether what was cut out of a graph is plain causal attention: computed, and compared.

The parts of all layers that stand between queries, keys, values and the mixed values hold no
weights, so they are a small model of their own. It gets random numbers for one and for two rows,
with and without a past, and as many keys as the context allows, since a window shows only there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgemind.engines.onnx.layout import IDS, MASK, POSITIONS, SLOTS, Layout
from edgemind.engines.onnx.runner import SILENT, Array, load_onnxruntime
from edgemind.formats.onnx_edit import FLOAT32, Graph, Node, model_of, port

TOLERANCE = 1e-4
"""Values are about one; sums of thousands of float32 end a little elsewhere."""
SHORT = ((2, 0, 5), (2, 6, 1), (1, 4, 3))
"""Rows, tokens of the past, new tokens."""


@dataclass(frozen=True, slots=True)
class Core:
    """One layer's attention: what goes in, what comes out, and the operators between."""

    key: str
    value: str
    query: str
    output: str
    nodes: tuple[Node, ...]


def proven_scale(
    graph: Graph, cores: Sequence[Core], layout: Layout, heads: int, context: int
) -> float | None:
    """What products of queries and keys are multiplied with; None where it is something else."""
    width = layout.tensors[0].width
    if any(tensor.width != width for tensor in layout.tensors):
        return None
    try:
        proof = _Proof(graph, cores, layout, heads)
    except Exception:  # onnxruntime's have no common base: what was cut out does not stand alone
        return None
    for scale in (1.0, width**-0.5):
        if all(proof.holds(case, scale) for case in (*SHORT, (1, context - 1, 1))):
            return scale
    return None


class _Proof:
    def __init__(self, graph: Graph, cores: Sequence[Core], layout: Layout, heads: int) -> None:
        self._cores, self._heads = cores, heads
        self._caches = {tensor.present: tensor for tensor in layout.tensors}
        self._integers = layout.integers
        library = load_onnxruntime()
        settings = library.SessionOptions()
        settings.log_severity_level = SILENT
        settings.intra_op_num_threads = 1
        nodes = {one.raw: one for core in cores for one in core.nodes}
        used = {name for one in nodes.values() for name in one.inputs}
        ends = [name for core in cores for name in (core.query, core.key, core.value)]
        model = model_of(
            graph,
            nodes,
            [*(graph.inputs[name].raw for name in layout.integers if name in used),
             *(port(name, FLOAT32) for name in dict.fromkeys(ends))],
            [port(core.output, FLOAT32) for core in cores],
            [raw for name, raw in graph.tensors.items() if name in used],
        )  # fmt: skip
        self._wanted = used | {*ends}
        self._session: Any = library.InferenceSession(
            model, settings, providers=["CPUExecutionProvider"]
        )

    def holds(self, case: tuple[int, int, int], scale: float) -> bool:
        """Whether every layer gives what attention gives; also whether it runs at all."""
        rows, past, new = case
        total = past + new
        chance = np.random.default_rng(total)
        values: dict[str, Array] = {
            IDS: np.zeros((rows, new)), MASK: np.ones((rows, total)),
            POSITIONS: np.tile(np.arange(past, total), (rows, 1)), SLOTS: np.arange(past, total),
        }  # fmt: skip
        feeds = {
            name: values[name].astype(kind)
            for name, kind in self._integers.items()
            if name in self._wanted and name in values
        }
        first = self._caches[self._cores[0].key]
        width, shared = first.width, first.heads
        # Scores of a few units, so that what bends large ones shows itself.
        query, key, value = (
            chance.random((rows, heads, length, width), np.float32) - np.float32(0.5)
            for heads, length in ((self._heads, new), (shared, total), (shared, total))
        )
        query *= np.float32(40 / (scale * width**0.5))
        for core in self._cores:
            if self._caches[core.key].heads != shared:
                return False
            feeds |= {core.query: query, core.key: key, core.value: value}
        expected = attention(query, key, value, scale)
        try:
            found: Sequence[Array] = self._session.run(None, feeds)
        except Exception:  # it refuses these shapes: it is something else
            return False
        return all(
            one.shape == expected.shape and float(np.abs(one - expected).max()) <= TOLERANCE
            for one in found
        )


def attention(query: Array, key: Array, value: Array, scale: float) -> Array:
    """Causal attention of the last tokens, (rows, heads, tokens, width); groups share keys."""
    group = query.shape[1] // key.shape[1]
    if group > 1:
        key, value = (np.repeat(one, group, axis=1) for one in (key, value))
    scores = scale * (query @ key.transpose(0, 1, 3, 2))
    new, total = scores.shape[2:]
    hidden = np.arange(total) > np.arange(total - new, total)[:, None]
    scores = np.where(hidden, -np.inf, scores)
    shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
    mixed: Array = (shares / shares.sum(axis=-1, keepdims=True)) @ value
    return mixed
