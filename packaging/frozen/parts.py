"""What goes into a frozen edgemind, and what stays out. Read by edgemind.spec and by the tests."""

from __future__ import annotations

import pkgutil
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
PACKAGE: Final = ROOT / "edgemind"

DATA: Final = (".json", ".jsonl", ".txt", ".svg", ".png", ".qss", ".qml", ".typed")
"""Files beside our modules that are read when the program runs."""
MODEL: Final = ROOT / "models" / "edgemind-nano.gguf"
MODELS: Final = ("edgemind-nano.gguf", "edgemind-nano-onnx", "README.md")

STANDARD_LIBRARY_LEFT_OUT: Final = frozenset(
    # Windows and installers, old things without use, and what needs a display of its own.
    """antigravity ensurepip idlelib lib2to3 msilib tkinter turtle turtledemo venv pydoc_data
    distutils test
    readline crypt nis ossaudiodev spwd
    """.split()
)
"""readline would bring a GPL library in; without it `chat --plain` takes lines from the terminal.
The rest of the standard library is there, for the Python that models write and verifiers run."""

OPTIONAL: Final = frozenset({"matplotlib", "onnx", "onnx_ir", "sympy"})
"""Libraries behind an extra, which edgemind asks for and does without."""

LEFT_OUT: Final = (
    "_gdbm _tkinter PIL chardet hf_xet IPython llama_cpp.llama llama_cpp.server lark mypy "
    "numpy.distutils numpy.f2py onnxruntime.datasets onnxruntime.quantization onnxruntime.tools "
    "onnxruntime.transformers pip pytest ruff scipy setuptools shellingham.nt tensorflow torch "
    "wheel"
).split()
"""Modules that some library would load if it could, and that nothing here calls."""

QT_LEFT_OUT: Final = ("PySide6", "shiboken6", "PyQt5", "PyQt6", "PySide2", "tkinter")
QT_FILES_LEFT_OUT: Final = ("libqgtk3", "/translations/", "/networkinformation/", "/tls/")
"""Parts of Qt that the window has no use for: the first would bring all of GTK."""
HOOKS_LEFT_OUT: Final = ("pyi_rth_inspect", "pyi_rth_multiprocessing")
"""What PyInstaller runs at each start for libraries that look at source code or fork workers."""


BY_NAME: Final = (
    "huggingface_hub.hf_api huggingface_hub.utils jinja2.ext llama_cpp.llama_cpp onnxruntime "
    "tokenizers"
).split()
"""What is imported through a name in a text, by us or inside a library."""


def own_modules(package: Path = PACKAGE) -> list[str]:
    """Our own modules: many are imported by name only, so that none is found by looking."""
    names = (
        ".".join((package.name, *path.relative_to(package).with_suffix("").parts))
        for path in sorted(package.rglob("*.py"))
    )
    return [name.removesuffix(".__init__") for name in names]


def standard_library() -> list[str]:
    """The modules of Python's own library that go in."""
    wanted = sorted(set(sys.stdlib_module_names) - STANDARD_LIBRARY_LEFT_OUT)
    return [name for name in wanted if not name.startswith("_") and _is_here(name)]


def hidden_imports() -> list[str]:
    """What PyInstaller has to take in although no import of a name leads there."""
    return [
        *own_modules(),
        *standard_library(),
        *(f"{name}.{one}" for name in ("concurrent.futures", "json") for one in _inside(name)),
        *BY_NAME,
    ]


def excluded(*, desktop: bool) -> list[str]:
    """What PyInstaller must not take in: Qt only into the variant with the window.

    The window's own modules are in both; without Qt they say what is missing.
    """
    left_out = {*STANDARD_LIBRARY_LEFT_OUT, *OPTIONAL, *LEFT_OUT}
    return sorted(left_out if desktop else {*left_out, *QT_LEFT_OUT})


def data_files() -> list[tuple[str, str]]:
    """Files and the folders in the bundle that they go to."""
    inside = sorted(path for path in PACKAGE.rglob("*") if path.suffix in DATA)
    own = [(str(path), str(path.parent.relative_to(ROOT))) for path in inside]
    models = [
        (str(path), str(Path("edgemind", path.parent.relative_to(ROOT))))
        for name in MODELS
        for path in _files(ROOT / "models" / name)
    ]
    return [*own, *models, (str(ROOT / "LICENSE"), ".")]


