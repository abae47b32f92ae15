"""Frozen builds: nothing that is imported late is forgotten, and what is described is inside."""

from __future__ import annotations

import ast
import hashlib
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest

import edgemind
from edgemind.cli.main import LATE
from edgemind.meters.choose import sensor_names
from edgemind.strategies.base import strategy_names

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "edgemind"
WHEEL = """
libggml-base.so libggml-base.so.0 libggml-base.so.0.25.3 libggml-cpu-x64.so libggml-cpu-zen4.so
libggml.so libggml.so.0 libggml.so.0.25.3 libllama.so libllama.so.0 libllama.so.0.5.0
"""
ORDINARY = "libggml-cpu.so libggml-cpu.so.0 libggml-cpu.so.0.25.3 libmtmd.so libmtmd.so.0"


@pytest.fixture
def parts(packaging: Callable[[str], Any]) -> Any:
    return packaging("parts")


def imported() -> Iterator[tuple[Path, str]]:
    """Every module that our modules import, at any depth and through a name in a text."""
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Import(names=names):
                    yield from ((path, one.name) for one in names)
                case ast.ImportFrom(module=str(module), level=0):
                    yield path, module
                case ast.Call(
                    func=ast.Attribute(attr="import_module"),
                    args=[ast.Constant(value=str(name)), *_],
                ):
                    yield path, name


def test_every_module_of_ours_goes_in(parts: Any) -> None:
    inside = set(parts.hidden_imports())
    late = {module for module, _ in LATE.values()}
    late |= {f"edgemind.strategies.{name}" for name in strategy_names()}
    late |= {f"edgemind.meters.{name}" for name in sensor_names()}
    assert late <= inside
    ours = {name for _, name in imported() if name.partition(".")[0] == "edgemind"}
    assert ours <= inside
    assert "edgemind.__main__" in inside and "edgemind" in inside


def test_qt_goes_into_the_variant_with_the_window_only(parts: Any, tmp_path: Path) -> None:
    package = tmp_path / "edgemind"
    for name in ("__init__.py", "__main__.py", "desktop/__init__.py", "desktop/window.py"):
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).touch()
    names = ["edgemind", "edgemind.__main__", "edgemind.desktop", "edgemind.desktop.window"]
    assert sorted(parts.own_modules(package)) == names
    assert {"PySide6", "shiboken6", "PyQt6"} <= set(parts.excluded(desktop=False))
    assert not {"PySide6", "shiboken6", "edgemind.desktop"} & set(parts.excluded(desktop=True))


def test_every_library_is_inside_or_left_out_on_purpose(parts: Any) -> None:
    out, by_name = set(parts.excluded(desktop=False)), set(parts.BY_NAME)
    assert not out & set(parts.hidden_imports())
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    for path, name in imported():
        top = name.partition(".")[0]
        if top in sys.stdlib_module_names or top == "edgemind":
            continue
        if name in out or top in out:
            continue
        # Not left out: so it must come with what a build installs, and a name in a text be told.
        found = [one for one in owners(project) if top in tops(one)]
        assert found, f"{path} imports {name}: say in parts.py whether it goes in"
        if name in ("onnxruntime", "tokenizers", "llama_cpp.llama_cpp"):
            assert name in by_name


def owners(project: dict[str, Any]) -> list[str]:
    wanted = [*project["dependencies"], *project["optional-dependencies"]["pull"]]
    wanted += project["optional-dependencies"]["nvidia"]
    return [one.split(">")[0].split("=")[0].split("<")[0] for one in wanted]


def tops(name: str) -> set[str]:
    """The modules that a distribution brings."""
    known = {
        "llama-cpp-python": {"llama_cpp"},
        "markdown-it-py": {"markdown_it"},
        "nvidia-ml-py": {"pynvml"},
        "jsonschema": {"jsonschema", "referencing"},
    }
    return known.get(name, {name})


def test_what_models_write_finds_the_standard_library(parts: Any) -> None:
    inside = set(parts.standard_library())
    assert {"collections", "statistics", "fractions", "sqlite3", "asyncio", "unittest"} <= inside
    assert not {"tkinter", "readline", "idlelib", "turtle"} & inside


def test_models_and_data_go_where_they_are_looked_for(parts: Any) -> None:
    placed = {(Path(source).name, to) for source, to in parts.data_files()}
    assert ("edgemind-nano.gguf", "edgemind/models") in placed
    assert ("tokenizer.json", "edgemind/models/edgemind-nano-onnx") in placed
    assert ("problems.jsonl", "edgemind/evaluate") in placed
    # Whatever lies beside our modules and is no source is one of the kinds that are taken.
    others = [
        path
        for path in PACKAGE.rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc", *parts.DATA)
    ]
    assert others == []


def test_each_library_of_llama_goes_in_once(parts: Any, tmp_path: Path) -> None:
    for name in WHEEL.split():
        (tmp_path / name).touch()
    kept = [Path(path).name for path, _ in parts.libraries(tmp_path)]
    assert kept == [
        "libggml-base.so.0",
        "libggml-cpu-x64.so",
        "libggml-cpu-zen4.so",
        "libggml.so.0",
        "libllama.so",
    ]
    for name in ORDINARY.split():
        (tmp_path / name).touch()
    kept = [Path(path).name for path, _ in parts.libraries(tmp_path)]
    assert "libggml-cpu.so.0" in kept and not [one for one in kept if "mtmd" in one]


