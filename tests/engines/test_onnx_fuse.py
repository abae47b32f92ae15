"""Attention that is written out: told to be attention where it is, and left alone where not."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from edgemind.engines.onnx import OnnxEngine
from edgemind.engines.onnx.folder import find_files
from edgemind.engines.onnx.fuse import MOST_CONTEXT, fused_model
from edgemind.engines.onnx.fuse_check import attention
from edgemind.types import Sampling
from tests.engines.branches import GREEDY, PROMPT, say
from tests.engines.onnx_models import CONTEXT, Kind, write

DIRECT = Kind(kv_heads=2, direct=True)


def is_fused(folder: Path, context: int = CONTEXT) -> bool:
    return fused_model(find_files(folder), context) is not None


def test_the_reference_is_attention() -> None:
    """Weighted means, worked out token by token."""
    chance = np.random.default_rng(1)
    query, key, value = (chance.normal(0, 1, (1, heads, 5, 4)) for heads in (2, 1, 1))
    found = attention(query[:, :, 3:], key, value, 0.5)
    for head in range(2):
        for place in (3, 4):
            scores = [0.5 * query[0, head, place] @ key[0, 0, at] for at in range(place + 1)]
            shares = np.exp(scores) / np.exp(scores).sum()
            expected = sum(share * value[0, 0, at] for at, share in enumerate(shares))
            np.testing.assert_allclose(found[0, head, place - 3], expected)


def test_the_rewritten_model_says_the_same_and_takes_half_the_memory(tmp_path: Path) -> None:
    folder = write(tmp_path / "m", DIRECT)
    engines = [OnnxEngine(folder, context=512, threads=1, fuse=fuse) for fuse in (True, False)]
    assert [engine._cache.in_place for engine in engines] == [True, False]
    fused, plain = (say(engine, PROMPT, 40) for engine in engines)
    assert fused == plain
    assert engines[0]._cache.token_bytes * 2 == engines[1]._cache.token_bytes
    for engine in engines:
        engine.close()


def test_the_bundled_model_is_rewritten(nano: Path) -> None:
    folder = nano.parent / "edgemind-nano-onnx"
    found = fused_model(find_files(folder), CONTEXT)
    assert found is not None
    model = onnx.load_from_string(found[0])
    kinds = [node.op_type for node in model.graph.node]
    assert kinds.count("GroupQueryAttention") == 6
    assert "Softmax" not in kinds
    assert "Concat" in kinds, "of the rotary embedding"
    assert len(found[0]) < 100_000, "weights stay in the file"
    assert found[1] == folder


def test_weights_in_another_file_and_links(tmp_path: Path) -> None:
    folder = write(tmp_path / "blobs", DIRECT)
    expected = say(OnnxEngine(folder, threads=1, fuse=False), PROMPT)
    linked = tmp_path / "linked"
    linked.mkdir()
    for file in folder.iterdir():
        (linked / file.name).symlink_to(file)
    apart = tmp_path / "apart"
    write(apart, DIRECT)
    onnx.save(
        onnx.load(folder / "model.onnx"), str(apart / "model.onnx"), save_as_external_data=True,
        location="weights.bin", size_threshold=1024,
    )  # fmt: skip
    assert (apart / "weights.bin").is_file()
    for place in (linked, apart):
        engine = OnnxEngine(place, threads=1)
        assert engine._cache.in_place
        assert say(engine, PROMPT) == expected
        engine.close()


@pytest.mark.parametrize(
    "kind",
    [
        Kind(),  # what is given is not what was concatenated
        Kind(direct=True, window=100),
        Kind(direct=True, half=True),
        Kind("fused", "genai"),
    ],
)
def test_what_is_left_alone(tmp_path: Path, kind: Kind) -> None:
    assert not is_fused(write(tmp_path / "m", kind))


def test_a_window_that_no_branch_can_fill_is_none(tmp_path: Path) -> None:
    folder = write(tmp_path / "m", dataclasses.replace(DIRECT, window=100))
    assert is_fused(folder, 100)
    assert not is_fused(folder, 101)


def test_without_knowing_the_heads_or_for_a_huge_context(tmp_path: Path) -> None:
    folder = write(tmp_path / "m", DIRECT)
    assert is_fused(folder, MOST_CONTEXT)
    assert not is_fused(folder, MOST_CONTEXT + 1)
    for heads in (None, 3, 8, "four"):
        (folder / "config.json").write_text(json.dumps({"num_attention_heads": heads}))
        assert not is_fused(folder), heads


@pytest.mark.parametrize("name", ["past_key_values.0.key", "present.1.value"])
def test_a_graph_that_looks_at_its_cache(tmp_path: Path, name: str) -> None:
    """The slots of a cache that is written in place say nothing about lengths."""
    folder = write(tmp_path / "m", DIRECT)
    model = onnx.load(folder / "model.onnx")
    [last] = [node for node in model.graph.node if "logits" in node.output]
    last.output[0] = "bare"
    model.graph.node.extend(
        [
            helper.make_node("ReduceMax", [name], ["peak"], keepdims=0),
            helper.make_node("Add", ["bare", "peak"], ["logits"]),
        ]
    )
    onnx.save(model, str(folder / "model.onnx"))
    assert not is_fused(folder)


@pytest.mark.parametrize("change", ["bent scores", "another scale", "a sink"])
def test_attention_that_is_not_plain(tmp_path: Path, change: str) -> None:
    folder = write(tmp_path / "m", DIRECT)
    model = onnx.load(folder / "model.onnx")
    graph = model.graph
    place, softmax = next(
        (at, node) for at, node in enumerate(graph.node) if node.op_type == "Softmax"
    )
    factor = helper.make_tensor("factor", 1, [], [30.0 if change == "bent scores" else 0.7])
    graph.initializer.append(factor)
    scores, new = softmax.input[0], []
    if change == "bent scores":
        new = [
            helper.make_node("Div", [scores, "factor"], ["bent.1"]),
            helper.make_node("Tanh", ["bent.1"], ["bent.2"]),
            helper.make_node("Mul", ["bent.2", "factor"], ["changed"]),
        ]
    elif change == "another scale":
        new = [helper.make_node("Mul", [scores, "factor"], ["changed"])]
    else:
        new = [helper.make_node("Max", [scores, "factor"], ["changed"])]
    softmax.input[0] = "changed"
    for node in reversed(new):
        graph.node.insert(place, node)
    onnx.save(model, str(folder / "model.onnx"))
    assert not is_fused(folder)


def test_a_model_that_does_not_start_rewritten_starts_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write(tmp_path / "m", DIRECT)
    broken = b"\x08\x09", folder  # a version, and no graph
    monkeypatch.setattr("edgemind.engines.onnx.engine.fused_model", lambda *_: broken)
    engine = OnnxEngine(folder, threads=1)
    assert not engine._cache.in_place
    assert engine.step([engine.prefill(PROMPT, GREEDY)])
    engine.close()


def test_branches_of_a_rewritten_model_share_rows_and_stay_apart(tmp_path: Path) -> None:
    """A child that grows in its parent's row leaves the parent what it had."""
    engine = OnnxEngine(write(tmp_path / "m", DIRECT), width=4, threads=1)
    expected = say(engine, PROMPT, 12)
    root = engine.prefill(PROMPT, GREEDY)
    [first] = engine.fork(root, [GREEDY])
    assert [engine.step([first])[0].id for _ in range(6)] == expected[:6]
    assert first.pack is root.pack  # type: ignore[attr-defined]
    drawn = engine.fork(root, [Sampling(temperature=1.5, seed=seed) for seed in (1, 2)])
    for _ in range(4):
        engine.step(drawn)
    assert [engine.step([root])[0].id for _ in range(12)] == expected
    assert [engine.step([first])[0].id for _ in range(6)] == expected[6:]
    engine.close()
