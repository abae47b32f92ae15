"""What weights can be turned into, by name. A name may be written in small letters.

GGUF: the types of files and of tensors that llama.cpp's quantiser makes. ONNX: what onnxruntime's
own tools make, under the names that exporters give to such files.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from edgemind.catalog.gguf_types import TENSOR_TYPES
from edgemind.errors import ConfigError

GGUF_TYPES: Final[Mapping[str, int]] = MappingProxyType(
    {
        **{"F32": 0, "F16": 1, "BF16": 32},
        **{"Q8_0": 7, "Q6_K": 18, "Q5_0": 8, "Q5_1": 9, "Q5_K_S": 16, "Q5_K_M": 17},
        **{"Q4_0": 2, "Q4_1": 3, "Q4_K_S": 14, "Q4_K_M": 15, "IQ4_NL": 25, "IQ4_XS": 30},
        **{"Q3_K_S": 11, "Q3_K_M": 12, "Q3_K_L": 13},
        **{"IQ3_XXS": 23, "IQ3_XS": 22, "IQ3_S": 26, "IQ3_M": 27},
        **{"Q2_0": 41, "Q2_K": 10, "Q2_K_S": 21},
        **{"IQ2_XXS": 19, "IQ2_XS": 20, "IQ2_S": 28, "IQ2_M": 29},
        **{"IQ1_S": 24, "IQ1_M": 31, "Q1_0": 40, "TQ1_0": 36, "TQ2_0": 37, "MXFP4_MOE": 38},
    }
)
"""Types of files, by llama.h's `llama_ftype`; how most matrices are kept, the rest better."""

ALIASES: Final[Mapping[str, str]] = MappingProxyType(
    {"Q3_K": "Q3_K_M", "Q4_K": "Q4_K_M", "Q5_K": "Q5_K_M"}
)
"""As llama.cpp's own tool has them."""

_NOT_FOR_WEIGHTS: Final = ("Q8_1", "Q8_K", "NVFP4", "I8", "I16", "I32", "I64", "F64")

TENSOR_NAMES: Final[Mapping[str, int]] = MappingProxyType(
    {
        kind.name: number
        for number, kind in TENSOR_TYPES.items()
        if kind.name not in _NOT_FOR_WEIGHTS
    }
)
"""Types of one tensor: the output head, the table of embeddings."""

ONNX_TYPES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "int8": "8-bit weights with a sign, activations in 8 bits as they come",
        "uint8": "8-bit weights without a sign, activations likewise",
        "q4": "4-bit weights in blocks of 32",
    }
)


def gguf_type(name: str) -> int:
    """The number of a GGUF file's type. Raises `ConfigError` with the names there are."""
    upper = name.upper()
    return GGUF_TYPES[_known(ALIASES.get(upper, upper), GGUF_TYPES, "type of GGUF file", name)]


def tensor_type(name: str) -> int:
    """The number of a tensor's type. Raises `ConfigError` with the names there are."""
    return TENSOR_NAMES[_known(name.upper(), TENSOR_NAMES, "type of tensor", name)]


def onnx_type(name: str) -> str:
    """The name as exporters write it. Raises `ConfigError` with the names there are."""
    return _known(name.lower(), ONNX_TYPES, "type for ONNX", name)


def _known(key: str, names: Mapping[str, object], what: str, given: str) -> str:
    if key in names:
        return key
    near = difflib.get_close_matches(key, names, 1)
    hint = f"did you mean {near[0]}? " if near else ""
    raise ConfigError(f"no {what} is called {given!r}: {hint}there are {', '.join(names)}")
