"""Writes the tables of docs/choosing.md: the memory that well-known models take, by computation.

    python scripts/write_memory.py [--check]

Sizes of files follow from a model's shape and from the types that llama.cpp's quantiser gives each
matrix (`llama_tensor_get_type` in its llama-quant.cpp); the memory from the engine's own sums, by
which it also refuses what does not fit (`edgemind/engines/llama/sizing.py`). No model is opened.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from edgemind.engines.llama.sizing import SPARE_BYTES, Sizes, needed_bytes
from generated_pages import DOCS, Pages, run, table, with_part

PAGE = DOCS / "choosing.md"
Quantisation = Literal["Q4_K_M", "Q8_0"]
QUANTISATIONS: tuple[Quantisation, ...] = ("Q4_K_M", "Q8_0")
BITS = {"Q4_K": 4.5, "Q5_K": 5.5, "Q6_K": 6.5625, "Q8_0": 8.5, "Q5_0": 5.5, "Q5_1": 6.0, "F32": 32}
FALLBACKS = {"Q4_K": "Q5_0", "Q5_K": "Q5_1", "Q6_K": "Q8_0"}
"""What is taken instead where a row is no multiple of 256 numbers."""
TOKEN_TEXT_BYTES = 40
"""A token's text, kind and merges in the file's header, about."""
CONTEXT, MICRO_BATCH = 4096, 128
"""What `load` and the commands take."""
WIDTHS = (1, 8, 16)
FREE_SHARE = 0.75
MACHINES_GIGABYTES = (1, 4, 8, 16)


@dataclass(frozen=True, slots=True)
class Shape:
    """A decoder's sizes, as its config.json has them; `head` is the width of one head."""

    name: str
    repository: str
    layers: int
    width: int
    inner: int
    heads: int
    kv_heads: int
    head: int
    vocabulary: int
    tied: bool = True
    fused: bool = False

    def matrices(self) -> Iterator[tuple[str, int, int]]:
        """Name, length of a row and numbers of each matrix; a layer's begin with its number."""
        yield "token_embd", self.width, self.width * self.vocabulary
        if not self.tied:
            yield "output", self.width, self.width * self.vocabulary
        query, key = self.heads * self.head, self.kv_heads * self.head
        for layer in range(self.layers):
            if self.fused:
                yield f"{layer}.attn_qkv", self.width, self.width * (query + 2 * key)
            else:
                yield f"{layer}.attn_q", self.width, self.width * query
                yield f"{layer}.attn_k", self.width, self.width * key
                yield f"{layer}.attn_v", self.width, self.width * key
            yield f"{layer}.attn_output", query, query * self.width
            yield f"{layer}.ffn_gate_up", self.width, 2 * self.width * self.inner
            yield f"{layer}.ffn_down", self.inner, self.inner * self.width
            yield f"{layer}.norms", 1, 2 * self.width

    @property
    def parameters(self) -> int:
        """All weights."""
        return sum(numbers for _, _, numbers in self.matrices())

    def file_bytes(self, quantisation: Quantisation) -> int:
        """Size of the file that llama.cpp's quantiser would make."""
        bits = sum(
            numbers * BITS[self._kind(name, row, quantisation)]
            for name, row, numbers in self.matrices()
        )
        return int(bits / 8) + TOKEN_TEXT_BYTES * self.vocabulary

    def _kind(self, name: str, row: int, quantisation: Quantisation) -> str:
        layer, _, part = name.rpartition(".")
        if part == "norms":
            return "F32"
        if quantisation == "Q8_0":
            return "Q8_0"
        kind = "Q4_K"
        if part == "output" or (part == "token_embd" and self.tied):
            kind = "Q6_K"
        elif part == "attn_qkv":
            kind = "Q5_K"
        elif part in ("attn_v", "ffn_down") and _more_bits(int(layer), self.layers):
            kind = "Q6_K"
        return kind if row % 256 == 0 else FALLBACKS[kind]

    def memory(self, quantisation: Quantisation, width: int) -> int:
        """What the engine asks for, with its spare."""
        kv_width = self.kv_heads * 2 * self.head
        sizes = Sizes(self.layers, self.width, self.inner, kv_width, self.vocabulary)
        size = self.file_bytes(quantisation)
        needed = needed_bytes(sizes, size, CONTEXT, width, MICRO_BATCH, unified=True)
        return needed + SPARE_BYTES


