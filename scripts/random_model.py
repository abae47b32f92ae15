"""Write a GGUF file with random weights in the shape of a real model: for measuring speed.

    python scripts/random_model.py [--shape qwen2.5-0.5b | edgemind-nano | tiny] OUTPUT.gguf

Speed does not depend on the values of weights, so a benchmark needs no download. The `qwen2.5-0.5b`
shape has that model's layers, heads, widths, vocabulary size (151,936) and types (Q4_0 matrices,
a tied Q8_0 embedding, as llama.cpp's quantiser makes them). The vocabulary is byte-level BPE whose
longer tokens are made up from ASCII letters; the chat template is ChatML.
"""

from __future__ import annotations

import argparse
import itertools
import os
from dataclasses import dataclass
from pathlib import Path

import gguf
import numpy as np
import numpy.typing as npt

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SPECIALS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
BLOCK = 32


@dataclass(frozen=True, slots=True)
class Shape:
    """A decoder's sizes, Hugging Face names in brackets."""

    layers: int  # num_hidden_layers
    width: int  # hidden_size
    inner: int  # intermediate_size
    heads: int  # num_attention_heads
    kv_heads: int  # num_key_value_heads
    vocabulary: int  # vocab_size
    context: int  # max_position_embeddings


SHAPES = {
    "qwen2.5-0.5b": Shape(24, 896, 4864, 14, 2, 151_936, 32_768),
    "edgemind-nano": Shape(6, 256, 704, 4, 4, 2048, 1024),
    "tiny": Shape(2, 64, 128, 2, 1, 600, 512),
}


def byte_texts() -> list[str]:
    """GPT-2's printable stand-ins for the 256 bytes, in byte order (openai/gpt-2 encoder.py)."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = iter(range(256, 512))
    return [chr(byte if byte in printable else next(others)) for byte in range(256)]


def vocabulary(size: int) -> tuple[list[str], list[str]]:
    """Tokens and merges of a byte-level BPE with `size` tokens, specials included."""
    tokens, merges = byte_texts(), []
    letters = "etaoinshrdlucmfwypvbgkjqxzETAOINSHRDLUCMFWYPVBGKJQXZ"
    level = list(letters)
    wanted = size - len(SPECIALS)
    while len(tokens) < wanted:
        longer = []
        for left, right in itertools.islice(
            itertools.product(level, letters), wanted - len(tokens)
        ):
            merges.append(f"{left} {right}")
            longer.append(left + right)
        tokens += longer
        level = longer
    return tokens + list(SPECIALS), merges


def q4_0(rng: np.random.Generator, rows: int, columns: int) -> npt.NDArray[np.uint8]:
    """Random Q4_0 blocks (a float16 scale, then 32 four-bit values): shape (rows, bytes)."""
    blocks = rng.integers(0, 256, (rows, columns // BLOCK, 18), dtype=np.uint8)
    scale = np.array([0.125 / np.sqrt(columns)], np.float16).view(np.uint8)
    blocks[:, :, :2] = scale
    return blocks.reshape(rows, -1)


def q8_0(rng: np.random.Generator, rows: int, columns: int) -> npt.NDArray[np.uint8]:
    """Random Q8_0 blocks (a float16 scale, then 32 signed bytes): shape (rows, bytes)."""
    blocks = rng.integers(0, 256, (rows, columns // BLOCK, 34), dtype=np.uint8)
    blocks[:, :, :2] = np.array([0.0005], np.float16).view(np.uint8)
    return blocks.reshape(rows, -1)


def write_model(path: Path, shape: Shape, seed: int = 0) -> None:
    """Write the file, whole or not at all. About 4 s and 350 MB for the 0.5B shape."""
    rng = np.random.default_rng(seed)
    temporary = path.with_suffix(f".{os.getpid()}.part")
    writer = gguf.GGUFWriter(temporary, "qwen2")
    writer.add_name("random")
    writer.add_block_count(shape.layers)
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_feed_forward_length(shape.inner)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_rope_freq_base(1_000_000.0)
    tokens, merges = vocabulary(shape.vocabulary)
    normal, control = gguf.TokenType.NORMAL, gguf.TokenType.CONTROL
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(tokens)
    writer.add_token_types([normal] * (len(tokens) - len(SPECIALS)) + [control] * len(SPECIALS))
    writer.add_token_merges(merges)
    writer.add_eos_token_id(len(tokens) - 1)
    writer.add_bos_token_id(len(tokens) - 3)
    writer.add_add_bos_token(False)
    writer.add_chat_template(CHATML)
    head = shape.width // shape.heads

    def matrix(name: str, rows: int, columns: int) -> None:
        writer.add_tensor(
            name + ".weight", q4_0(rng, rows, columns), raw_dtype=gguf.GGMLQuantizationType.Q4_0
        )

    def vector(name: str, size: int, value: float) -> None:
        writer.add_tensor(name, np.full(size, value, np.float32))

    writer.add_tensor(
        "token_embd.weight",
        q8_0(rng, shape.vocabulary, shape.width),
        raw_dtype=gguf.GGMLQuantizationType.Q8_0,
    )
    vector("output_norm.weight", shape.width, 1.0)
    for layer in range(shape.layers):
        prefix = f"blk.{layer}."
        vector(prefix + "attn_norm.weight", shape.width, 1.0)
        vector(prefix + "ffn_norm.weight", shape.width, 1.0)
        for name, size in (("q", shape.width), ("k", head * shape.kv_heads)):
            matrix(f"{prefix}attn_{name}", size, shape.width)
            vector(f"{prefix}attn_{name}.bias", size, 0.0)
        matrix(f"{prefix}attn_v", head * shape.kv_heads, shape.width)
        vector(f"{prefix}attn_v.bias", head * shape.kv_heads, 0.0)
        matrix(f"{prefix}attn_output", shape.width, shape.width)
        matrix(f"{prefix}ffn_gate", shape.inner, shape.width)
        matrix(f"{prefix}ffn_up", shape.inner, shape.width)
        matrix(f"{prefix}ffn_down", shape.width, shape.inner)
    try:
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("output", type=Path)
    parser.add_argument("--shape", choices=sorted(SHAPES), default="qwen2.5-0.5b")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    write_model(arguments.output, SHAPES[arguments.shape], arguments.seed)


if __name__ == "__main__":
    main()
