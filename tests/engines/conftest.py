"""Tiny models with random weights, written once a session, and engines over them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

import gguf
import pytest

from edgemind.engines.base import Engine
from edgemind.engines.llama import LlamaEngine
from scripts import random_model
from tests.engines import onnx_models
from tests.engines.branches import opened

SHAPE = dataclasses.replace(random_model.SHAPES["tiny"], context=2048)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model's file: 600 tokens, a context of 2,048, ChatML."""
    path = tmp_path_factory.mktemp("models") / "tiny.gguf"
    random_model.write_model(path, SHAPE)
    return path


@pytest.fixture(scope="session")
def tiny_onnx(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders with tiny ONNX models: `concatenating` its cache, or writing it `in place`; others
    that can have no padding, or take one token at a time.
    """
    folder = tmp_path_factory.mktemp("onnx")
    return {
        "concatenating": onnx_models.write(folder / "plain", onnx_models.Kind(kv_heads=2)),
        "in place": onnx_models.write(folder / "genai", onnx_models.MATRIX["genai"]),
        "equal": onnx_models.write(folder / "slots", onnx_models.MATRIX["positions by slot"]),
        "one token": onnx_models.write(folder / "pair", onnx_models.MATRIX["pair, one token"]),
    }


@pytest.fixture(params=["unified", "split"])
def llama(tiny: Path, request: pytest.FixtureRequest) -> Iterator[LlamaEngine]:
    """Only llama.cpp, with each kind of cache."""
    made = LlamaEngine(tiny, context=1536, width=4, threads=1, cache=request.param)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture(params=["unified", "concatenating"])
def open_tiny(
    tiny: Path, tiny_onnx: dict[str, Path], request: pytest.FixtureRequest
) -> Callable[..., Engine]:
    """Opens a tiny engine of either library; the test closes it."""

    def open_one(context: int = 64, width: int = 1) -> Engine:
        return opened(request.param, tiny, tiny_onnx, context, width)

    return open_one


@pytest.fixture(params=["unified", "split", "concatenating", "in place"])
def engine(
    tiny: Path, tiny_onnx: dict[str, Path], request: pytest.FixtureRequest
) -> Iterator[Engine]:
    """An engine of width 4: llama.cpp with each kind of cache, ONNX with each."""
    made = opened(request.param, tiny, tiny_onnx, 1536, 4)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def written_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Writes a tiny model with further metadata: strings, floats and integers by their keys."""

    def write(**metadata: str | float) -> Path:
        class Writer(gguf.GGUFWriter):
            def __init__(self, path: Path, architecture: str) -> None:
                super().__init__(path, architecture)
                for name, value in metadata.items():
                    key = name.replace("__", ".")
                    if isinstance(value, str):
                        self.add_string(key, value)
                    elif isinstance(value, int):
                        self.add_uint32(key, value)
                    else:
                        self.add_float32(key, value)

        monkeypatch.setattr("scripts.random_model.gguf.GGUFWriter", Writer)
        path = tmp_path / "written.gguf"
        random_model.write_model(path, SHAPE)
        return path

    return write