SHAPES = (
    Shape(
        "SmolLM2 135M",
        "bartowski/SmolLM2-135M-Instruct-GGUF",
        30,
        576,
        1536,
        9,
        3,
        64,
        49_152,
    ),
    Shape(
        "SmolLM2 360M",
        "bartowski/SmolLM2-360M-Instruct-GGUF",
        32,
        960,
        2560,
        15,
        5,
        64,
        49_152,
    ),
    Shape(
        "Qwen2.5 0.5B",
        "bartowski/Qwen2.5-0.5B-Instruct-GGUF",
        24,
        896,
        4864,
        14,
        2,
        64,
        151_936,
    ),
    Shape(
        "Gemma 3 1B",
        "bartowski/google_gemma-3-1b-it-GGUF",
        26,
        1152,
        6912,
        4,
        1,
        256,
        262_144,
    ),
    Shape(
        "Llama 3.2 1B",
        "bartowski/Llama-3.2-1B-Instruct-GGUF",
        16,
        2048,
        8192,
        32,
        8,
        64,
        128_256,
    ),
    Shape(
        "Qwen2.5 1.5B",
        "bartowski/Qwen2.5-1.5B-Instruct-GGUF",
        28,
        1536,
        8960,
        12,
        2,
        128,
        151_936,
    ),
    Shape(
        "SmolLM2 1.7B",
        "bartowski/SmolLM2-1.7B-Instruct-GGUF",
        24,
        2048,
        8192,
        32,
        32,
        64,
        49_152,
    ),
    Shape(
        "Gemma 2 2B",
        "bartowski/gemma-2-2b-it-GGUF",
        26,
        2304,
        9216,
        8,
        4,
        256,
        256_000,
    ),
    Shape(
        "Qwen2.5 3B",
        "bartowski/Qwen2.5-3B-Instruct-GGUF",
        36,
        2048,
        11_008,
        16,
        2,
        128,
        151_936,
    ),
    Shape(
        "Llama 3.2 3B",
        "bartowski/Llama-3.2-3B-Instruct-GGUF",
        28,
        3072,
        8192,
        24,
        8,
        128,
        128_256,
    ),
    Shape(
        "Phi 3.5 mini",
        "bartowski/Phi-3.5-mini-instruct-GGUF",
        32,
        3072,
        8192,
        32,
        32,
        96,
        32_064,
        tied=False,
        fused=True,
    ),
    Shape(
        "Qwen2.5 7B",
        "bartowski/Qwen2.5-7B-Instruct-GGUF",
        28,
        3584,
        18_944,
        28,
        4,
        128,
        152_064,
        tied=False,
    ),
)


def pages() -> Pages:
    """The page with both tables made anew."""
    part = f"{machines()}\n\n### All of them\n\n{models()}"
    return {PAGE: with_part(PAGE, "memory", "write_memory.py", part)}


def models() -> str:
    """Every model at every quantisation: its file, and its memory for so many samples at once."""
    rows = [
        (
            shape.name,
            quantisation,
            _shown(shape.file_bytes(quantisation)),
            *(_shown(shape.memory(quantisation, width)) for width in WIDTHS),
        )
        for shape in SHAPES
        for quantisation in QUANTISATIONS
    ]
    samples = tuple(f"{width} sample{'s' if width > 1 else ''}" for width in WIDTHS)
    return table(("model", "type", "file", *samples), rows)


def machines() -> str:
    """For each size of machine the largest models that fit, with the samples that they fit for."""
    rows = []
    for gigabytes in MACHINES_GIGABYTES:
        free = int(gigabytes * (1 << 30) * FREE_SHARE)
        fitting = [shape for shape in SHAPES if shape.memory("Q4_K_M", WIDTHS[-1]) <= free]
        for shape in fitting[-1:-4:-1]:
            pull = f"`{shape.repository}:Q4_K_M`"
            rows.append((f"{gigabytes} GB", shape.name, _shown(shape.memory("Q4_K_M", 16)), pull))
    return table(("machine", "model", "memory", "edgemind models pull …"), rows)


def _more_bits(layer: int, layers: int) -> bool:
    """Layers that the mixed types give more bits: the first and last eighths, and every third."""
    eighth = layers // 8
    return layer < eighth or layer >= 7 * layers // 8 or (layer - eighth) % 3 == 2


def _shown(size: int) -> str:
    return f"{size / 1e9:.2f} GB" if size < 1e10 else f"{size / 1e9:.1f} GB"


if __name__ == "__main__":
    sys.exit(run(pages, __doc__))
