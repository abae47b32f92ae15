"""A GGUF model's tokens and metadata, read through llama.cpp."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from edgemind.engines.base import ModelInfo
from edgemind.types import Sampling

SPECIAL_ATTRIBUTES = 1 << 0 | 1 << 3 | 1 << 4
"""llama.h's LLAMA_TOKEN_ATTR_UNKNOWN, _CONTROL and _USER_DEFINED."""


class LlamaVocabulary:
    """`edgemind.engines.base.Vocabulary` over a `llama_vocab`."""

    def __init__(self, api: Any, model: Any) -> None:
        self._api = api
        self._pointer: Any = api.llama_model_get_vocab(model)
        self.size: int = api.llama_vocab_n_tokens(self.pointer)
        self._pieces: dict[int, bytes] = {}
        self._ends: dict[int, bool] = {}

    @property
    def pointer(self) -> Any:
        """llama.cpp's own object; `RuntimeError` once the engine is closed."""
        if self._pointer is None:
            raise RuntimeError("the engine is closed; load the model again")
        return self._pointer

    def close(self) -> None:
        """Forget the model, which is about to be freed: a later call must not reach it."""
        self._pointer = None

    @cached_property
    def specials(self) -> Mapping[str, int]:
        """Text → id of every control, user-defined and unknown token."""
        api, vocab = self._api, self.pointer
        found = {
            api.llama_vocab_get_text(vocab, token).decode("utf-8", "replace"): token
            for token in range(self.size)
            if api.llama_vocab_get_attr(vocab, token) & SPECIAL_ATTRIBUTES
        }
        found.pop("", None)
        return found

    @property
    def bos(self) -> int | None:
        """Beginning-of-sequence id, where the model's prompts start with one."""
        if not self._api.llama_vocab_get_add_bos(self.pointer):
            return None
        token = int(self._api.llama_vocab_bos(self.pointer))
        return token if token >= 0 else None

    def text_of(self, token: int) -> str:
        """A token as it is written in a template; empty for -1 (the model has none)."""
        if not 0 <= token < self.size:
            return ""
        return str(self._api.llama_vocab_get_text(self.pointer, token).decode("utf-8", "replace"))

    @property
    def bos_text(self) -> str:
        """What a template means by `bos_token`."""
        return self.text_of(self._api.llama_vocab_bos(self.pointer))

    @property
    def eos_text(self) -> str:
        """What a template means by `eos_token`."""
        return self.text_of(self._api.llama_vocab_eos(self.pointer))

    def encode(self, text: str, special: bool) -> list[int]:
        """Token ids of `text`, nothing added; with `special`, special texts become tokens."""
        data = text.encode("utf-8", "replace")
        room = len(data) + 8
        while True:
            buffer = (self._api.llama_token * room)()
            count = self._api.llama_tokenize(
                self.pointer, data, len(data), buffer, room, False, special
            )
            if count >= 0:
                return list(buffer[:count])
            room = -count

    def piece(self, token: int) -> bytes:
        """The bytes of a token. Control tokens are written out: some models mark thoughts so."""
        if (known := self._pieces.get(token)) is not None:
            return known
        room = 64
        while True:
            buffer = ctypes.create_string_buffer(room)
            count = self._api.llama_token_to_piece(self.pointer, token, buffer, room, 0, True)
            if count >= 0:
                self._pieces[token] = buffer.raw[:count]
                return self._pieces[token]
            room = -count

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of `tokens`, special tokens written out."""
        return b"".join(self.piece(token) for token in tokens).decode("utf-8", "replace")

    def is_end(self, token: int) -> bool:
        """Whether `token` ends a generation (there may be several such tokens)."""
        known = self._ends.get(token)
        if known is None:
            known = bool(self._api.llama_vocab_is_eog(self.pointer, token))
            self._ends[token] = known
        return known


def read_metadata(api: Any, model: Any) -> dict[str, str]:
    """All scalar metadata of the file, as text."""
    found: dict[str, str] = {}
    for index in range(api.llama_model_meta_count(model)):
        key = _text(api.llama_model_meta_key_by_index, model, index)
        found[key] = _text(api.llama_model_meta_val_str_by_index, model, index)
    return found


def _text(function: Any, model: Any, index: int) -> str:
    room = 256
    while True:
        buffer = ctypes.create_string_buffer(room)
        count = function(model, index, buffer, room)
        if count < 0:
            return ""
        if count < room:
            return buffer.raw[:count].decode("utf-8", "replace")
        room = count + 1


def describe(api: Any, model: Any, vocabulary: LlamaVocabulary, path: Path) -> ModelInfo:
    """`ModelInfo` from the file's metadata (keys as in llama.cpp's GGUF specification)."""
    metadata = read_metadata(api, model)
    architecture = metadata.get("general.architecture", "unknown")
    return ModelInfo(
        name=metadata.get("general.name") or path.stem,
        architecture=architecture,
        parameters=int(api.llama_model_n_params(model)),
        bytes=int(api.llama_model_size(model)),
        context_length=int(api.llama_model_n_ctx_train(model)),
        template=metadata.get("tokenizer.chat_template") or None,
        bos_text=vocabulary.bos_text,
        eos_text=vocabulary.eos_text,
        sampling=sampling_defaults(metadata),
        answer_cue=metadata.get("edgemind.answer_cue"),
    )


def sampling_defaults(metadata: Mapping[str, str]) -> Sampling:
    """How the model's makers want it to be sampled: the metadata `general.sampling.*`."""

    def number(key: str) -> float | None:
        try:
            value = float(metadata.get(f"general.sampling.{key}", ""))
        except ValueError:
            return None
        return value if math.isfinite(value) else None

    def integer(key: str) -> int | None:
        value = number(key)
        return None if value is None else int(value)

    return Sampling(
        temperature=number("temp"),
        top_k=integer("top_k"),
        top_p=number("top_p"),
        min_p=number("min_p"),
        repeat_penalty=number("penalty_repeat"),
        repeat_last_n=integer("penalty_last_n"),
    )
