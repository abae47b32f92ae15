"""Micro-batches, memory that is too little, and pieces of a prompt on a GPU."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgemind.engines.llama import LlamaEngine
from edgemind.engines.llama.sizing import Sizes, micro_batch_tokens, widest_that_fits
from edgemind.errors import ModelError
from edgemind.types import Sampling

QWEN = {
    "general.architecture": "qwen2",
    "qwen2.block_count": "24",
    "qwen2.embedding_length": "896",
    "qwen2.feed_forward_length": "4864",
    "qwen2.attention.head_count": "14",
    "qwen2.attention.head_count_kv": "2",
}
LLAMA_8B = {
    "general.architecture": "llama",
    "llama.block_count": "32",
    "llama.embedding_length": "4096",
    "llama.feed_forward_length": "14336",
    "llama.attention.head_count": "32",
    "llama.attention.head_count_kv": "8",
}


def test_sizes() -> None:
    sizes = Sizes.read(QWEN, 151_936)
    assert sizes == Sizes(24, 896, 4864, 256, 151_936)
    assert sizes.cache_bytes(1000) == 1000 * 24 * 256 * 2
    assert Sizes.read({}, 10).layers > 0
    assert Sizes.read({**QWEN, "qwen2.block_count": "-3"}, 10).layers > 0


def test_large_models_and_slow_machines_get_small_micro_batches() -> None:
    small, large = Sizes.read(QWEN, 151_936), Sizes.read(LLAMA_8B, 128_256)
    assert micro_batch_tokens(small, 2, "x86_64") == 128
    assert micro_batch_tokens(large, 2, "x86_64") == 8
    assert micro_batch_tokens(large, 8, "x86_64") == 32
    assert micro_batch_tokens(small, 4, "aarch64") == 64


def test_the_widest_that_fits() -> None:
    needed = {width: (1 << 30) + width * (100 << 20) for width in (1, 2, 4, 8)}
    assert widest_that_fits("m", needed, None, 8) == 8
    assert widest_that_fits("m", needed, 8 << 30, 8) == 8
    assert widest_that_fits("m", needed, (1 << 30) + (500 << 20), 8) == 4
    with pytest.raises(ModelError, match=r"m takes about 1\.2 GB of memory and 1\.1 GB are free"):
        widest_that_fits("m", needed, 1 << 30, 8)


def test_a_model_that_would_swap_is_refused_before_it_is_loaded(tiny: Path) -> None:
    with pytest.raises(ModelError, match="close other programs"):
        LlamaEngine(tiny, available=lambda: tiny.stat().st_size)


def test_little_memory_means_fewer_branches(tiny: Path) -> None:
    wide = LlamaEngine(tiny, context=512, width=16, available=lambda: None)
    wide.close()
    least = next(size for size in range(64 << 20, 1 << 30, 1 << 18) if _opens(tiny, size))
    engine = LlamaEngine(tiny, context=512, width=16, available=lambda: least)
    try:
        assert wide.max_width == 16 > engine.max_width >= 1
        root = engine.prefill([5, 6, 7], Sampling())
        assert len(engine.step(engine.fork(root, [Sampling()] * engine.max_width))) >= 1
    finally:
        engine.close()


def _opens(tiny: Path, size: int) -> bool:
    try:
        LlamaEngine(tiny, context=512, width=16, threads=1, available=lambda: size).close()
    except ModelError:
        return False
    return True


def test_pieces_of_a_prompt_fit_their_time_where_nothing_can_be_cut(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, token_seconds = [0.0], [0.0004]
    sizes: list[int] = []
    monkeypatch.setattr("edgemind.engines.llama.engine.time.perf_counter", lambda: now[0])
    engine = LlamaEngine(tiny, context=512, width=1, threads=1)
    try:
        engine._cuts = False
        engine._chunk = 64
        decode = engine._decode

        def timed(branches: list[object]) -> None:
            sizes.append(int(engine._batch.raw.n_tokens))
            now[0] += token_seconds[0] * sizes[-1]
            decode(branches)  # type: ignore[arg-type]

        monkeypatch.setattr(engine, "_decode", timed)
        engine.drop(engine.prefill([1 + n for n in range(300)], Sampling()))
        assert sizes[:3] == [64, 32, 16]
        assert max(sizes[3:]) * token_seconds[0] <= 0.0128
        sizes.clear()
        token_seconds[0] = 1e-6
        engine.drop(engine.prefill([300 - n for n in range(300)], Sampling()))
        assert sizes == sorted(sizes[:-1]) + sizes[-1:]
        assert max(sizes) >= 128
    finally:
        engine.close()
