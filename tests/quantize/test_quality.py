"""What a copy is said to have lost, against numbers that are known beforehand."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edgemind.engines.onnx import OnnxEngine
from edgemind.engines.opening import open_engine
from edgemind.errors import ConfigError, ModelError
from edgemind.evaluate.datasets import Problem
from edgemind.quantize.quality import TEXT, WINDOW_TOKENS, read, solve, spread
from edgemind.types import Message
from tests.engines import onnx_models
from tests.helpers import engine_of, scripted_mind

KIND = onnx_models.MATRIX["grouped"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return onnx_models.write(tmp_path_factory.mktemp("quality") / "model", KIND)


@pytest.fixture
def engine(folder: Path) -> Iterator[OnnxEngine]:
    made = OnnxEngine(folder, context=512, threads=1)
    yield made
    made.close()


def test_a_model_beside_itself(engine: OnnxEngine, folder: Path) -> None:
    text = TEXT.read_text()[:120]
    told: list[tuple[str, int, int]] = []
    twin = OnnxEngine(folder, context=512, threads=1)
    found = read(engine, twin, text, lambda *said: told.append(said))
    twin.close()
    tokens = engine.vocabulary.encode(text, False)
    surprise = []
    for end in range(1, len(tokens)):
        logits = onnx_models.plain_logits(KIND, tokens[:end]).astype(np.float64)
        surprise.append(np.log(np.exp(logits).sum()) - logits[tokens[end]])
    assert found.tokens == len(surprise) and told[-1][1:] == (found.tokens, found.tokens)
    assert found.before == found.after == pytest.approx(np.exp(np.mean(surprise)), rel=1e-3)
    assert (found.divergence, found.worst, found.same) == (0.0, 0.0, 1.0)


def test_divergence_of_two_models(engine: OnnxEngine, tmp_path: Path) -> None:
    other = dataclasses.replace(KIND, kv_heads=onnx_models.HEADS)  # other weights, same tokens
    twin = OnnxEngine(onnx_models.write(tmp_path / "other", other), context=512, threads=1)
    text = TEXT.read_text()[:120]
    found = read(engine, twin, text, lambda *_: None)
    twin.close()
    tokens = engine.vocabulary.encode(text, False)
    apart = []
    for end in range(1, len(tokens)):
        p, q = (onnx_models.plain_logits(k, tokens[:end]).astype(np.float64) for k in (KIND, other))
        p, q = (values - np.log(np.exp(values).sum()) for values in (p, q))
        apart.append((np.exp(p) * (p - q)).sum())
    assert found.divergence == pytest.approx(np.mean(apart), rel=1e-3)
    assert found.worst == pytest.approx(max(apart), rel=1e-3)
    assert found.same < 0.5


def test_long_texts_are_read_in_windows(engine: OnnxEngine) -> None:
    text = TEXT.read_text()[:1200]
    tokens = engine.vocabulary.encode(text, False)
    windows = -(-len(tokens) // WINDOW_TOKENS)
    assert windows > 1
    found = read(engine, engine, text, lambda *_: None)
    assert found.tokens == len(tokens) - windows  # the first of each is given


def test_texts_and_models_that_cannot_be_compared(engine: OnnxEngine, tiny: Path) -> None:
    with pytest.raises(ConfigError, match="16 are the least"):
        read(engine, engine, "Too short.", lambda *_: None)
    other, _ = open_engine(
        tiny, context=256, width=1, gpu_layers=0, threads=1, cache="unified", variant=None,
        provider="cpu",
    )  # fmt: skip
    with pytest.raises(ModelError, match="different tokens"):
        read(engine, other, TEXT.read_text(), lambda *_: None)
    other.close()


PROBLEMS = [
    Problem((Message("user", f"What is {number}+1?"),), str(number + 1)) for number in range(12)
]


def test_right_answers_are_counted() -> None:
    told: list[tuple[str, int, int]] = []
    with (
        scripted_mind(engine_of("It is 4.", answer_cue="#### ")) as source,
        scripted_mind(engine_of("It is 5.", answer_cue="#### ")) as copy,
    ):
        found = solve(source, copy, PROBLEMS[3:5], lambda *said: told.append(said))
    assert found is not None and dataclasses.astuple(found) == (2, 1, 1)
    assert told == [("answering", 1, 2), ("answering", 2, 2)]


def test_a_source_that_answers_nothing_is_not_asked_on() -> None:
    with (
        scripted_mind(engine_of("I do not know.", answer_cue="#### ")) as source,
        scripted_mind(engine_of("It is 5.", answer_cue="#### ")) as copy,
    ):
        told: list[object] = []
        assert solve(source, copy, PROBLEMS, lambda *said: told.append(said)) is None
        assert len(told) == 10


def test_problems_are_taken_from_the_whole() -> None:
    assert spread(PROBLEMS, 3) == [PROBLEMS[0], PROBLEMS[4], PROBLEMS[8]]
    assert spread(PROBLEMS, 99) == PROBLEMS
