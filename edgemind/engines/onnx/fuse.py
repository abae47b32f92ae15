"""Graphs that concatenate their cache, rewritten so that onnxruntime writes new keys in place.

Most exporters write attention out: past and new keys are concatenated, so that each step copies
the whole cache, and a dozen operators follow. onnxruntime has one operator for all that
(GroupQueryAttention), which appends to a buffer. Here each layer's attention is cut out of the
graph, computed on random numbers and compared with what it should be (`fuse_check`); only if all
layers are plain causal attention, for every length that the context allows, the operator takes
their place. Everything else in the graph stays as it is. Any doubt leaves the graph alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from edgemind.engines.onnx.folder import ModelFiles
from edgemind.engines.onnx.fuse_check import Core, proven_scale
from edgemind.engines.onnx.layout import IDS, MASK, POSITIONS, SLOTS, Layout, read_layout
from edgemind.formats.onnx_edit import (
    INT32,
    Graph,
    Node,
    float_number,
    model_of,
    node,
    read_graph,
    whole_numbers,
)

LEAST_OPSET = 13
"""From it on ReduceSum takes its axes as an input."""
MOST_CONTEXT = 16384
"""Tokens up to which it is worth to prove what attention does."""
MOST_NODES = 400
"""In the attention of one layer; more is something else."""
SHAPING = frozenset({"Transpose", "Unsqueeze", "Expand", "Reshape", "Gather", "Identity"})
TURN, FUSED = (0, 2, 1, 3), "edgemind.fused"
TWO = f"{FUSED}.two"


def fused_model(files: ModelFiles, context: int) -> tuple[bytes, Path] | None:
    """The rewritten model and the folder that its weights are named from; None where it stays.

    `context` is the most tokens that a branch will have. Raises what reading the file raises, and
    what `read_layout` does.
    """
    heads, path = files.config.get("num_attention_heads"), files.decoder
    if not isinstance(heads, int) or context > MOST_CONTEXT or files.with_past:
        return None
    graph = read_graph(path)
    if path.is_symlink() and not graph.elsewhere:  # in a cache of models: named is where it leads
        graph = read_graph(path.resolve())
    if graph.opset < LEAST_OPSET or any(one.nested for one in graph.nodes):
        return None
    layout = read_layout(graph, str(path))
    if layout.one_token or layout.rows or MASK not in layout.integers:
        return None
    if any(tensor.kind != "float32" for tensor in layout.tensors):
        return None
    cores = _Finding(graph, layout, heads).cores()
    scale = None if cores is None else proven_scale(graph, cores, layout, heads, context)
    if cores is None or scale is None:
        return None
    model = _Writing(graph, layout, heads).model(cores, scale)
    return None if model is None else (model, graph.home)


class _Finding:
    def __init__(self, graph: Graph, layout: Layout, heads: int) -> None:
        self._graph, self._layout, self._heads = graph, layout, heads
        self._maker, self._readers = makers(graph), readers(graph)

    # Finding

    def cores(self) -> list[Core] | None:
        """The attention of every layer, None if one is not found."""
        found = []
        tensors = {tensor.present: tensor for tensor in self._layout.tensors}
        for key in [name for name in tensors if name.endswith("key")]:
            value = f"{key.removesuffix('key')}value"
            if value not in tensors or tensors[key].heads != tensors[value].heads:
                return None
            if self._heads % tensors[key].heads or tensors[key].width != tensors[value].width:
                return None
            grown = [self._concatenated(name, tensors[name].past) for name in (key, value)]
            scores, mixed = (self._product(name) for name in (key, value))
            if not all(grown) or scores is None or mixed is None:
                return None
            query, output = scores.inputs[0], mixed.outputs[0]
            nodes = self._between({key, value, query}, output)
            if nodes is None or scores not in nodes:
                return None
            found.append(Core(key, value, query, output, nodes))
        return found if 2 * len(found) == len(tensors) else None

    def _concatenated(self, present: str, past: str) -> bool:
        one = self._maker.get(present)
        return (
            one is not None
            and one.operator == "Concat"
            and len(one.inputs) == 2
            and one.inputs[0] == past
            and one.numbers.get("axis") in ((2,), (-2,))
        )

    def _product(self, name: str) -> Node | None:
        """The one product whose right side a tensor is, once it was turned and repeated."""
        found: list[Node] = []
        waiting = [name]
        while waiting and len(found) < 2:
            name = waiting.pop()
            for one in self._readers.get(name, ()):
                if one.operator == "MatMul" and one.inputs[1] == name:
                    found.append(one)
                elif one.operator in SHAPING and one.inputs[0] == name:
                    waiting += one.outputs
        return found[0] if len(found) == 1 else None

    def _between(self, ends: set[str], output: str) -> tuple[Node, ...] | None:
        """All that `output` is computed from, up to `ends`: no weights, no other floats."""
        known, waiting = set(ends), [output]
        found: dict[int, Node] = {}
        allowed = {"", IDS, MASK, POSITIONS, SLOTS}
        while waiting:
            name = waiting.pop()
            if name in known or name in allowed:
                continue
            known.add(name)
            if name in self._graph.tensors and name not in self._graph.large:
                continue
            one = self._maker.get(name)
            if one is None or len(found) >= MOST_NODES:
                return None
            found[id(one)] = one
            waiting += one.inputs
        return tuple(one for one in self._graph.nodes if id(one) in found)


class _Writing:
    """Puts the operator in each core's place, and leaves out what nothing needs any more."""

    def __init__(self, graph: Graph, layout: Layout, heads: int) -> None:
        self._graph, self._heads = graph, heads
        self._caches = {tensor.present: tensor for tensor in layout.tensors}
        self._maker, self._readers = makers(graph), readers(graph)
        self._nodes: list[bytes] = []
        self._tensors: list[bytes] = []
        self._made: set[str] = set()
        self._wanted = {MASK, *graph.outputs}

    def model(self, cores: Iterable[Core], scale: float) -> bytes | None:
        """The model; None where something else looks at a cache, whose slots mean nothing now."""
        graph = self._graph
        seen, total = self._lengths()
        for layer, core in enumerate(cores):
            self._attention(f"{FUSED}.{layer}", core, scale, seen, total)
        alive: dict[int, Node] = {}
        waiting = [name for name in self._wanted if name not in self._made]
        while waiting:
            one = self._maker.get(waiting.pop())
            if one is not None and id(one) not in alive:
                alive[id(one)] = one
                waiting += [name for name in one.inputs if name not in self._made]
        caches = {name for one in self._caches.values() for name in (one.past, one.present)}
        kept = [one for one in graph.nodes if id(one) in alive]
        if any(not caches.isdisjoint(one.inputs) for one in kept):
            return None
        used = {name for one in kept for name in one.inputs}
        self._tensors.append(float_number(TWO, 2.0))
        return model_of(
            graph,
            [*(self._squared(one) or one.raw for one in kept), *self._nodes],
            [one.raw for one in graph.inputs.values()],
            [one.raw for one in graph.outputs.values()],
            [*(raw for name, raw in graph.tensors.items() if name in used), *self._tensors],
        )

    def _add(self, operator: str, inputs: Sequence[str], output: str, **attributes: Any) -> str:
        self._nodes.append(node(operator, inputs, [output], **attributes))
        self._made.add(output)
        return output

    def _whole(self, name: str, values: Sequence[int], **how: Any) -> str:
        self._tensors.append(whole_numbers(f"{FUSED}.{name}", values, **how))
        return f"{FUSED}.{name}"

    def _lengths(self) -> tuple[str, str]:
        """How many tokens each row holds but for its last, and how many the longest holds."""
        sums = self._add("ReduceSum", [MASK, self._whole("axis", [1])], f"{FUSED}.sums", keepdims=0)
        less = self._add("Cast", [sums], f"{FUSED}.less", to=INT32)
        one = self._whole("one", [1], kind=INT32)
        seen = self._add("Sub", [less, one], f"{FUSED}.seen")
        sizes = self._add("Shape", [MASK], f"{FUSED}.sizes")
        second = self._whole("second", [1], scalar=True)
        length = self._add("Gather", [sizes, second], f"{FUSED}.length", axis=0)
        return seen, self._add("Cast", [length], f"{FUSED}.total", to=INT32)

    def _attention(self, name: str, core: Core, scale: float, seen: str, total: str) -> None:
        key, value = self._caches[core.key], self._caches[core.value]
        parts = [
            self._flat(f"{name}.query", core.query, self._heads, key.width),
            self._flat(f"{name}.key", self._maker[core.key].inputs[1], key.heads, key.width),
            self._flat(f"{name}.value", self._maker[core.value].inputs[1], key.heads, key.width),
        ]
        mixed = self._joined(core.output, self._heads * key.width)
        if mixed is None:
            mixed = f"{name}.mixed"
            shape = self._whole(f"{name[len(FUSED) + 1 :]}.split", [0, 0, self._heads, key.width])
            split = self._add("Reshape", [mixed, shape], f"{name}.split.heads")
            self._add("Transpose", [split], core.output, perm=TURN)
        outputs = [mixed, core.key, core.value]
        self._nodes.append(
            node(
                "GroupQueryAttention",
                [*parts, key.past, value.past, seen, total],
                outputs,
                "com.microsoft",
                num_heads=self._heads,
                kv_num_heads=key.heads,
                scale=scale,
            )
        )
        self._made.update(outputs)

    def _squared(self, one: Node) -> bytes | None:
        """A product of a tensor with itself, before a mean, as onnxruntime knows it in a norm."""
        if one.operator != "Mul" or one.inputs[0] != one.inputs[1]:
            return None
        after = self._readers.get(one.outputs[0], ())
        if [reader.operator for reader in after] != ["ReduceMean"]:
            return None
        return node("Pow", [one.inputs[0], TWO], one.outputs)

    def _flat(self, name: str, part: str, heads: int, width: int) -> str:
        """A tensor of [rows, heads, tokens, width] as [rows, tokens, heads * width]."""
        turned = self._maker.get(part)
        if turned is not None and turned.operator == "Transpose" and turned.numbers["perm"] == TURN:
            split = self._maker.get(turned.inputs[0])
            if split is not None and split.operator == "Reshape":
                shape = self._graph.numbers.get(split.inputs[1])
                if shape == (0, 0, heads, width):
                    self._wanted.add(split.inputs[0])
                    return split.inputs[0]
        self._wanted.add(part)
        back = self._add("Transpose", [part], f"{name}.turned", perm=TURN)
        shape_name = self._whole(f"{name[len(FUSED) + 1 :]}.shape", [0, 0, heads * width])
        return self._add("Reshape", [back, shape_name], f"{name}.flat")

    def _joined(self, output: str, width: int) -> str | None:
        """The tensor that is a core's output as [rows, tokens, width], where there is one."""
        [*turns] = self._readers.get(output, ())
        if len(turns) != 1 or turns[0].operator != "Transpose" or turns[0].numbers["perm"] != TURN:
            return None
        [*joins] = self._readers.get(turns[0].outputs[0], ())
        if len(joins) != 1 or joins[0].operator != "Reshape":
            return None
        shape = self._graph.numbers.get(joins[0].inputs[1])
        return joins[0].outputs[0] if shape in ((0, 0, width), (0, 0, -1)) else None


def makers(graph: Graph) -> dict[str, Node]:
    """Tensor → the operator that gives it."""
    return {name: one for one in graph.nodes for name in one.outputs if name}


def readers(graph: Graph) -> dict[str, list[Node]]:
    """Tensor → the operators that take it."""
    found: dict[str, list[Node]] = {}
    for one in graph.nodes:
        for name in dict.fromkeys(one.inputs):
            found.setdefault(name, []).append(one)
    return found
