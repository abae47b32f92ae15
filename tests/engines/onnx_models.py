"""Tiny decoders with random weights, in the layouts that exporters write.

Two layers, four query heads, 600 tokens (the bytes, pairs of letters, three special ones). `Kind`
says what an export is like; `write` makes its folder, `plain_logits` is what it computes without
any cache.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from edgemind.engines.onnx.vocabulary import byte_characters

SPECIALS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
VOCABULARY = 600
LAYERS, HEADS, HEAD = 2, 4, 16
WIDTH, INNER, CONTEXT = HEADS * HEAD, 48, 2048
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """What an export is like. `positions`: where a token's place comes from.

    `ids` is an input, `mask` the sum of the mask, `slots` the length of the cache; `fused` leaves
    all to GroupQueryAttention.
    """

    positions: Literal["ids", "mask", "slots", "fused"] = "ids"
    layout: Literal["single", "merged", "pair", "genai"] = "single"
    kv_heads: int = HEADS
    half: bool = False
    keep: bool = False
    one_token: bool = False
    forgets_order: bool = False
    """As exports that were traced with one new token: several of them see each other."""
    slots_input: bool = False
    direct: bool = False
    """The cache is given as it was concatenated: attention that can be told to be attention."""
    window: int | None = None
    """No token sees one so far behind it."""


MATRIX = {
    "position_ids": Kind(),
    "no position ids": Kind(positions="mask"),
    "positions by slot": Kind(positions="slots"),
    "merged": Kind(layout="merged"),
    "pair": Kind(layout="pair"),
    "pair, one token": Kind(layout="pair", one_token=True),
    "half": Kind(half=True),
    "grouped": Kind(kv_heads=2),
    "genai": Kind("fused", "genai", kv_heads=2),
    "genai, half": Kind("fused", "genai", kv_heads=1, half=True),
    "keep": Kind(keep=True, kv_heads=2),
    "forgets order": Kind(layout="pair", forgets_order=True),
    "cache_position": Kind(positions="mask", slots_input=True),
    "direct": Kind(kv_heads=2, direct=True),
    "direct, no position ids": Kind(positions="mask", kv_heads=1, direct=True),
    "direct, by slot": Kind(positions="slots", direct=True),
    "direct, with a window": Kind(direct=True, window=12),
}


class _Builder:
    """One graph: inputs, weights, nodes. `prefix` keeps the names of subgraphs apart."""

    def __init__(self, kind: Kind, past: bool, one: bool, prefix: str = "") -> None:
        self.kind = kind
        self.past = past
        self.one = one
        self.prefix = prefix
        self.nodes: list[onnx.NodeProto] = []
        self.weights: dict[str, onnx.TensorProto] = {}
        self.chance = np.random.default_rng(5)

    def add(self, op: str, inputs: Sequence[str], name: str, **attributes: Any) -> str:
        name = self.prefix + name
        self.nodes.append(helper.make_node(op, list(inputs), [name], name=name, **attributes))
        return name

    def constant(self, name: str, value: Array) -> str:
        self.weights[name] = numpy_helper.from_array(value, name)
        return name

    def ints(self, *values: int) -> str:
        return self.constant("ints." + ".".join(map(str, values)), np.array(values, np.int64))

    def random(self, name: str, *shape: int) -> str:
        scale = 1.5 / np.sqrt(shape[0])
        return self.constant(name, self.chance.normal(0, scale, shape).astype(np.float32))

    def length_of(self, tensor: str, axis: int, name: str) -> str:
        return self.add("Shape", [tensor], name, start=axis, end=axis + 1)

    def scalar(self, value: int) -> str:
        return self.constant(f"scalar.{value}", np.array(value, np.int64))

    # Parts

    def places(self) -> None:
        """What of keys each query sees (`bias`), and each token's position (`places`)."""
        total = self.add("Squeeze", [self.length_of("attention_mask", 1, "total.1")], "total")
        new = self.add("Squeeze", [self.length_of("input_ids", 1, "new.1")], "new")
        before = self.add("Sub", [total, new], "before")
        keys = self.add("Range", [self.scalar(0), total, self.scalar(1)], "keys")
        if self.kind.slots_input:
            queries = "cache_position"
        else:
            queries = self.add("Range", [before, total, self.scalar(1)], "queries")
        if self.kind.forgets_order and self.past:
            queries = self.add("Add", [queries, self.scalar(CONTEXT)], "queries.late")
        column = self.add("Unsqueeze", [queries, self.ints(1)], "queries.column")
        causal = self.add("LessOrEqual", [keys, column], "causal")
        if self.kind.window:
            behind = self.add("Sub", [column, keys], "behind")
            near = self.add("Less", [behind, self.scalar(self.kind.window)], "near")
            causal = self.add("And", [causal, near], "causal.near")
        real = self.add("Cast", ["attention_mask"], "real", to=TensorProto.BOOL)
        real = self.add("Unsqueeze", [real, self.ints(1, 2)], "real.rows")
        seen = self.add("And", [causal, real], "seen")
        shown = self.constant("shown", np.array(0, np.float32))
        hidden = self.constant("hidden", np.array(-1e9, np.float32))
        self.add("Where", [seen, shown, hidden], "bias")
        if self.kind.positions == "ids":
            self.add("Identity", ["position_ids"], "places")
        elif self.kind.positions == "mask":
            sums = self.add("CumSum", ["attention_mask", self.scalar(1)], "sums")
            all_places = self.add("Sub", [sums, self.scalar(1)], "all.places")
            start = self.add("Unsqueeze", [before, self.ints(0)], "before.1")
            end = self.add("Unsqueeze", [total, self.ints(0)], "total.end")
            self.add("Slice", [all_places, start, end, self.ints(1)], "places")
        else:
            row = self.add("Range", [before, total, self.scalar(1)], "slots")
            self.add("Unsqueeze", [row, self.ints(0)], "places")

    def heads(self, x: str, count: int, name: str) -> str:
        shape = self.ints(0, 0, count, HEAD)
        split = self.add("Reshape", [x, shape], f"{name}.split")
        return self.add("Transpose", [split], f"{name}.heads", perm=[0, 2, 1, 3])

    def attention(self, x: str, layer: int) -> str:
        kind, name = self.kind, f"layer.{layer}"
        query, key, value = (
            self.add("MatMul", [x, self.random(f"{name}.{part}.w", WIDTH, count * HEAD)],
                     f"{name}.{part}")
            for part, count in (("query", HEADS), ("key", kind.kv_heads), ("value", kind.kv_heads))
        )  # fmt: skip
        if kind.positions == "fused":
            return self.fused(query, key, value, layer)
        query = self.heads(query, HEADS, f"{name}.query")
        whole = []
        for part, new in (("key", key), ("value", value)):
            split = self.heads(new, kind.kv_heads, f"{name}.{part}")
            if self.past:
                held = f"past_key_values.{layer}.{part}"
                if kind.half:
                    held = self.add("Cast", [held], f"{name}.{part}.held", to=TensorProto.FLOAT)
                whole_name = f"present.{layer}.{part}" if kind.direct else f"{name}.{part}.all"
                split = self.add("Concat", [held, split], whole_name, axis=2)
            if kind.direct and self.past:
                pass
            elif kind.half:
                self.add("Cast", [split], f"present.{layer}.{part}", to=TensorProto.FLOAT16)
            else:
                self.add("Identity", [split], f"present.{layer}.{part}")
            index = np.repeat(np.arange(kind.kv_heads), HEADS // kind.kv_heads)
            shared = self.constant("shared.heads", index.astype(np.int64))
            whole.append(self.add("Gather", [split, shared], f"{name}.{part}.wide", axis=1))
        turned = self.add("Transpose", [whole[0]], f"{name}.turned", perm=[0, 1, 3, 2])
        scores = self.add("MatMul", [query, turned], f"{name}.scores")
        scores = self.add("Add", [scores, self.prefix + "bias"], f"{name}.masked")
        shares = self.add("Softmax", [scores], f"{name}.shares", axis=-1)
        mixed = self.add("MatMul", [shares, whole[1]], f"{name}.mixed")
        mixed = self.add("Transpose", [mixed], f"{name}.back", perm=[0, 2, 1, 3])
        return self.add("Reshape", [mixed, self.ints(0, 0, WIDTH)], f"{name}.joined")

    def fused(self, query: str, key: str, value: str, layer: int) -> str:
        """GroupQueryAttention, as onnxruntime-genai's builder uses it."""
        name = f"layer.{layer}"
        floats = TensorProto.FLOAT16 if self.kind.half else TensorProto.FLOAT
        parts = [
            self.add("Cast", [part], f"{part}.cast", to=floats) for part in (query, key, value)
        ]
        angles = np.outer(np.arange(CONTEXT), 10_000.0 ** (-np.arange(0, HEAD, 2) / HEAD))
        number = np.float16 if self.kind.half else np.float32
        tables = [
            self.constant(f"{turn.__name__}.table", turn(angles).astype(number))
            for turn in (np.cos, np.sin)
        ]
        past = [f"past_key_values.{layer}.{part}" for part in ("key", "value")]
        present = [f"present.{layer}.{part}" for part in ("key", "value")]
        self.nodes.append(
            helper.make_node(
                "GroupQueryAttention",
                [*parts, *past, "seqlens", "total.length", *tables],
                [f"{name}.fused", *present],
                domain="com.microsoft",
                num_heads=HEADS,
                kv_num_heads=self.kind.kv_heads,
                do_rotary=1,
            )
        )
        return self.add("Cast", [f"{name}.fused"], f"{name}.joined", to=TensorProto.FLOAT)

    def lengths(self) -> None:
        sums = self.add("ReduceSum", ["attention_mask", self.ints(1)], "sums", keepdims=0)
        less = self.add("Sub", [sums, self.scalar(1)], "sums.less")
        self.add("Cast", [less], "seqlens", to=TensorProto.INT32)
        total = self.add("Squeeze", [self.length_of("attention_mask", 1, "total.1")], "total")
        self.add("Cast", [total], "total.length", to=TensorProto.INT32)

    def build(self) -> None:
        """All nodes, up to `logits` and the present cache."""
        x = self.add("Gather", [self.random("table", VOCABULARY, WIDTH), "input_ids"], "embedded")
        self.weights["table"] = numpy_helper.from_array(
            self.chance.normal(0, 1, (VOCABULARY, WIDTH)).astype(np.float32), "table"
        )
        if self.kind.positions == "fused":
            self.lengths()
        else:
            self.places()
            table = self.random("positions", CONTEXT, WIDTH)
            self.weights["positions"] = numpy_helper.from_array(
                self.chance.normal(0, 1, (CONTEXT, WIDTH)).astype(np.float32), "positions"
            )
            places = self.add("Gather", [table, self.prefix + "places"], "placed")
            x = self.add("Add", [x, places], "begun")
        for layer in range(LAYERS):
            name = f"layer.{layer}"
            mixed = self.attention(x, layer)
            out = self.random(f"{name}.out.w", WIDTH, WIDTH)
            mixed = self.add("MatMul", [mixed, out], f"{name}.out")
            x = self.add("Add", [x, mixed], f"{name}.attended")
            up = self.random(f"{name}.up.w", WIDTH, INNER)
            inner = self.add("Tanh", [self.add("MatMul", [x, up], f"{name}.up")], f"{name}.inner")
            down = self.random(f"{name}.down.w", INNER, WIDTH)
            inner = self.add("MatMul", [inner, down], f"{name}.down")
            x = self.add("Add", [x, inner], f"{name}.fed")
        if self.kind.keep:
            start = self.add("Neg", ["num_logits_to_keep"], "kept.from")
            start = self.add("Unsqueeze", [start, self.ints(0)], "kept.from.1")
            x = self.add("Slice", [x, start, self.ints(1 << 60), self.ints(1)], "kept")
        self.add("MatMul", [x, self.random("head", WIDTH, VOCABULARY)], "logits")

    def inputs(self) -> list[onnx.ValueInfoProto]:
        integer = TensorProto.INT64
        new: str | int = 1 if self.one else "sequence_length"
        found = [
            _tensor("input_ids", integer, "batch_size", new),
            _tensor("attention_mask", integer, "batch_size", "total_sequence_length"),
        ]
        if self.kind.positions == "ids":
            found.append(_tensor("position_ids", integer, "batch_size", new))
        if self.kind.slots_input:
            found.append(_tensor("cache_position", integer, new))
        if self.past or self.kind.layout == "merged":
            found += self.caches("past_key_values", "past_sequence_length")
        if self.kind.layout == "merged":
            found.append(_tensor("use_cache_branch", TensorProto.BOOL, 1))
        if self.kind.keep:
            found.append(_tensor("num_logits_to_keep", integer))
        return found

    def outputs(self) -> list[onnx.ValueInfoProto]:
        logits = _tensor("logits", TensorProto.FLOAT, "batch_size", "kept_length", VOCABULARY)
        return [logits, *self.caches("present", "total_sequence_length")]

    def caches(self, prefix: str, length: str) -> list[onnx.ValueInfoProto]:
        floats = TensorProto.FLOAT16 if self.kind.half else TensorProto.FLOAT
        return [
            _tensor(f"{prefix}.{layer}.{part}", floats, "batch_size", self.kind.kv_heads, length,
                    HEAD)
            for layer in range(LAYERS) for part in ("key", "value")
        ]  # fmt: skip


def _tensor(name: str, kind: int, *shape: str | int) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, list(shape))


