"""Looks at everything: each part by itself and all at once, since most of the time is waiting."""

from __future__ import annotations

import importlib
import pkgutil
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, TypeVar

from edgemind.doctor import parts
from edgemind.doctor.base import Finding, Part, Site, State

SCHEMA = 1
"""Number of the JSON's form: a new one where a key goes away or means something else."""
LIBRARIES = ("llama", "onnx")
T = TypeVar("T")
ORDER: tuple[State, ...] = ("ok", "note", "problem")


def part_names() -> list[str]:
    """The keys of all parts, in the order in which they are shown."""
    names = [module.name for module in pkgutil.iter_modules(parts.__path__)]
    return sorted(names, key=lambda name: int(_module(name).RANK))


def examine(site: Site) -> list[Part]:
    """Every part. One that fails says so in a note, and the others are as they are."""
    from concurrent.futures import ThreadPoolExecutor

    read = site.models
    models = _once(lambda _: read())
    site = replace(site, library=_once(site.library), models=lambda: models("all"))
    names = part_names()
    with ThreadPoolExecutor(len(names) + len(LIBRARIES)) as pool:
        for library in LIBRARIES:  # both at once, before anyone waits for one of them
            pool.submit(site.library, library)
        return list(pool.map(lambda name: _part(name, site), names))


def worst(found: list[Part]) -> State:
    """The worst state of all findings."""
    states = {one.state for part in found for one in part.findings}
    return max(states, key=ORDER.index, default="ok")


def as_values(found: list[Part]) -> dict[str, Any]:
    """As values of JSON: `parts.KEY.KEY` with state, text, value and action."""
    return {
        "schema": SCHEMA,
        "state": worst(found),
        "parts": {
            part.key: {
                one.key: {
                    "state": one.state,
                    "text": one.text,
                    "value": one.value,
                    "action": one.action or None,
                }
                for one in part.findings
            }
            for part in found
        },
    }


def _part(name: str, site: Site) -> Part:
    look: Callable[[Site], Iterator[Finding]] = getattr(_module(name), name)
    findings: dict[str, Finding] = {}
    try:
        for finding in look(site):
            findings[finding.key] = finding
    except Exception as error:  # an odd system must not keep anyone from seeing the rest
        text = f"could not be looked at further: {type(error).__name__}: {error}"
        action = "please report this line: the other parts are as they are"
        findings["failed"] = Finding("failed", text, None, "note", action)
    return Part(name, tuple(findings.values()))


def _once(ask: Callable[[str], T]) -> Callable[[str], T]:
    """`ask`, which is asked about each name once, whoever wants to know it first."""
    locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
    known: dict[str, T] = {}

    def asked(name: str) -> T:
        with locks[name]:
            if name not in known:
                known[name] = ask(name)
            return known[name]

    return asked


def _module(name: str) -> Any:
    return importlib.import_module(f"edgemind.doctor.parts.{name}")
