"""The weights that the exporters write out, and what both exports say about the model.

They come from a run's folder (train.py), or from a GGUF file that was exported before.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from nano_model import ModelConfig
from nano_skills import skills_of, trained_on
from nano_start import StartFile

SAMPLING: Final = {"temp": 0.7, "top_k": 40, "top_p": 1.0, "min_p": 0.0}
"""The sampling that gave majority votes most on the validation split (models/README.md)."""
ANSWER_CUE: Final = "\n#### "
"""What a forced answer starts with: every worked solution ends in such a line."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Weights as float32 arrays under their names in NanoModel, and tokenizer.json as text.

    A tied head is left out: it is the embedding. `tokens` counts all that they were trained on, the
    file that the run started from included.
    """

    config: ModelConfig
    weights: dict[str, NDArray[np.float32]]
    tokenizer: str
    skills: tuple[str, ...]
    tokens: int


def load_checkpoint(source: Path, weights: str = "average") -> Checkpoint:
    """The checkpoint in a run's folder (`weights` is `average` or `model`) or in a GGUF file.

    Ends the program with one line where there is none.
    """
    if source.is_file():
        file = StartFile(source)
        arrays = {name: tensor.numpy() for name, tensor in file.weights().items()}
        tokenizer = file.tokenizer().to_str(pretty=True)
        return Checkpoint(file.config(), arrays, tokenizer, skills_of(source), file.tokens())
    path = source / "checkpoint.pt"
    if not path.exists():
        raise SystemExit(f"no checkpoint at {path}")
    saved = torch.load(path, weights_only=True, map_location="cpu")
    config = ModelConfig(**saved["config"])
    arrays = {
        name: np.ascontiguousarray(tensor.float().numpy())
        for name, tensor in saved[weights].items()
        if not (config.tied and name == "head.weight")
    }
    return Checkpoint(
        config,
        arrays,
        (source / "tokenizer.json").read_text(encoding="utf-8"),
        trained_on(saved.get("skills")),
        saved["progress"]["tokens"] + saved.get("tokens_before", 0),
    )
