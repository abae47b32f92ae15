"""What a model's folder says about it: context, stop tokens, sampling defaults, name."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edgemind.engines.base import ModelInfo
from edgemind.engines.onnx.folder import ModelFiles
from edgemind.engines.onnx.vocabulary import OnnxVocabulary
from edgemind.types import Sampling

CONTEXTS = ("max_position_embeddings", "n_positions", "n_ctx", "max_seq_len", "max_sequence_length")
USUAL_ENDS = ("<|im_end|>", "<|eot_id|>", "<|end|>", "<end_of_turn>", "<|endoftext|>", "</s>")
"""Looked for where no file says what ends a generation."""


def stop_ids(files: ModelFiles) -> list[int]:
    """Every id that a file calls an end of a text; generation_config.json's come first."""
    genai = files.genai.get("model")
    found: list[int] = []
    for settings in (files.generation, genai if isinstance(genai, dict) else {}, files.config):
        value = settings.get("eos_token_id")
        for number in value if isinstance(value, list) else [value]:
            if isinstance(number, int) and not isinstance(number, bool):
                found.append(number)
    return list(dict.fromkeys(found))


def usual_ends(vocabulary: OnnxVocabulary) -> list[int]:
    """What ends a generation of a model whose files say nothing about it."""
    names = (vocabulary.named("eos_token"), *USUAL_ENDS)
    return [vocabulary.specials[name] for name in names if name in vocabulary.specials]


def sampling_defaults(files: ModelFiles) -> Sampling:
    """How the model's makers want it to be sampled; a `do_sample` of false means greedily."""
    search = files.genai.get("search")
    settings: Mapping[str, Any] = files.generation or (search if isinstance(search, dict) else {})

    def number(key: str) -> float | None:
        value = settings.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        return float(value) if math.isfinite(value) else None

    top_k, penalty = number("top_k"), number("repetition_penalty")
    return Sampling(
        temperature=0.0 if settings.get("do_sample") is False else number("temperature"),
        top_k=None if top_k is None else int(top_k),
        top_p=number("top_p"),
        min_p=number("min_p"),
        repeat_penalty=penalty,
        # Hugging Face's penalty looks back upon everything.
        repeat_last_n=None if penalty is None else -1,
    )


def onnx_name(named: str, home: Path) -> str:
    """A model's name: the last part of what its configuration was `named` after, or its folder."""
    return named.rstrip("/").rpartition("/")[2] or home.resolve().name


def bound_of(files: ModelFiles) -> int:
    """Most tokens of a text, as a model's files say; 0 where none does."""
    genai = files.genai.get("model")
    named = genai.get("context_length") if isinstance(genai, dict) else None
    for value in (*(files.config.get(key) for key in CONTEXTS), named):
        if isinstance(value, int):
            return value
    return 0


def describe(
    files: ModelFiles,
    vocabulary: OnnxVocabulary,
    metadata: Mapping[str, str],
    *,
    parameters: int,
    size: int,
) -> ModelInfo:
    """`ModelInfo` from the folder's JSON files and the graph's own `metadata`."""
    genai = files.genai.get("model")
    genai = genai if isinstance(genai, dict) else {}
    kind = files.config.get("model_type") or genai.get("type") or "unknown"
    return ModelInfo(
        name=onnx_name(str(files.config.get("_name_or_path") or ""), files.home),
        architecture=str(kind),
        parameters=parameters,
        bytes=size,
        context_length=bound_of(files),
        template=vocabulary.template,
        bos_text=vocabulary.named("bos_token"),
        eos_text=vocabulary.named("eos_token"),
        sampling=sampling_defaults(files),
        answer_cue=metadata.get("edgemind.answer_cue"),
    )
