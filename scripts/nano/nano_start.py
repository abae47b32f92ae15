"""A training run that goes on from a finished model file instead of from random weights.

Reached from train.py (`--start FILE.gguf`). Weights, shape and tokenizer are read back from the
GGUF file; momentum and progress are not in it and begin anew. Eight-bit weights are off by less
than a step of the optimiser moves them.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import gguf
import torch
from gguf.quants import dequantize
from tokenizers import Tokenizer
from torch import Tensor

from nano_model import ModelConfig
from nano_names import torch_name
from nano_tokenizer import SPECIALS, assemble

_SHAPE = {
    "width": "llama.embedding_length",
    "layers": "llama.block_count",
    "heads": "llama.attention.head_count",
    "kv_heads": "llama.attention.head_count_kv",
    "hidden": "llama.feed_forward_length",
    "context": "llama.context_length",
    "rope_base": "llama.rope.freq_base",
    "norm_epsilon": "llama.attention.layer_norm_rms_epsilon",
}


class StartFile:
    """What train.py needs of a GGUF file that export_gguf.py wrote.

    Raises ValueError for a file of another architecture or tokenizer.
    """

    def __init__(self, path: Path) -> None:
        self._reader: Any = gguf.GGUFReader(path)
        if (self._value("general.architecture"), self._value("tokenizer.ggml.pre")) != (
            "llama",
            "smollm",
        ):
            raise ValueError(f"{path} was not made by export_gguf.py; give a file that it wrote")

    def _value(self, key: str) -> Any:
        found = self._reader.get_field(key)
        return None if found is None else found.contents()

    def config(self) -> ModelConfig:
        """The shape that the file was made with."""
        fields = {name: self._value(key) for name, key in _SHAPE.items()}
        tied = all(tensor.name != "output.weight" for tensor in self._reader.tensors)
        vocabulary = len(self._value("tokenizer.ggml.tokens"))
        return ModelConfig(vocabulary=vocabulary, tied=tied, **fields)

    def tokens(self) -> int:
        """How many tokens these weights were trained on, as the file's description says."""
        found = re.search(r"Trained on ([\d.]+) M tokens", self._value("general.description") or "")
        return round(float(found[1]) * 1e6) if found else 0

    def tokenizer(self) -> Tokenizer:
        """The tokenizer that the weights belong to."""
        tokens: list[str] = self._value("tokenizer.ggml.tokens")
        if tuple(tokens[: len(SPECIALS)]) != SPECIALS:
            raise ValueError("the file's special tokens are not the ones of export_gguf.py")
        pairs = [_pair(merge) for merge in self._value("tokenizer.ggml.merges")]
        return assemble({token: place for place, token in enumerate(tokens)}, pairs)

    def weights(self) -> dict[str, Tensor]:
        """Tensors under the names of NanoModel, float32."""
        return {
            torch_name(tensor.name): torch.tensor(dequantize(tensor.data, tensor.tensor_type))
            for tensor in self._reader.tensors
        }


def _pair(merge: str) -> tuple[str, str]:
    left, _, right = merge.partition(" ")
    return left, right
