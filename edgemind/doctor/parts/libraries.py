"""The two libraries that run models: their builds, and whether they load at all."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from edgemind.doctor.base import Finding, Site, State
from edgemind.doctor.words import LLAMA, REBUILD
from edgemind.engines.opening import is_onnx

RANK = 40
BUILT_WITH = ("OPENMP", "LLAMAFILE", "REPACK", "KLEIDIAI")
PIP = f"{sys.executable} -m pip install"


def libraries(site: Site) -> Iterator[Finding]:
    """llama.cpp and onnxruntime."""
    llama = site.library("llama")
    if not llama.facts:
        install = REBUILD if llama.signal else f"{PIP} --force-reinstall --no-deps {LLAMA}"
        text = f"GGUF models cannot run: {llama.error}"
        yield Finding("llama", text, None, _weight(site, onnx=False), install)
    else:
        yield from _llama(dict(llama.facts))
    onnx = site.library("onnx")
    if not onnx.facts:
        text = f"ONNX models cannot run: {onnx.error}"
        install = f"{PIP} --force-reinstall 'onnxruntime>=1.23,<2'"
        yield Finding("onnxruntime", text, None, _weight(site, onnx=True), install)
        return
    providers = [name.removesuffix("ExecutionProvider") for name in onnx.facts["providers"]]
    version = onnx.facts["version"]
    yield Finding(
        "onnxruntime",
        f"{version}, providers {', '.join(providers)}",
        {"version": version, "providers": providers},
    )


def _weight(site: Site, *, onnx: bool) -> State:
    """How bad it is that a library is missing: the model that answers may need the other one."""
    asked = next((one.path for one in site.models().known if one.asked), None)
    return "problem" if asked is None or is_onnx(asked) == onnx else "note"


def _llama(facts: dict[str, object]) -> Iterator[Finding]:
    package, build = str(facts["package"]), f"{facts['llama.cpp']}".strip()
    known = [f"llama-cpp-python {package}"]
    if build:
        known.append(f"llama.cpp {build}")
    if facts["ggml"]:
        known.append(f"ggml {facts['ggml']}")
    if facts["commit"] and facts["commit"] != "unknown":
        known.append(f"commit {facts['commit']}")
    value = {name: facts[name] for name in ("package", "llama.cpp", "ggml", "commit")}
    wanted = LLAMA.partition("==")[2]
    if package != wanted:
        text = f"{', '.join(known)}: not the version whose functions are called"
        action = f"{PIP} {LLAMA}"
        yield Finding("llama", text, {**value}, "note", action)
    else:
        yield Finding("llama", ", ".join(known), {**value})
    features = facts["features"]
    assert isinstance(features, dict)
    on = {one: [name for name, v in found.items() if v == "1"] for one, found in features.items()}
    built = [name for name in BUILT_WITH if name in on.get("CPU", [])]
    text = f"backends {', '.join(on) or 'none told'}; built with {', '.join(built) or 'no more'}"
    yield Finding("backends", text, {"features": on, "built_with": built})