def test_the_version_is_the_projects(parts: Any) -> None:
    assert parts.version() == edgemind.__version__


def test_what_only_left_out_parts_need_stays_out_too(parts: Any) -> None:
    needed = {
        "/w/QtGui.so": {"libglib.so.0", "libc.so.6"},
        "/w/libqgtk3.so": {"libgtk.so.0", "libglib.so.0"},
        "/usr/lib/libgtk.so.0": {"libglib.so.0"},
        "/usr/lib/libglib.so.0": {"libpcre.so.0"},
    }
    entries = [
        ("PySide6/QtGui.so", "/w/QtGui.so", "EXTENSION"),
        ("PySide6/plugins/libqgtk3.so", "/w/libqgtk3.so", "BINARY"),
        *((name, f"/usr/lib/{name}", "BINARY") for name in ("libgtk.so.0", "libglib.so.0")),
        ("libpcre.so.0", "/usr/lib/libpcre.so.0", "BINARY"),
    ]
    kept = parts.without_idle(entries, lambda path: needed.get(path, set()))
    assert [name for name, _, _ in kept] == ["PySide6/QtGui.so", "libglib.so.0", "libpcre.so.0"]
    plain = [one for one in entries if "gtk3" not in one[0]]
    assert parts.without_idle(plain, lambda _: set()) == plain  # nothing left out: nothing to do


def test_only_what_was_built_here_is_stripped(parts: Any, tmp_path: Path) -> None:
    entries = [
        ("a.so", "/x/site-packages/numpy/a.so", "EXTENSION"),
        ("link", "target", "SYMLINK"),
    ]
    assert parts.stripped(entries, tmp_path / "stripped") == entries


def test_the_build_tools_are_pinned_and_apart(packaging: Callable[[str], Any]) -> None:
    build = packaging("build")
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    assert all("==" in one for one in project["optional-dependencies"]["package"])
    inside, describing = build.requirements(project, desktop=False)
    assert [one.partition("==")[0] for one in describing] == ["cyclonedx-bom"]
    assert any(one.startswith("pyinstaller==") for one in inside)
    assert not [one for one in inside if one.startswith("llama-cpp-python")]
    pinned = (ROOT / "packaging" / "constraints.txt").read_text(encoding="utf-8").lower()
    for one in project["optional-dependencies"]["package"]:
        assert one in pinned.splitlines()


def test_listings_tell_builds_apart(packaging: Callable[[str], Any], tmp_path: Path) -> None:
    listing = packaging("listing")
    for name in ("one", "other"):
        (tmp_path / name / "in side").mkdir(parents=True)
        (tmp_path / name / "in side" / "a b").write_text("same")
        (tmp_path / name / "link").symlink_to("in side/a b")
    one, other = (listing.listing(tmp_path / name) for name in ("one", "other"))
    digest = hashlib.sha256(b"same").hexdigest()
    assert one == f"{digest} 4 in side/a b\n->in side/a b 0 link\n"
    assert listing.compare(one, other) == (listing.SAME, [])
    changed = one.replace(digest, "0" * 64)
    assert listing.compare(one, changed) == (listing.OTHER_BYTES, ["other bytes: in side/a b"])
    code, lines = listing.compare(one, "")
    assert code == listing.OTHER_FILES and len(lines) == 2

    (tmp_path / "edgemind-1").write_text("x")
    (tmp_path / "SHA256SUMS").write_text(listing.sums([tmp_path / "edgemind-1"]))
    command = ["sha256sum", "--check", "--status", "SHA256SUMS"]
    assert subprocess.run(command, cwd=tmp_path, check=False).returncode == 0


def test_the_bill_names_what_is_inside(packaging: Callable[[str], Any], tmp_path: Path) -> None:
    bill = packaging("bill")
    library = distribution("jinja2")
    source = str(library.locate_file("jinja2/__init__.py"))
    packages, system = bill.inside([("jinja2", source, "PYMODULE"), ("x", "/nowhere", "DATA")])
    assert list(packages) == ["jinja2"] and system == []
    described = {
        "bomFormat": "CycloneDX",
        "components": [
            {
                "name": "Jinja2",
                "bom-ref": "Jinja2==3",
                "version": "3",
                "externalReferences": [{"type": "distribution", "url": "file:///home/me/a.whl"}],
            },
            {"name": "pip", "bom-ref": "pip==1", "version": "1"},
        ],
        "dependencies": [{"ref": "Jinja2==3", "dependsOn": ["pip==1"]}, {"ref": "pip==1"}],
    }
    model = tmp_path / "small.gguf"
    model.write_bytes(b"weights")
    made = bill.bill(described, packages, {"zlib1g": "1:1.2"}, model, "0.1.0")
    names = {one["name"] for one in made["components"]}
    assert names == {"Jinja2", "cpython", "small", "zlib1g"}
    assert "file:" not in str(made)
    references = {one["bom-ref"] for one in made["components"]}
    for one in made["dependencies"]:
        assert set(one["dependsOn"]) <= references
    with pytest.raises(ValueError, match="lacks jinja2"):
        bill.bill({"components": []}, packages, {}, model, "0.1.0")
    text = bill.licences(packages, {})
    assert f"\n{library.name} {library.version}" in text
    assert "PYTHON SOFTWARE FOUNDATION LICENSE" in text
