"""The names that `import edgemind` promises. Changing this list is changing the interface."""

from __future__ import annotations

import inspect

import edgemind

NAMES = [
    "Answer",
    "Budget",
    "BudgetError",
    "BudgetTooSmall",
    "Chat",
    "ConfigError",
    "ContextFull",
    "EdgemindError",
    "Event",
    "Finished",
    "Message",
    "Mind",
    "ModelError",
    "ModelInvalid",
    "ModelNotFound",
    "ModelUnsupported",
    "PrivacyError",
    "Sampling",
    "Spent",
    "Text",
    "Token",
    "__version__",
    "load",
]


def test_public_names_are_pinned() -> None:
    assert list(edgemind.__all__) == NAMES


def test_public_names_are_sorted_and_there() -> None:
    assert sorted(NAMES) == NAMES
    assert [name for name in NAMES if not hasattr(edgemind, name)] == []


def test_nothing_else_looks_public() -> None:
    others = {
        name
        for name, value in vars(edgemind).items()
        if not name.startswith("_") and not inspect.ismodule(value) and name not in NAMES
    }
    assert others <= {"annotations"}


def test_public_things_say_what_they_are() -> None:
    silent = [
        name
        for name in NAMES
        if inspect.isroutine(thing := getattr(edgemind, name)) or inspect.isclass(thing)
        if not inspect.getdoc(thing)
    ]
    assert silent == []
