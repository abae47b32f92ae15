"""Write an ONNX folder with random weights in the shape of a real model: for measuring speed.

    python scripts/random_onnx.py [--shape qwen2.5-0.5b | edgemind-nano | tiny] FOLDER

As onnxruntime-genai's builder writes them: GroupQueryAttention with the rotary embedding in it,
4-bit matrices (MatMulNBits in blocks of 32, eight-bit products), weights in a file beside the
graph, genai_config.json. The vocabulary is that of random_model.py. Needs the `onnx` package.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from random_model import CHATML, SHAPES, SPECIALS, Shape, vocabulary

Array = npt.NDArray[Any]
BLOCK = 32
ROPE_BASE = 1_000_000.0
MAX_POSITIONS = 4096


class RandomDecoder:
    """Builds the graph: nodes and weights of a Qwen2-like decoder."""

    def __init__(self, shape: Shape, seed: int = 0) -> None:
        self.shape = shape
        self.head = shape.width // shape.heads
        self._chance = np.random.default_rng(seed)
        self._nodes: list[onnx.NodeProto] = []
        self._weights: list[onnx.TensorProto] = []

    def _add(self, kind: str, inputs: Sequence[str], name: str, **attributes: Any) -> str:
        self._nodes.append(helper.make_node(kind, list(inputs), [name], name=name, **attributes))
        return name

    def _weight(self, name: str, value: Array) -> str:
        self._weights.append(numpy_helper.from_array(value, name))
        return name

    def _linear(self, x: str, name: str, rows: int, columns: int) -> str:
        """x @ W.T for a 4-bit matrix of (rows, columns)."""
        blocks = columns // BLOCK
        packed = self._chance.integers(0, 256, (rows, blocks, BLOCK // 2), dtype=np.uint8)
        scales = np.full(rows * blocks, 0.125 / np.sqrt(columns), np.float32)
        inputs = [
            x, self._weight(f"{name}.packed", packed), self._weight(f"{name}.scales", scales),
        ]  # fmt: skip
        return self._add(
            "MatMulNBits", inputs, name, domain="com.microsoft", bits=4, block_size=BLOCK,
            accuracy_level=4, K=columns, N=rows,
        )  # fmt: skip

    def _norm(self, x: str, name: str) -> str:
        gain = self._weight(f"{name}.gain", np.ones(self.shape.width, np.float32))
        return self._add(
            "SimplifiedLayerNormalization", [x, gain], name, axis=-1, epsilon=1e-6, stash_type=1
        )

    def _layer(self, x: str, layer: int) -> str:
        shape, name = self.shape, f"layer.{layer}"
        normed = self._norm(x, f"{name}.before")
        parts = [
            self._linear(normed, f"{name}.{part}", heads * self.head, shape.width)
            for part, heads in (
                ("query", shape.heads), ("key", shape.kv_heads), ("value", shape.kv_heads),
            )
        ]  # fmt: skip
        past = [f"past_key_values.{layer}.{part}" for part in ("key", "value")]
        self._nodes.append(
            helper.make_node(
                "GroupQueryAttention",
                [*parts, *past, "seqlens", "total", "cos", "sin"],
                [f"{name}.mixed", *(f"present.{layer}.{part}" for part in ("key", "value"))],
                name=f"{name}.attention", domain="com.microsoft", num_heads=shape.heads,
                kv_num_heads=shape.kv_heads, do_rotary=1,
            )
        )  # fmt: skip
        mixed = self._linear(f"{name}.mixed", f"{name}.out", shape.width, shape.width)
        x = self._add("Add", [x, mixed], f"{name}.attended")
        normed = self._norm(x, f"{name}.behind")
        gate = self._linear(normed, f"{name}.gate", shape.inner, shape.width)
        up = self._linear(normed, f"{name}.up", shape.inner, shape.width)
        opened = self._add("Sigmoid", [gate], f"{name}.open")
        passed = self._add("Mul", [gate, opened], f"{name}.passed")
        inner = self._add("Mul", [passed, up], f"{name}.inner")
        down = self._linear(inner, f"{name}.down", shape.width, shape.inner)
        return self._add("Add", [x, down], f"{name}.fed")

    def model(self) -> onnx.ModelProto:
        """The whole graph."""
        shape = self.shape
        angles = np.outer(
            np.arange(MAX_POSITIONS), ROPE_BASE ** (-np.arange(0, self.head, 2) / self.head)
        )
        self._weight("cos", np.cos(angles).astype(np.float32))
        self._weight("sin", np.sin(angles).astype(np.float32))
        self._weight("one", np.array([1], np.int64))
        sums = self._add("ReduceSum", ["attention_mask", "one"], "sums", keepdims=0)
        self._add(
            "Cast", [self._add("Sub", [sums, "one"], "less")], "seqlens", to=TensorProto.INT32
        )
        length = self._add("Shape", ["attention_mask"], "length", start=1, end=2)
        self._add("Cast", [self._add("Squeeze", [length], "scalar")], "total", to=TensorProto.INT32)
        table = self._chance.normal(0, 1, (shape.vocabulary, shape.width)).astype(np.float32)
        x = self._add("Gather", [self._weight("table", table), "input_ids"], "embedded")
        for layer in range(shape.layers):
            x = self._layer(x, layer)
        head = self._linear(self._norm(x, "norm"), "head", shape.vocabulary, shape.width)
        self._add("Identity", [head], "logits")
        graph = helper.make_graph(self._nodes, "random", *self._edges(), self._weights)
        opsets = [helper.make_opsetid("", 18), helper.make_opsetid("com.microsoft", 1)]
        model = helper.make_model(graph, opset_imports=opsets)
        model.ir_version = 9
        return model

    def _edges(self) -> tuple[list[onnx.ValueInfoProto], list[onnx.ValueInfoProto]]:
        shape = self.shape

        def tensor(name: str, kind: int, *sizes: str | int) -> onnx.ValueInfoProto:
            return helper.make_tensor_value_info(name, kind, list(sizes))

        def cache(prefix: str, length: str) -> list[onnx.ValueInfoProto]:
            return [
                tensor(f"{prefix}.{layer}.{part}", TensorProto.FLOAT, "batch_size",
                       shape.kv_heads, length, self.head)
                for layer in range(shape.layers) for part in ("key", "value")
            ]  # fmt: skip

        whole = "total_sequence_length"
        return (
            [
                tensor("input_ids", TensorProto.INT64, "batch_size", "sequence_length"),
                tensor("attention_mask", TensorProto.INT64, "batch_size", whole),
                *cache("past_key_values", "past_sequence_length"),
            ],
            [
                tensor("logits", TensorProto.FLOAT, "batch_size", "sequence_length",
                       shape.vocabulary),
                *cache("present", whole),
            ],
        )  # fmt: skip


def genai_settings(
    shape: Shape,
    kind: str = "qwen2",
    file: str = "model.onnx",
    positions: bool = False,
    in_place: bool = True,
) -> dict[str, Any]:
    """genai_config.json. `in_place`: the graph writes new keys and values into the past."""
    names = {"key": "%d.key", "value": "%d.value"}
    end, length = shape.vocabulary - 1, min(MAX_POSITIONS, shape.context)
    places = {"position_ids": "position_ids"} if positions else {}
    return {
        "model": {
            "type": kind, "context_length": length, "vocab_size": shape.vocabulary,
            "bos_token_id": end - 2, "eos_token_id": [end], "pad_token_id": end,
            "decoder": {
                "session_options": {"provider_options": []},
                "filename": file, "head_size": shape.width // shape.heads,
                "hidden_size": shape.width, "num_attention_heads": shape.heads,
                "num_hidden_layers": shape.layers, "num_key_value_heads": shape.kv_heads,
                "inputs": {"input_ids": "input_ids", "attention_mask": "attention_mask", **places,
                           **{f"past_{k}_names": f"past_key_values.{v}" for k, v in names.items()}},
                "outputs": {"logits": "logits",
                            **{f"present_{k}_names": f"present.{v}" for k, v in names.items()}},
            },
        },
        "search": {"do_sample": True, "top_k": 40, "top_p": 1.0, "temperature": 0.8,
                   "max_length": length, "past_present_share_buffer": in_place},
    }  # fmt: skip


def tokenizer_settings(shape: Shape) -> dict[str, Any]:
    """tokenizer.json of the byte-level vocabulary that random_model.py makes up."""
    tokens, merges = vocabulary(shape.vocabulary)
    level = {
        "type": "ByteLevel",
        "add_prefix_space": False,
        "trim_offsets": True,
        "use_regex": True,
    }
    added = [
        {"id": tokens.index(text), "content": text, "special": True, "normalized": False,
         "single_word": False, "lstrip": False, "rstrip": False}
        for text in SPECIALS
    ]  # fmt: skip
    return {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": added,
        "normalizer": None, "pre_tokenizer": level, "post_processor": None, "decoder": level,
        "model": {"type": "BPE", "vocab": {text: n for n, text in enumerate(tokens)},
                  "merges": merges},
    }  # fmt: skip


def write_folder(folder: Path, shape: Shape, seed: int = 0) -> None:
    """Write the folder: graph, weights beside it, tokenizer, settings."""
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(
        RandomDecoder(shape, seed).model(), str(folder / "model.onnx"), save_as_external_data=True,
        location="model.onnx.data", size_threshold=1024,
    )  # fmt: skip
    settings = {
        "genai_config.json": genai_settings(shape),
        "tokenizer.json": tokenizer_settings(shape),
        "tokenizer_config.json": {
            "tokenizer_class": "Qwen2Tokenizer", "add_bos_token": False,
            "bos_token": SPECIALS[0], "eos_token": SPECIALS[2], "chat_template": CHATML,
        },
    }  # fmt: skip
    for name, fields in settings.items():
        (folder / name).write_text(json.dumps(fields, ensure_ascii=False), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description="an ONNX folder with random weights")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--shape", default="qwen2.5-0.5b", choices=sorted(SHAPES))
    options = parser.parse_args()
    write_folder(options.folder, SHAPES[options.shape])
    print(f"{options.folder}: {sum(f.stat().st_size for f in options.folder.iterdir()):,} bytes")


if __name__ == "__main__":
    main()
