"""llama.cpp's code for the processor, where it is a file for each kind of processor.

An ordinary build of llama.cpp is made for one processor and has that code inside; nothing is to do
then. A portable one (`packaging/build_portable_wheel`) holds it several times, from what every
processor of the architecture knows to the newest, and llama.cpp loads the best that runs here.
"""

from __future__ import annotations

import ctypes
import os
import re
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from edgemind.errors import ConfigError, ModelError

VARIANT: Final = "EDGEMIND_CPU_VARIANT"
"""Names the variant to load instead of the best, to tell a fault of one from a fault of all."""
_SKYLAKE: Final = frozenset("avx2 bmi2 avx512f avx512bw avx512cd avx512dq avx512vl".split())
_NEWEST_FIRST: Final[tuple[tuple[str, frozenset[str]], ...]] = (
    (
        "sapphirerapids",
        _SKYLAKE | {"avx512vbmi", "avx512_vnni", "avx512_bf16", "amx_tile", "amx_int8"},
    ),
    ("zen4", _SKYLAKE | {"avx512vbmi", "avx512_vnni", "avx512_bf16"}),
    ("cooperlake", _SKYLAKE | {"avx512_vnni", "avx512_bf16"}),
    ("icelake", _SKYLAKE | {"avx512vbmi", "avx512_vnni"}),
    ("cascadelake", _SKYLAKE | {"avx512_vnni"}),
    ("cannonlake", _SKYLAKE | {"avx512vbmi"}),
    ("skylakex", _SKYLAKE),
    ("alderlake", frozenset(("avx2", "fma", "f16c", "bmi2", "avx_vnni"))),
    ("haswell", frozenset(("avx2", "fma", "f16c", "bmi2"))),
)
"""Variants for x86-64 and the flags in /proc/cpuinfo that they ask for."""
_FILE: Final = re.compile(r"(?:lib)?ggml-cpu-(.+)\.(?:so|dylib|dll)")


def variants(folder: Path) -> dict[str, Path]:
    """The files with code for the processor in `folder`, by name; none in an ordinary build."""
    try:
        found = ((_FILE.fullmatch(path.name), path) for path in folder.iterdir())
        return {match[1]: path for match, path in found if match is not None}
    except OSError:
        return {}


def only_processors(folder: Path) -> bool:
    """Whether all code in `folder` is for processors, none for a GPU or another library."""
    modules = (path.name.partition("ggml-")[2] for path in folder.glob("*ggml-*"))
    return all(name.startswith(("base.", "cpu-", "cpu.")) for name in modules)


def likely(known: Collection[str], cpuinfo: Path) -> str | None:
    """The newest of the `known` variants whose flags all stand in `cpuinfo`, if that tells."""
    try:
        text = cpuinfo.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    found = re.search(r"^flags\s*:(.*)$", text, re.MULTILINE)
    flags = set(found[1].split()) if found else set()
    fitting = (name for name, needed in _NEWEST_FIRST if name in known and needed <= flags)
    return next(fitting, None)


def load_backends(
    api: Any,
    folder: Path | None = None,
    environment: Mapping[str, str] = os.environ,
    cpuinfo: Path = Path("/proc/cpuinfo"),
) -> None:
    """Let llama.cpp load what lies in `folder`, by default where its own library lies.

    llama.cpp finds the best by opening every file, which takes a tenth of a second; so what
    `cpuinfo` leads one to expect is tried first. The second time does nothing. Raises `ConfigError`
    where `EDGEMIND_CPU_VARIANT` names none, `ModelError` where nothing could be loaded.
    """
    folder = folder or Path(api.__file__).parent / "lib"
    known = variants(folder)
    if not known:
        return
    library = api._lib  # it leads to the functions of the libraries that it needs, too
    library.ggml_backend_reg_count.restype = ctypes.c_size_t
    if library.ggml_backend_reg_count():
        return
    # Otherwise what it loads is told on stderr; whoever wants the log asks for it later.
    silent = ctypes.cast(ctypes.CDLL(None).abs, api.llama_log_callback)
    api.llama_log_set(silent, ctypes.c_void_p(0))
    if name := environment.get(VARIANT):
        if name not in known:
            near = get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(known))}"
            raise ConfigError(f"{VARIANT}: this build has no variant {name!r}; {hint}")
        library.ggml_backend_load(os.fsencode(known[name]))
    else:
        if only_processors(folder) and (expected := likely(known, cpuinfo)):
            library.ggml_backend_load(os.fsencode(known[expected]))  # refuses what cannot run here
        if not library.ggml_backend_reg_count():
            library.ggml_backend_load_all_from_path(os.fsencode(folder))
    if not library.ggml_backend_reg_count():
        which = f"{name!r} of {VARIANT}" if name else f"any of {folder}"
        raise ModelError(f"llama.cpp could not load {which}: it is not for this processor")
