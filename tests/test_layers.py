"""Imports point down only, and heavy libraries load late: docs and style say so, this holds it.

The table is the house. A new room is one more word in it; a module in no room fails.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator, Set
from dataclasses import dataclass
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "edgemind"

# From the roof down. A layer holds rooms, a room holds modules (a package stands for all in it;
# the longest name wins, and "" is edgemind/__init__.py). A module may import from its own room and
# from every layer below; rooms of one layer know nothing of each other.
LAYERS: tuple[tuple[Set[str], ...], ...] = (
    ({"cli", "__main__"},),  # its commands start the window
    ({"desktop"},),
    ({"quantize"}, {"doctor"}, {"bench"}),
    ({"evaluate"},),
    ({""},),
    ({"loading", "card", "choosing"}, {"conversation"}),
    ({"runtime", "answering", "learning"},),
    ({"strategies"}, {"router"}),
    (
        {"run", "growing", "stepping", "sample", "samples", "prompt", "plan", "structured"},
        {"probe"},
        {"rendering"},
    ),
    (
        {"engines"},
        {"meters"},
        {"verify"},
        {"catalog"},
        {"guard"},
        {"usage"},
        {"history", "history_schema", "history_search"},
    ),
    (
        {"budget", "costs"},
        {"clock"},
        {"conditions", "device"},
        {"chat", "messages", "templating", "thoughts", "tokenizing"},
        {"structure"},
        {"config", "config_readers", "settings", "settings_file"},
        {"database", "database_file"},
        {"formats"},
        {"defaults"},
        {"streams"},
        {"transcript"},
        {"wording"},
    ),
    ({"files"}, {"receipts"}, {"events"}),
    ({"types"}, {"errors"}, {"folders"}, {"interrupts"}),
)

# Imported inside functions only; but for these modules of ours, which nobody imports but late.
HEAVY = {"PySide6", "jinja2", "llama_cpp", "matplotlib", "onnxruntime", "prompt_toolkit", "rich"}
LATE_MODULES = {
    "templating",
    *(f"cli.chatting.{name}" for name in ("editor", "keys", "markdown", "page", "region")),
    *(
        f"desktop.{name}"
        for name in (
            "app bars chats composer control files icons look markdown_view page parts picker "
            "preferences sheets sidebar theme thinking_card turn_view window worker writing"
        ).split()
    ),
}
# What `import edgemind` must not load: the above and what comes with them.
NOT_AT_START = HEAVY | {"gguf", "numpy", "tokenizers", "torch", "typer"}


@dataclass(frozen=True)
class Import:
    """One imported module, and whether it is imported when the importing one is."""

    name: str
    line: int
    at_once: bool


def modules(package: Path) -> dict[str, Path]:
    """Dotted name → file of each module, with `package` itself as its first part."""
    found = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(module: str, path: Path, known: Set[str]) -> Iterator[Import]:
    """What a module imports, relative names resolved; `from a import b` is a.b if that is one."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]

    def visit(node: ast.AST, at_once: bool) -> Iterator[Import]:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                at_once = False
            case ast.If(test=ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING")):
                for statement in node.body:
                    yield from visit(statement, False)
                for statement in node.orelse:
                    yield from visit(statement, at_once)
                return
            case ast.Import():
                for alias in node.names:
                    yield Import(alias.name, node.lineno, at_once)
            case ast.ImportFrom():
                base = node.module or ""
                if node.level:
                    parts = package.split(".")
                    above = ".".join(parts[: len(parts) - node.level + 1])
                    base = f"{above}.{base}".rstrip(".")
                inner = {f"{base}.{alias.name}" for alias in node.names}
                for name in sorted(inner & known) + [base] * bool(inner - known):
                    yield Import(name, node.lineno, at_once)
        for child in ast.iter_child_nodes(node):
            yield from visit(child, at_once)

    yield from visit(ast.parse(path.read_text()), True)


def place(module: str) -> tuple[int, int] | None:
    """Layer and room of a module of ours, counted from the roof; None where it has none."""
    name = module.partition(".")[2]
    fits = {
        inside: (layer, room)
        for layer, rooms in enumerate(LAYERS)
        for room, insides in enumerate(rooms)
        for inside in insides
        if name == inside or (inside and name.startswith(f"{inside}."))
    }
    return fits[max(fits, key=len)] if fits else None


def wrong_imports(package: Path) -> Iterator[str]:
    """Every import that does not point down, in words."""
    ours = modules(package)
    for module, path in ours.items():
        here = place(module)
        if here is None:
            yield f"{module} is in no layer: give it a place in LAYERS"
            continue
        for found in imports(module, path, ours.keys()):
            if found.name.partition(".")[0] != package.name:
                continue
            there = place(found.name)
            if there is None:
                yield f"{module}:{found.line} imports {found.name}, which is in no layer"
            elif there[0] <= here[0] and there != here:
                way = "up" if there[0] < here[0] else "sideways"
                yield f"{module}:{found.line} imports {way}: {found.name}"


def early_heavy_imports(package: Path) -> Iterator[str]:
    """Every import of a heavy library that happens when a module outside engines is imported."""
    ours = modules(package)
    late = {f"{package.name}.{name}" for name in LATE_MODULES}
    for module, path in ours.items():
        if module in late or module.startswith(f"{package.name}.engines."):
            continue
        for found in imports(module, path, ours.keys()):
            heavy = found.name in late or found.name.partition(".")[0] in HEAVY
            if found.at_once and heavy:
                yield f"{module}:{found.line} imports {found.name} at once"


def test_imports_point_down() -> None:
    assert list(wrong_imports(PACKAGE)) == []


def test_heavy_libraries_are_imported_late() -> None:
    assert list(early_heavy_imports(PACKAGE)) == []


def test_importing_edgemind_loads_no_engine_library() -> None:
    script = "import json, sys, edgemind; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=PACKAGE.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = {name.partition(".")[0] for name in json.loads(done.stdout)}
    assert "edgemind" in loaded
    assert loaded & NOT_AT_START == set()


@pytest.mark.parametrize(
    ("module", "text", "complaint"),
    [
        ("types", "import edgemind.errors", "sideways: edgemind.errors"),
        ("types", "from edgemind import errors", "sideways: edgemind.errors"),
        ("errors", "from . import types", "sideways: edgemind.types"),
        ("run", "from edgemind.strategies.vote import x", "up: edgemind.strategies.vote"),
        ("run", "from .runtime import Mind", "up: edgemind.runtime"),
        ("run", "from edgemind import Answer", "up: edgemind"),
        ("run", "def f():\n    import edgemind.cli.main", "up: edgemind.cli.main"),
        ("engines.llama", "from edgemind.meters import rapl", "sideways: edgemind.meters"),
        ("engines.llama", "from ..guard import lock", "sideways: edgemind.guard"),
        ("budget", "from edgemind.chat import render", "sideways: edgemind.chat"),
        ("chat", "from edgemind.engines.base import Engine", "up: edgemind.engines.base"),
        ("attic", "", "edgemind.attic is in no layer"),
        ("run", "import edgemind.attic", "edgemind.attic, which is in no layer"),
    ],
)
def test_wrong_imports_are_found(tmp_path: Path, module: str, text: str, complaint: str) -> None:
    package = house(tmp_path, {module: text})
    [found] = wrong_imports(package)
    assert complaint in found


def test_right_imports_are_left_alone(tmp_path: Path) -> None:
    texts = {
        "cli.main": "import edgemind\nfrom edgemind import runtime",
        "runtime": "from edgemind.strategies import vote\nfrom .run import Run",
        "strategies.vote": "from edgemind.strategies.base import x\nfrom . import base",
        "strategies.base": "from ..types import Budget",
        "run": "from edgemind.engines.base import Engine\nfrom edgemind import thoughts, types",
        "chat": "from edgemind import thoughts",
        "types": "import json\nfrom dataclasses import dataclass",
    }
    assert list(wrong_imports(house(tmp_path, texts))) == []


def test_early_heavy_imports_are_found(tmp_path: Path) -> None:
    texts = {
        "cli.main": "try:\n    from rich.console import Console\nexcept ImportError:\n    pass",
        "chat": "def f():\n    import jinja2\nclass A:\n    import jinja2.sandbox",
        "runtime": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import llama_cpp",
        "engines.llama": "import llama_cpp",
        "templating": "from jinja2 import nodes",
        "run": "from edgemind import templating",
    }
    assert list(early_heavy_imports(house(tmp_path, texts))) == [
        "edgemind.chat:4 imports jinja2.sandbox at once",
        "edgemind.cli.main:2 imports rich.console at once",
        "edgemind.run:1 imports edgemind.templating at once",
    ]


def house(folder: Path, texts: dict[str, str]) -> Path:
    """A package of modules with these texts, and of a few empty ones to import."""
    for module, text in {"errors": "", "thoughts": "", "types": "", **texts}.items():
        path = folder.joinpath("edgemind", *module.split(".")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder / "edgemind"
