"""Importance matrices: what llama.cpp's products really saw, compared with numbers made here."""

from __future__ import annotations

import ctypes
from pathlib import Path

import gguf
import numpy as np
import pytest

from edgemind.engines.llama.c_api import load_api
from edgemind.engines.llama.vocabulary import LlamaVocabulary
from edgemind.errors import ConfigError
from edgemind.quantize import importance
from edgemind.quantize.importance import CHUNK_TOKENS, Collector, collect
from scripts import random_model

TEXT = "The sea was calm and 12 boats went out. " * 20
WIDTH, INNER, EXPERTS, USED = 64, 96, 4, 2


def seen(path: Path, text: str = TEXT) -> tuple[Collector, list[tuple[int, int]]]:
    told: list[tuple[int, int]] = []
    return collect(load_api(), path, text, 1, lambda at, of: told.append((at, of))), told


def encoded(path: Path) -> list[int]:
    api = load_api()
    settings = api.llama_model_default_params()
    settings.vocab_only = True
    model = api.llama_model_load_from_file(str(path).encode(), settings)
    tokens = LlamaVocabulary(api, model).encode(TEXT, False)
    api.llama_model_free(model)
    return tokens


def test_numbers_of_operations_are_the_librarys() -> None:
    folder = Path(str(load_api().__file__)).parent / "lib"
    library = ctypes.CDLL(str(next(folder.glob("libggml-base.*"))))
    library.ggml_op_name.restype = ctypes.c_char_p
    assert library.ggml_op_name(importance.MUL_MAT) == b"MUL_MAT"
    assert library.ggml_op_name(importance.MUL_MAT_ID) == b"MUL_MAT_ID"


def test_the_first_block_sees_the_normalised_embeddings(tiny: Path) -> None:
    collector, told = seen(tiny)
    tokens = encoded(tiny)
    assert told[-1] == (len(tokens), len(tokens)) and len(told) == -(-len(tokens) // CHUNK_TOKENS)
    table = next(t for t in gguf.GGUFReader(tiny).tensors if t.name == "token_embd.weight")
    rows = gguf.quants.dequantize(table.data, table.tensor_type)[tokens]
    rows = rows / np.sqrt((rows**2).mean(axis=1, keepdims=True) + 1e-6)
    expected = (rows.astype(np.float64) ** 2).mean(axis=0)
    for name in ("blk.0.attn_q.weight", "blk.0.attn_k.weight", "blk.0.attn_v.weight"):
        np.testing.assert_allclose(collector.means()[name], expected, rtol=1e-3)
    # Every block saw every token, the last one too, and the head is left out.
    assert {int(counts[0]) for counts in collector.counts.values()} == {len(tokens)}
    kinds = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")
    assert collector.sums.keys() == {f"blk.{i}.{kind}.weight" for i in (0, 1) for kind in kinds}
    assert collector.means()["blk.1.ffn_down.weight"].shape == (128,)


def test_experts_are_counted_apart(tmp_path: Path) -> None:
    path = write_experts(tmp_path / "experts.gguf")
    collector, _ = seen(path)
    gate, up = (
        collector.sums["blk.0.ffn_gate_exps.weight"],
        collector.sums["blk.0.ffn_up_exps.weight"],
    )
    assert gate.shape == (EXPERTS, WIDTH)
    np.testing.assert_array_equal(gate, up)
    # The router reads what the experts read, once for each token.
    router = collector.sums["blk.0.ffn_gate_inp.weight"][0]
    np.testing.assert_allclose(gate.sum(axis=0), USED * router, rtol=1e-6)
    tokens = collector.counts["blk.0.ffn_gate_inp.weight"][0]
    assert collector.counts["blk.0.ffn_gate_exps.weight"].sum() == USED * tokens
    assert collector.means()["blk.0.ffn_down_exps.weight"].size == EXPERTS * INNER


def test_experts_that_were_never_chosen_count_as_one() -> None:
    collector = Collector()
    collector.sums["a"] = np.array([[8.0, 2.0], [0.0, 0.0]])
    collector.counts["a"] = np.array([2, 0])
    assert collector.means()["a"].tolist() == [4.0, 1.0, 1.0, 1.0]


def test_too_short_a_text(tiny: Path) -> None:
    with pytest.raises(ConfigError, match="give some thousands"):
        seen(tiny, "No.")


def test_an_error_in_the_callback_is_raised(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_self: Collector, _node: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Collector, "_look", fail)
    with pytest.raises(ZeroDivisionError):
        seen(tiny)


def write_experts(path: Path) -> Path:
    """One block of llama with four experts, of which two see each token."""
    chance = np.random.default_rng(3)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_block_count(1)
    writer.add_context_length(512)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(2)
    writer.add_head_count_kv(2)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_expert_count(EXPERTS)
    writer.add_expert_used_count(USED)
    tokens, merges = random_model.vocabulary(600)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(tokens)
    writer.add_token_merges(merges)
    writer.add_eos_token_id(len(tokens) - 1)

    def add(name: str, *shape: int) -> None:
        values = chance.normal(0, 0.1, shape) if len(shape) > 1 else np.ones(shape)
        writer.add_tensor(f"{name}.weight", values.astype(np.float32))

    add("token_embd", 600, WIDTH)
    add("output_norm", WIDTH)
    for name in ("attn_norm", "ffn_norm"):
        add(f"blk.0.{name}", WIDTH)
    for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
        add(f"blk.0.{name}", WIDTH, WIDTH)
    add("blk.0.ffn_gate_inp", EXPERTS, WIDTH)
    add("blk.0.ffn_gate_exps", EXPERTS, INNER, WIDTH)
    add("blk.0.ffn_up_exps", EXPERTS, INNER, WIDTH)
    add("blk.0.ffn_down_exps", EXPERTS, WIDTH, INNER)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
