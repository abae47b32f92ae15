"""What the machine is called, what runs on it, and what of edgemind is installed."""

from __future__ import annotations

import importlib.util
import platform
import sys
from collections.abc import Iterator
from pathlib import Path

from edgemind.device import host
from edgemind.doctor.base import Finding, Site

RANK = 10
EXTRAS = {
    "eval": ("matplotlib", "plots as files"),
    "math": ("sympy", "mathematics that is the same in other words"),
    "pull": ("huggingface_hub", "fetching models"),
    "quantize": ("onnx_ir", "smaller copies of ONNX models"),
    "nvidia": ("pynvml", "the energy of NVIDIA GPUs"),
}


def device(site: Site) -> Iterator[Finding]:
    """Board, system, edgemind."""
    name = host.board(site.root)
    yield Finding("machine", name or "it has no name", name or None)
    inside = host.inside(site.root)
    system = host.system(site.root, site.place.system)
    kernel = platform.release()
    told = f"{system}, kernel {kernel}" + (f", inside {inside}" if inside else "")
    yield Finding("system", told, {"name": system, "kernel": kernel, "inside": inside or None})
    from edgemind import __version__

    home = str(Path(__file__).parents[2])
    python = f"Python {platform.python_version()}"
    yield Finding(
        "edgemind",
        f"{__version__} in {home}, {python}",
        {"version": __version__, "folder": home, "python": platform.python_version()},
    )
    there = {one: _installed(module) for one, (module, _) in EXTRAS.items()}
    missing = [one for one, is_there in there.items() if not is_there]
    if missing:
        what = "; ".join(f"{one}: {EXTRAS[one][1]}" for one in missing)
        text = f"not installed, none of them needed to answer: {what}"
        # A frozen program takes no further libraries.
        action = "if wanted: " + (
            "install edgemind with pip, in a Python of your own"
            if getattr(sys, "frozen", False)
            else f"{sys.executable} -m pip install 'edgemind[{','.join(missing)}]'"
        )
        yield Finding("extras", text, {**there}, action=action)
    else:
        yield Finding("extras", f"all there: {', '.join(there)}", {**there})


def _installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False