def is_wanted_data(name: str) -> bool:
    """Whether a file that a library brings is of use: not tests, headers and type stubs."""
    parts = Path(name).parts
    return not (
        any(part in name for part in QT_FILES_LEFT_OUT)
        or "tests" in parts
        or "include" in parts
        or name.endswith((".pyi", ".h", ".pxd", ".pyx", ".c"))
    )


def version() -> str:
    """edgemind's version, from where the project states it."""
    text = (PACKAGE / "__init__.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "(.+)"$', text, re.MULTILINE)
    assert found is not None
    return found[1]


def libraries(folder: Path) -> list[tuple[str, str]]:
    """llama.cpp's libraries in `folder`, each once.

    A wheel cannot hold links, so that every library is there under three names. One stays: the
    name without a version where it is opened by that name, otherwise the one others ask for.
    """
    names = [path.name for path in sorted(folder.iterdir())]
    kept = [name for name in names if _is_opened(name) or _is_asked_for(name)]
    return [(str(folder / name), "llama_cpp/lib") for name in kept]


def without_idle(
    binaries: Sequence[tuple[str, str, str]], needs: Callable[[str], set[str]]
) -> list[tuple[str, str, str]]:
    """The binaries without parts of Qt that stay out, and the system's libraries only they need.

    `needs` tells which libraries the one at a path asks for, by their names.
    """
    kept = [one for one in binaries if not any(part in one[0] for part in QT_FILES_LEFT_OUT)]
    if len(kept) == len(binaries):
        return kept
    system = {
        Path(name).name: path
        for name, path, kind in kept
        if kind == "BINARY" and path.startswith(("/lib/", "/usr/lib/")) and "/" not in name
    }
    to_ask = [path for _, path, kind in kept if kind != "SYMLINK" and path not in system.values()]
    asked: set[str] = set()
    while to_ask:
        new = (needs(to_ask.pop()) & system.keys()) - asked
        asked |= new
        to_ask += [system[name] for name in new]
    return [one for one in kept if one[0] not in system or one[0] in asked]


def needed_by(path: str) -> set[str]:
    """The libraries that a library of Linux asks for, as readelf tells."""
    done = subprocess.run(["readelf", "-dW", path], capture_output=True, text=True, check=False)
    return set(re.findall(r"\(NEEDED\).*\[(.+?)\]", done.stdout))


def stripped(binaries: Sequence[tuple[str, str, str]], folder: Path) -> list[tuple[str, str, str]]:
    """The same binaries without symbols for debuggers, copied into `folder` where it matters.

    Wheels come stripped, and some of them do not survive it a second time (their libraries were
    rewritten); so it is done to what was compiled on this machine: Python and llama.cpp.
    """
    folder.mkdir(parents=True, exist_ok=True)
    result = []
    for name, source, kind in binaries:
        path = source
        ours = "site-packages" not in path or "llama_cpp" in path
        if ours and kind in ("BINARY", "EXTENSION"):
            copy = folder / name.replace("/", "-")
            subprocess.run(["strip", "--strip-unneeded", "-o", copy, path], check=True)
            path = str(copy)
        result.append((name, path, kind))
    return result


BACKENDS: Final = ("libllama.", "libggml-cpu-", "libggml-metal", "libggml-blas")


def _is_opened(name: str) -> bool:
    """Whether a library is opened by its name: from Python, or as a variant for a processor."""
    return name.endswith(".dll") or (name.endswith((".so", ".dylib")) and name.startswith(BACKENDS))


def _is_asked_for(name: str) -> bool:
    """Whether other libraries ask for one by this name."""
    return (
        name.endswith((".so.0", ".0.dylib"))
        and name.count(".") == 2
        and not name.startswith(("libllama", "libmtmd", "libggml-cpu-"))
    )


def _is_here(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def _inside(name: str) -> Iterator[str]:
    spec = find_spec(name)
    paths: Sequence[str] = (spec and spec.submodule_search_locations) or ()
    return (one.name for one in pkgutil.iter_modules(paths))


def _files(path: Path) -> list[Path]:
    return sorted(path.rglob("*")) if path.is_dir() else [path]
