"""Words that several parts have in common."""

from __future__ import annotations

import sys

LLAMA = "llama-cpp-python==0.3.36"
"""The version that is pinned (a test holds it against pyproject.toml)."""
REBUILD = (
    f"build it for this processor: CMAKE_ARGS=-DGGML_NATIVE=ON {sys.executable} -m pip install "
    f"--force-reinstall --no-deps --no-cache-dir --no-binary :all: {LLAMA}"
)
