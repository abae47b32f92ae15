"""A tiny GGUF model with random weights, written once a session, and engines over it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

import gguf
import pytest

from edgemind.engines.llama import LlamaEngine
from scripts import random_model

SHAPE = dataclasses.replace(random_model.SHAPES["tiny"], context=2048)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model's file: 600 tokens, a context of 2,048, ChatML."""
    path = tmp_path_factory.mktemp("models") / "tiny.gguf"
    random_model.write_model(path, SHAPE)
    return path


@pytest.fixture(params=["unified", "split"])
def engine(tiny: Path, request: pytest.FixtureRequest) -> Iterator[LlamaEngine]:
    """An engine of width 4 over `tiny`, once for each kind of cache."""
    made = LlamaEngine(tiny, context=1536, width=4, threads=1, cache=request.param)
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
