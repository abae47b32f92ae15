"""The GGUF engine: the five verbs over llama.cpp's C API (through llama-cpp-python)."""

from edgemind.engines.base import CacheMode
from edgemind.engines.llama.engine import LlamaEngine

__all__ = ["CacheMode", "LlamaEngine"]
