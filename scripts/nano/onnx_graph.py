"""The network of edgemind-nano as an ONNX graph with a key/value cache, in optimum's layout.

Reached from export_onnx.py. Inputs: `input_ids`, `attention_mask`, `position_ids` and
`past_key_values.{i}.key/value` of [batch, kv_heads, past, head_width]; outputs: `logits` and
`present.{i}.key/value`. Rows may be padded on either side: the mask hides padding, the positions
say where a token stands. Rotary pairs lie half a head apart, as in Hugging Face's Llama, so the
rows of the query and key matrices are in another order than in the GGUF file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from nano_model import ModelConfig

Array = NDArray[Any]
OPSET = 18
BLOCK = 32
"""Weights share a scale in runs of 32, as in GGUF's Q8_0: the same numbers in both files."""
INT8_PRODUCTS = 4
"""`accuracy_level`: what comes in is rounded to eight bits per block too, as llama.cpp does it for
Q8_0. Without it a step took 7.6 ms instead of 0.4 (docs/log.md)."""
HIDDEN = -1e9
"""Added to a score that must not count; finite, so that a row of padding stays a number."""


class LlamaGraph:
    """Builds the graph. With `eight_bits` matrices are stored as `MatMulNBits` reads them."""

    def __init__(
        self, config: ModelConfig, weights: Mapping[str, Array], eight_bits: bool = False
    ) -> None:
        self.config = config
        self.weights = weights
        self.eight_bits = eight_bits
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        self._known: set[str] = set()

    # Pieces

    def _add(self, kind: str, inputs: Sequence[str], name: str, **attributes: Any) -> str:
        self._nodes.append(helper.make_node(kind, list(inputs), [name], name=name, **attributes))
        return name

    def _constant(self, name: str, value: Array) -> str:
        if name not in self._known:
            self._known.add(name)
            self._constants.append(numpy_helper.from_array(value, name))
        return name

    def _ints(self, *values: int) -> str:
        name = "ints." + ".".join(map(str, values))
        return self._constant(name, np.array(values, dtype=np.int64))

    def _linear(self, x: str, name: str, matrix: Array) -> str:
        """x @ matrix.T for a matrix of [out, in]."""
        if not self.eight_bits:
            weight = self._constant(f"{name}.weight", np.ascontiguousarray(matrix.T))
            return self._add("MatMul", [x, weight], f"{name}.product")
        scales, quants = eight_bit_blocks(matrix)
        inputs = [
            x,
            self._constant(f"{name}.quants", quants),
            self._constant(f"{name}.scales", scales),
        ]
        return self._add(
            "MatMulNBits", inputs, f"{name}.product", domain="com.microsoft", bits=8,
            block_size=BLOCK, accuracy_level=INT8_PRODUCTS, K=matrix.shape[1], N=matrix.shape[0],
        )  # fmt: skip

    def _norm(self, x: str, name: str) -> str:
        gain = self._constant(f"{name}.gain", self.weights[f"{name}.weight"])
        epsilon = self._constant("epsilon", np.array(self.config.norm_epsilon, np.float32))
        square = self._add("Mul", [x, x], f"{name}.square")
        mean = self._add("ReduceMean", [square, self._ints(-1)], f"{name}.mean", keepdims=1)
        root = self._add(
            "Sqrt", [self._add("Add", [mean, epsilon], f"{name}.safe")], f"{name}.root"
        )
        return self._add(
            "Mul", [self._add("Div", [x, root], f"{name}.unit"), gain], f"{name}.scaled"
        )

    def _part(self, x: str, start: int, end: int, name: str) -> str:
        """x[..., start:end]."""
        inputs = [x, self._ints(start), self._ints(end), self._ints(-1)]
        return self._add("Slice", inputs, name)

    def _rotated(self, x: str, name: str) -> str:
        half = self.config.head_width // 2
        low, high = (
            self._part(x, start, start + half, f"{name}.{side}")
            for side, start in (("low", 0), ("high", half))
        )
        turned = self._add(
            "Concat", [self._add("Neg", [high], f"{name}.minus"), low], f"{name}.turned", axis=-1
        )
        return self._add(
            "Add",
            [
                self._add("Mul", [x, "cos"], f"{name}.cos"),
                self._add("Mul", [turned, "sin"], f"{name}.sin"),
            ],
            f"{name}.placed",
        )

    def _heads(self, x: str, heads: int, name: str) -> str:
        """[batch, length, heads * width] -> [batch, heads, length, width]."""
        shape = self._ints(0, 0, heads, self.config.head_width)
        return self._add(
            "Transpose",
            [self._add("Reshape", [x, shape], f"{name}.split")],
            f"{name}.heads",
            perm=[0, 2, 1, 3],
        )

    # Parts of the network

    def _shared(self) -> None:
        """Cosines and sines of the positions, and the mask that is added to every score."""
        config = self.config
        half = np.arange(0, config.head_width, 2, dtype=np.float64)
        frequencies = config.rope_base ** (-half / config.head_width)
        angles = np.outer(np.arange(config.context, dtype=np.float64), frequencies)
        for name, table in (("cos", np.cos(angles)), ("sin", np.sin(angles))):
            rows = self._constant(f"{name}.table", table.astype(np.float32))
            picked = self._add("Gather", [rows, "position_ids"], f"{name}.rows")
            whole = self._add("Concat", [picked, picked], f"{name}.both", axis=-1)
            self._add("Unsqueeze", [whole, self._ints(1)], name)
        zero, one = (self._constant(f"scalar.{n}", np.array(n, np.int64)) for n in (0, 1))
        total = self._add(
            "Squeeze",
            [self._add("Shape", ["attention_mask"], "mask.total", start=1, end=2)],
            "total",
        )
        length = self._add(
            "Squeeze", [self._add("Shape", ["input_ids"], "ids.length", start=1, end=2)], "length"
        )
        past = self._add("Sub", [total, length], "past")
        keys = self._add("Range", [zero, total, one], "keys")
        queries = self._add("Range", [past, total, one], "queries")
        causal = self._add(
            "LessOrEqual",
            [keys, self._add("Unsqueeze", [queries, self._ints(1)], "queries.column")],
            "causal",
        )
        real = self._add("Cast", ["attention_mask"], "real", to=TensorProto.BOOL)
        real = self._add("Unsqueeze", [real, self._ints(1, 2)], "real.rows")
        seen = self._add("And", [causal, real], "seen")
        values = [
            self._constant("shown", np.array(0, np.float32)),
            self._constant("hidden", np.array(HIDDEN, np.float32)),
        ]
        self._add("Where", [seen, *values], "bias")

    def _attention(self, x: str, layer: int) -> str:
        config, name = self.config, f"blocks.{layer}"
        normed = self._norm(x, f"{name}.attention_norm")
        rows = [half_split(self.weights[f"{name}.{part}.weight"], config.head_width)
                for part in ("query", "key")]  # fmt: skip
        joined = np.concatenate([*rows, self.weights[f"{name}.value.weight"]])
        projected = self._linear(normed, f"{name}.qkv", joined)
        wide, narrow = config.heads * config.head_width, config.kv_heads * config.head_width
        query = self._part(projected, 0, wide, f"{name}.query")
        key = self._part(projected, wide, wide + narrow, f"{name}.key")
        value = self._part(projected, wide + narrow, wide + 2 * narrow, f"{name}.value")
        query = self._rotated(self._heads(query, config.heads, f"{name}.query"), f"{name}.query")
        key = self._rotated(self._heads(key, config.kv_heads, f"{name}.key"), f"{name}.key")
        value = self._heads(value, config.kv_heads, f"{name}.value")
        for kind, new in (("key", key), ("value", value)):
            held = f"past_key_values.{layer}.{kind}"
            self._add("Concat", [held, new], f"present.{layer}.{kind}", axis=2)
        keys, values = f"present.{layer}.key", f"present.{layer}.value"
        if config.kv_heads != config.heads:
            keys, values = (self._repeated(entry) for entry in (keys, values))
        scale = self._constant("scale", np.array(config.head_width**-0.5, np.float32))
        query = self._add("Mul", [query, scale], f"{name}.query.scaled")
        turned = self._add("Transpose", [keys], f"{name}.keys.turned", perm=[0, 1, 3, 2])
        scores = self._add("MatMul", [query, turned], f"{name}.scores")
        scores = self._add("Add", [scores, "bias"], f"{name}.scores.masked")
        shares = self._add("Softmax", [scores], f"{name}.shares", axis=-1)
        mixed = self._add("MatMul", [shares, values], f"{name}.mixed")
        mixed = self._add("Transpose", [mixed], f"{name}.mixed.turned", perm=[0, 2, 1, 3])
        mixed = self._add("Reshape", [mixed, self._ints(0, 0, wide)], f"{name}.mixed.joined")
        output = self._linear(mixed, f"{name}.output", self.weights[f"{name}.output.weight"])
        return self._add("Add", [x, output], f"{name}.attended")

    def _repeated(self, entry: str) -> str:
        """Each key/value head once for every query head that shares it."""
        config = self.config
        index = np.repeat(np.arange(config.kv_heads), config.heads // config.kv_heads)
        heads = self._constant("grouped", index.astype(np.int64))
        return self._add("Gather", [entry, heads], f"{entry}.repeated", axis=1)

    def _feed(self, x: str, layer: int) -> str:
        config, name = self.config, f"blocks.{layer}"
        normed = self._norm(x, f"{name}.feed_norm")
        joined = np.concatenate([self.weights[f"{name}.{part}.weight"] for part in ("gate", "up")])
        both = self._linear(normed, f"{name}.gate_up", joined)
        gate = self._part(both, 0, config.hidden, f"{name}.gate")
        up = self._part(both, config.hidden, 2 * config.hidden, f"{name}.up")
        open_ = self._add("Sigmoid", [gate], f"{name}.gate.open")
        passed = self._add("Mul", [gate, open_], f"{name}.gate.passed")
        inner = self._add("Mul", [passed, up], f"{name}.inner")
        down = self._linear(inner, f"{name}.down", self.weights[f"{name}.down.weight"])
        return self._add("Add", [x, down], f"{name}.fed")

    def model(self) -> onnx.ModelProto:
        """The whole model, checked."""
        config = self.config
        self._shared()
        table = self._constant("embedding.table", self.weights["embedding.weight"])
        x = self._add("Gather", [table, "input_ids"], "embedded")
        for layer in range(config.layers):
            x = self._feed(self._attention(x, layer), layer)
        states = self._norm(x, "norm")
        head = self.weights["embedding.weight" if config.tied else "head.weight"]
        self._nodes.append(
            helper.make_node("Identity", [self._linear(states, "head", head)], ["logits"])
        )

        def tensor(name: str, kind: int, *shape: str | int) -> onnx.ValueInfoProto:
            return helper.make_tensor_value_info(name, kind, list(shape))

        def cache(prefix: str, length: str) -> list[onnx.ValueInfoProto]:
            return [
                tensor(f"{prefix}.{layer}.{kind}", TensorProto.FLOAT, "batch_size",
                       config.kv_heads, length, config.head_width)
                for layer in range(config.layers) for kind in ("key", "value")
            ]  # fmt: skip

        whole, integer = "past_sequence_length + sequence_length", TensorProto.INT64
        inputs = [
            tensor("input_ids", integer, "batch_size", "sequence_length"),
            tensor("attention_mask", integer, "batch_size", whole),
            tensor("position_ids", integer, "batch_size", "sequence_length"),
            *cache("past_key_values", "past_sequence_length"),
        ]
        outputs = [
            tensor("logits", TensorProto.FLOAT, "batch_size", "sequence_length", config.vocabulary),
            *cache("present", whole),
        ]
        graph = helper.make_graph(self._nodes, "edgemind-nano", inputs, outputs, self._constants)
        opsets = [helper.make_opsetid("", OPSET)]
        if self.eight_bits:
            opsets.append(helper.make_opsetid("com.microsoft", 1))
        model = helper.make_model(graph, opset_imports=opsets, producer_name="edgemind")
        model.ir_version = 9
        onnx.checker.check_model(model)
        return model


def half_split(matrix: Array, head_width: int) -> Array:
    """Rows in the order in which rotary pairs lie half a head apart instead of side by side."""
    pairs = matrix.reshape(-1, head_width // 2, 2, matrix.shape[1])
    return np.ascontiguousarray(pairs.transpose(0, 2, 1, 3).reshape(matrix.shape))


def eight_bit_blocks(matrix: Array) -> tuple[Array, Array]:
    """Scales [out * blocks] and unsigned quants [out, blocks, 32] (128 is zero) of a matrix.

    The values are those of GGUF's Q8_0: scales rounded to half precision, quants to nearest.
    """
    blocks = matrix.astype(np.float32).reshape(matrix.shape[0], -1, BLOCK)
    exact = np.abs(blocks).max(-1, keepdims=True) / 127
    inverse = np.divide(1, exact, out=np.zeros_like(exact), where=exact > 0)
    product = blocks * inverse
    # Halves away from zero, as ggml rounds.
    quants = np.sign(product) * np.floor(np.abs(product) + np.float32(0.5))
    scales = exact.astype(np.float16).astype(np.float32)
    return scales.reshape(-1), (quants + 128).astype(np.uint8)