def _model(kind: Kind, past: bool = True, one: bool = False) -> onnx.ModelProto:
    builder = _Builder(kind, past, one)
    if kind.layout == "merged":
        nodes, weights = _merged(builder)
    else:
        builder.build()
        nodes, weights = builder.nodes, [*builder.weights.values()]
    graph = helper.make_graph(nodes, "tiny", builder.inputs(), builder.outputs(), weights)
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(graph, opset_imports=opsets)
    model.ir_version = 9
    return model


def _merged(outer: _Builder) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    """An If over a graph with and one without a past; weights are shared by both."""
    branches, weights = {}, {}
    names = [entry.name for entry in outer.outputs()]
    for branch, past in (("then_branch", True), ("else_branch", False)):
        builder = _Builder(outer.kind, past, False, prefix=f"{branch}/")
        builder.build()
        weights.update(builder.weights)
        inner = [
            helper.make_tensor_value_info(f"{branch}/{entry.name}",
                                          entry.type.tensor_type.elem_type, None)
            for entry in outer.outputs()
        ]  # fmt: skip
        branches[branch] = helper.make_graph(builder.nodes, branch, [], inner)
    choice = helper.make_node("If", ["use_cache_branch"], names, **branches)
    return [choice], [*weights.values()]


def tokenizer_json() -> dict[str, Any]:
    """A byte-level tokenizer: the bytes are tokens, pairs of letters, and the special ones."""
    vocabulary = {letter: byte for letter, byte in byte_characters().items()}
    merges = [f"{a} {b}" for a, b in itertools.product("etaoinshrdlucmfwypvbg", repeat=2)]
    merges = merges[: VOCABULARY - len(vocabulary) - len(SPECIALS)]
    for pair in merges:
        vocabulary[pair.replace(" ", "")] = len(vocabulary)
    added = [
        {"id": len(vocabulary) + index, "content": text, "special": True, "normalized": False,
         "single_word": False, "lstrip": False, "rstrip": False}
        for index, text in enumerate(SPECIALS)
    ]  # fmt: skip
    level = {
        "type": "ByteLevel",
        "add_prefix_space": False,
        "trim_offsets": True,
        "use_regex": True,
    }
    return {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": added,
        "normalizer": None, "pre_tokenizer": level, "post_processor": None, "decoder": level,
        "model": {"type": "BPE", "dropout": None, "unk_token": None, "fuse_unk": False,
                  "byte_fallback": False, "continuing_subword_prefix": None,
                  "end_of_word_suffix": None, "vocab": vocabulary, "merges": merges},
    }  # fmt: skip


