"""Names of types: those of the library that is installed, no more and no fewer."""

from __future__ import annotations

import pytest

from edgemind.engines.llama.c_api import load_api
from edgemind.errors import ConfigError
from edgemind.quantize.names import GGUF_TYPES, TENSOR_NAMES, gguf_type, onnx_type, tensor_type


def test_every_file_type_of_the_library() -> None:
    api = load_api()
    known = {
        name.removeprefix("LLAMA_FTYPE_").removeprefix("MOSTLY_").removeprefix("ALL_"): value
        for name, value in vars(api).items()
        if name.startswith("LLAMA_FTYPE_")
    }
    # Guessed is no type; NVFP4 files come from elsewhere, the quantiser refuses to make one.
    assert dict(GGUF_TYPES) == {k: v for k, v in known.items() if k not in ("GUESSED", "NVFP4")}


def test_every_tensor_type_is_one_of_the_library() -> None:
    api = load_api()
    for name, number in TENSOR_NAMES.items():
        if hasattr(api, f"GGML_TYPE_{name}"):
            assert getattr(api, f"GGML_TYPE_{name}") == number
    assert {"F32", "F16", "Q8_0", "Q6_K", "Q4_K"} <= TENSOR_NAMES.keys()


def test_small_letters_and_short_forms() -> None:
    assert gguf_type("q4_k") == gguf_type("Q4_K_M") == 15
    assert tensor_type("q6_k") == 14
    assert onnx_type("INT8") == "int8"


@pytest.mark.parametrize(
    ("lookup", "name", "said"),
    [
        (gguf_type, "Q4KM", "did you mean Q4_K_M? there are F32, F16"),
        (gguf_type, "NVFP4", "no type of GGUF file is called 'NVFP4'"),
        (tensor_type, "I8", "no type of tensor is called 'I8'"),
        (onnx_type, "q5", "there are int8, uint8, q4"),
    ],
)
def test_unknown_names(lookup, name: str, said: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ConfigError) as caught:
        lookup(name)
    assert said in str(caught.value)
