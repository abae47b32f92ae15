"""How large a model's micro-batches may be, and whether it fits into memory.

Both are computed from the file's own numbers, never measured: what a seed gives must not depend on
what the machine was doing when the model was loaded.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass

from edgemind.errors import ModelError

NODE_SECONDS = 0.010
"""A decode can be cut between graph nodes only: none should take longer."""
OPERATIONS_PER_SECOND = {"x86_64": 60e9, "AMD64": 60e9, "arm64": 60e9}
"""Of one thread that multiplies 4-bit matrices, modestly (`scripts/bench_nodes.py`)."""
OTHER_OPERATIONS_PER_SECOND = 15e9
"""A Raspberry Pi 5's core."""
MICRO_BATCHES = (512, 256, 128, 96, 64, 48, 32, 16, 8)
MOST_MICRO_BATCH = 128
"""Larger ones bring nothing that could be seen (docs/log.md)."""
SPARE_SEQUENCES = 2
"""Besides the branches: the prompt that they were forked from, and the kept one."""
SPARE_BYTES = 64 << 20
"""For the program itself and llama.cpp's small buffers."""
CACHE_VALUE_BYTES = 2
"""Keys and values are kept as float16."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """A decoder's sizes, as its file gives them."""

    layers: int
    width: int
    inner: int
    kv_width: int
    vocabulary: int

    @classmethod
    def read(cls, metadata: Mapping[str, str], vocabulary: int) -> Sizes:
        """From GGUF metadata. A missing or odd number is replaced by a usual one, never an error:
        files differ, and this only bounds."""
        name = metadata.get("general.architecture", "")

        def number(key: str, otherwise: int) -> int:
            text = metadata.get(f"{name}.{key}", "")
            return int(text) if text.isdecimal() and int(text) > 0 else otherwise

        width = number("embedding_length", 4096)
        heads = number("attention.head_count", 32)
        kv_heads = number("attention.head_count_kv", heads)
        head = width // heads
        keys, values = number("attention.key_length", head), number("attention.value_length", head)
        inner = number("expert_feed_forward_length", 0) * number("expert_used_count", 0)
        return cls(
            layers=number("block_count", 32),
            width=width,
            inner=inner or number("feed_forward_length", 4 * width),
            kv_width=kv_heads * (keys + values),
            vocabulary=vocabulary,
        )

    def cache_bytes(self, cells: int) -> int:
        """Memory of a key/value cache."""
        return cells * self.layers * self.kv_width * CACHE_VALUE_BYTES

    def buffer_bytes(self, micro_batch: int, rows: int) -> int:
        """Memory of what a micro-batch computes, and of the logits of `rows` branches."""
        widest = max(self.vocabulary, 4 * (self.width + self.inner))
        return 4 * (micro_batch * widest + rows * self.vocabulary)


def cache_cells(context: int, width: int, unified: bool) -> int:
    """Tokens that the cache holds. A unified one need not hold every branch at full length:
    a quarter each will do."""
    if unified:
        return context + width * min(512, context // 4)
    return context * (width + SPARE_SEQUENCES)


def needed_bytes(
    sizes: Sizes, file_bytes: int, context: int, width: int, micro_batch: int, *, unified: bool
) -> int:
    """Memory of a model with its cache for `width` branches and its buffers."""
    cache = sizes.cache_bytes(cache_cells(context, width, unified))
    return file_bytes + cache + sizes.buffer_bytes(micro_batch, width + SPARE_SEQUENCES)


def micro_batch_tokens(sizes: Sizes, threads: int, machine: str | None = None) -> int:
    """The most tokens for which the largest matrix takes at most `NODE_SECONDS`."""
    rate = OPERATIONS_PER_SECOND.get(
        machine or platform.machine(), OTHER_OPERATIONS_PER_SECOND
    ) * max(1, threads)
    token_seconds = 2 * sizes.width * sizes.inner / rate
    fitting = (size for size in MICRO_BATCHES if size * token_seconds <= NODE_SECONDS)
    return min(MOST_MICRO_BATCH, next(fitting, MICRO_BATCHES[-1]))


def widest_that_fits(
    path: object, needed: Mapping[int, int], available: int | None, width: int
) -> int:
    """The largest width, at most `width`, whose bytes `needed` are `available`.

    Raises `ModelError` where not even the narrowest is: the machine would swap, and every step
    would take seconds. None is an unknown amount, which is taken to be enough.
    """
    if available is None:
        return width
    for wide in sorted(needed, reverse=True):
        if wide <= width and needed[wide] + SPARE_BYTES <= available:
            return wide
    least = min(needed.values()) + SPARE_BYTES
    raise ModelError(
        f"{path} takes about {_gigabytes(least)} GB of memory and {_gigabytes(available)} GB are "
        "free: close other programs, or take a smaller model or context"
    )


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.2g}" if size < 1e10 else f"{size / 1e9:.0f}"
