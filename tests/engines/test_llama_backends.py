"""llama.cpp's code for the processor, where it lies in files of its own."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edgemind.engines.llama.backends import VARIANT, likely, load_backends, variants
from edgemind.engines.llama.c_api import load_api
from edgemind.errors import ConfigError, ModelError
from edgemind.verify.children import environment


class Function:
    """Stands for a C function: remembers what it is given."""

    def __init__(self, does: Callable[..., int]) -> None:
        self.does = does
        self.given: list[bytes] = []
        self.restype: object = None

    def __call__(self, *arguments: bytes) -> int:
        self.given += arguments
        return self.does()


class Library:
    """llama.cpp with `count` backends; whether it can load a named `one`, or any."""

    def __init__(self, count: int = 0, *, one: bool = True, any_one: bool = True) -> None:
        self.count = count
        self.ggml_backend_reg_count = Function(lambda: self.count)
        self.ggml_backend_load = Function(lambda: self.load(one))
        self.ggml_backend_load_all_from_path = Function(lambda: self.load(any_one))

    def load(self, can: bool) -> int:
        self.count += can
        return 0


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
    load_backends(api, folder, {}, folder / "nowhere")
    assert library.ggml_backend_load_all_from_path.given == [bytes(folder)]
    assert library.ggml_backend_load.given == [] and api.silent


FLAGS = "avx2 fma f16c bmi2"


def cpu(folder: Path, flags: str) -> Path:
    path = folder / "cpuinfo"
    path.write_text(f"processor\t: 0\nflags\t\t: fpu sse2 {flags}\nbugs\t\t: some\n")
    return path


def test_what_the_flags_promise_is_tried_first(folder: Path) -> None:
    api = Api(library := Library())
    load_backends(api, folder, {}, cpu(folder, FLAGS))
    assert library.ggml_backend_load.given == [bytes(folder / "libggml-cpu-haswell.so")]
    assert library.ggml_backend_load_all_from_path.given == []
    # Where the library refuses it after all, it looks for itself; so it does beside code for a GPU.
    api = Api(library := Library(one=False))
    load_backends(api, folder, {}, cpu(folder, FLAGS))
    assert library.ggml_backend_load_all_from_path.given == [bytes(folder)]
    (folder / "libggml-cuda.so").touch()
    api = Api(library := Library())
    load_backends(api, folder, {}, cpu(folder, FLAGS))
    assert library.ggml_backend_load.given == []
    assert library.ggml_backend_load_all_from_path.given == [bytes(folder)]


def test_which_variant_a_processor_takes(tmp_path: Path) -> None:
    skylake = f"{FLAGS} avx512f avx512bw avx512cd avx512dq avx512vl"
    known = "x64 sse42 haswell skylakex icelake zen4 alderlake".split()
    for flags, name in (
        ("sse4_2 avx", None),
        (FLAGS, "haswell"),
        (f"{FLAGS} avx_vnni", "alderlake"),
        (skylake, "skylakex"),
        (f"{skylake} avx512vbmi avx512_vnni", "icelake"),
        (f"{skylake} avx512vbmi avx512_vnni avx512_bf16", "zen4"),
    ):
        assert likely(known, cpu(tmp_path, flags)) == name
    assert likely(["x64"], cpu(tmp_path, skylake)) is None
    assert likely(known, tmp_path / "nowhere") is None


def test_one_can_be_named(folder: Path) -> None:
    api = Api(library := Library())
    load_backends(api, folder, {VARIANT: "x64"})
    assert library.ggml_backend_load.given == [bytes(folder / "libggml-cpu-x64.so")]
    assert library.ggml_backend_load_all_from_path.given == []


def test_the_second_time_does_nothing(folder: Path) -> None:
    api = Api(library := Library(count=1))
    load_backends(api, folder, {}, folder / "nowhere")
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
        load_backends(Api(Library(one=False, any_one=False)), folder, {}, folder / "nowhere")
    with pytest.raises(ModelError, match="could not load 'x64' of EDGEMIND_CPU_VARIANT: it is not"):
        load_backends(Api(Library(one=False, any_one=False)), folder, {VARIANT: "x64"})


def test_children_run_the_same_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIANT, "x64")
    monkeypatch.setenv("SECRET", "1")
    assert environment("/tmp")[VARIANT] == "x64"
    assert "SECRET" not in environment("/tmp")
