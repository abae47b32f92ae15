"""llama.cpp's code for the processor, where it lies in files of its own."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

import pytest

from edgemind.engines.llama.backends import VARIANT, load_backends, variants
from edgemind.engines.llama.c_api import load_api
from edgemind.errors import ConfigError, ModelError
from edgemind.verify.children import environment


class Function:
    """Stands for a C function: counts what it is given, answers what it was told."""

    def __init__(self, answers: list[int]) -> None:
        self.answers = answers
        self.given: list[bytes] = []
        self.restype: object = None

    def __call__(self, *arguments: bytes) -> int:
        self.given += arguments
        return self.answers.pop(0) if self.answers else 0


class Library:
    """llama.cpp before any backend; `loads`: whether there is one afterwards."""

    def __init__(self, before: int = 0, after: int = 1) -> None:
        self.ggml_backend_reg_count = Function([before, after])
        self.ggml_backend_load = Function([])
        self.ggml_backend_load_all_from_path = Function([])


class Api:
    llama_log_callback = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)

    def __init__(self, library: Any) -> None:
        self._lib = library
        self.silent = False

    def llama_log_set(self, _callback: object, _data: object) -> None:
        self.silent = True


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("ggml-cpu-x64.so", "ggml-cpu-haswell.so", "ggml-base.so.0", "ggml-cpu.so.0"):
        (tmp_path / f"lib{name}").touch()
    return tmp_path


def test_the_best_is_left_to_the_library(folder: Path) -> None:
    assert set(variants(folder)) == {"x64", "haswell"}
    api = Api(library := Library())
    load_backends(api, folder, {})
    assert library.ggml_backend_load_all_from_path.given == [bytes(folder)]
    assert library.ggml_backend_load.given == [] and api.silent


def test_one_can_be_named(folder: Path) -> None:
    api = Api(library := Library())
    load_backends(api, folder, {VARIANT: "x64"})
    assert library.ggml_backend_load.given == [bytes(folder / "libggml-cpu-x64.so")]
    assert library.ggml_backend_load_all_from_path.given == []


def test_the_second_time_does_nothing(folder: Path) -> None:
    api = Api(library := Library(before=1))
    load_backends(api, folder, {})
    assert library.ggml_backend_load_all_from_path.given == [] and not api.silent


def test_an_ordinary_build_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "libggml-cpu.so").touch()
    load_backends(Api(None), tmp_path, {VARIANT: "x64"})
    load_backends(Api(None), tmp_path / "nowhere", {})
    load_backends(load_api())  # whichever is installed


def test_a_wrong_name_is_refused_with_the_nearest(folder: Path) -> None:
    with pytest.raises(ConfigError, match="no variant 'haswel'; did you mean haswell"):
        load_backends(Api(Library()), folder, {VARIANT: "haswel"})
    with pytest.raises(ConfigError, match="there are haswell, x64"):
        load_backends(Api(Library()), folder, {VARIANT: "486"})


def test_nothing_for_this_processor_is_an_error(folder: Path) -> None:
    with pytest.raises(ModelError, match="could not load any of"):
        load_backends(Api(Library(after=0)), folder, {})
    with pytest.raises(ModelError, match="could not load 'x64', which EDGEMIND_CPU_VARIANT names"):
        load_backends(Api(Library(after=0)), folder, {VARIANT: "x64"})


def test_children_run_the_same_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIANT, "x64")
    monkeypatch.setenv("SECRET", "1")
    assert environment("/tmp")[VARIANT] == "x64"
    assert "SECRET" not in environment("/tmp")