def write(folder: Path, kind: Kind = Kind(), name: str = "model.onnx") -> Path:
    """Write an export of this kind; its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    if kind.layout == "pair":
        _save(_model(kind, past=False), folder / "decoder_model.onnx")
        _save(_model(kind, one=kind.one_token), folder / "decoder_with_past_model.onnx")
    elif kind.layout == "merged":
        _save(_model(kind), folder / "onnx" / "decoder_model_merged.onnx")
    else:
        _save(_model(kind, one=kind.one_token), folder / name)
    ends = [VOCABULARY - 1, VOCABULARY - 3]
    files: dict[str, Any] = {
        "tokenizer.json": tokenizer_json(),
        "tokenizer_config.json": {"bos_token": SPECIALS[0], "eos_token": SPECIALS[2],
                                  "add_bos_token": False, "chat_template": TEMPLATE},
    }  # fmt: skip
    if kind.layout == "genai":
        files["genai_config.json"] = {
            "model": {"type": "llama", "context_length": CONTEXT, "eos_token_id": ends,
                      "decoder": {"filename": name}},
            "search": {"top_k": 11},
        }  # fmt: skip
    else:
        files["config.json"] = {
            "model_type": "llama", "max_position_embeddings": CONTEXT,
            "num_attention_heads": HEADS, "_name_or_path": "somebody/tiny",
        }  # fmt: skip
        files["generation_config.json"] = {"eos_token_id": ends}
    for file, content in files.items():
        (folder / file).write_text(json.dumps(content))
    return folder


def _save(model: onnx.ModelProto, path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    onnx.save(model, str(path))


@functools.cache
def _plain_session(kind: Kind) -> Any:
    bare = dataclasses.replace(kind, keep=False)
    if kind.positions == "fused":
        model = _model(bare)
    else:
        model = _model(dataclasses.replace(bare, layout="pair", half=False), past=False)
    return onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )


def plain_logits(kind: Kind, tokens: Sequence[int]) -> Array:
    """Logits after the last of `tokens`, evaluated at once by a graph that never had a cache."""
    session = _plain_session(kind)
    length = len(tokens)
    values: dict[str, Array] = {
        "input_ids": np.array([tokens]),
        "attention_mask": np.ones((1, length), np.int64),
        "position_ids": np.arange(length)[None],
        "cache_position": np.arange(length),
    }
    number = np.float16 if kind.half else np.float32
    for entry in session.get_inputs():
        if entry.name.startswith("past"):
            values[entry.name] = np.zeros((1, kind.kv_heads, 0, HEAD), number)
    wanted = {entry.name for entry in session.get_inputs()}
    logits = session.run(["logits"], {k: v for k, v in values.items() if k in wanted})[0]
    found: Array = logits[0, -1]
    return found
