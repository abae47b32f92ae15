"""Names, types and shapes of a decoder's inputs and outputs, as its session tells them.

Nothing is taken from configuration files: exports of one model differ in what they take. What
cannot be run is `ModelUnsupported` with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from edgemind.errors import ModelUnsupported

INTEGERS = {"tensor(int64)": "int64", "tensor(int32)": "int32"}
FLOATS = {"tensor(float)": "float32", "tensor(float16)": "float16"}
IDS, MASK, POSITIONS = "input_ids", "attention_mask", "position_ids"
SLOTS, BRANCH = "cache_position", "use_cache_branch"
KEEP = ("num_logits_to_keep", "logits_to_keep")
_PAST = re.compile(r"past(?:_key_values)?[._](.+)")
_PRESENT = re.compile(r"present(?:_key_values)?[._](.+)")
_STATES = ("conv", "ssm", "recurrent", "state", "linear")
_PICTURES = ("pixel", "image", "audio", "input_features")


@dataclass(frozen=True, slots=True)
class CacheTensor:
    """One key or value tensor of [rows, heads, slots, width]; `kind` is a numpy type's name."""

    past: str
    present: str
    heads: int
    width: int
    kind: str

    @property
    def token_bytes(self) -> int:
        """Bytes that one token takes in it."""
        return self.heads * self.width * (4 if self.kind == "float32" else 2)


@dataclass(frozen=True, slots=True)
class Layout:
    """What one graph takes and gives. `integers` maps each integer input to its numpy type.

    `past` is False for the first graph of a pair, which begins with nothing. `keep` is the input
    that says of how many last tokens logits are wanted. `one_token` says that it takes one token a
    row, `last_only` that it gives logits of the last one alone; `rows` bounds its batch.
    """

    integers: dict[str, str]
    tensors: tuple[CacheTensor, ...]
    logits_kind: str
    past: bool = True
    keep: str | None = None
    keep_rank: int = 0
    branch: bool = False
    one_token: bool = False
    last_only: bool = False
    rows: int | None = None

    @property
    def token_bytes(self) -> int:
        """Bytes of cache that one token of one branch takes."""
        return sum(tensor.token_bytes for tensor in self.tensors)


def read_layout(session: Any, name: str, first_of_pair: bool = False) -> Layout:
    """The layout of an `InferenceSession`; `name` is the model's, for messages.

    Raises `ModelUnsupported` for anything but a text decoder with a cache of keys and values.
    """
    inputs = {entry.name: entry for entry in session.get_inputs()}
    outputs = {entry.name: entry for entry in session.get_outputs()}
    _refuse_other_models(name, list(inputs), list(outputs))
    past = {match[1]: entry for entry in inputs.values() if (match := _PAST.fullmatch(entry.name))}
    present = {
        match[1]: entry for entry in outputs.values() if (match := _PRESENT.fullmatch(entry.name))
    }
    if not present or (not past and not first_of_pair):
        raise ModelUnsupported(
            f"{name} was exported without its cache: export it for text generation with a past"
        )
    if past and past.keys() != present.keys():
        odd = sorted(past.keys() ^ present.keys())
        raise ModelUnsupported(f"{name} has caches that do not come in pairs: {', '.join(odd)}")
    tensors = tuple(
        _cache_tensor(name, past.get(key, entry), entry) for key, entry in present.items()
    )
    integers: dict[str, str] = {}
    keep, keep_rank, branch = None, 0, False
    for entry in inputs.values():
        if _PAST.fullmatch(entry.name):
            continue
        if entry.name == BRANCH and entry.type == "tensor(bool)":
            branch = True
        elif entry.name in KEEP and entry.type in INTEGERS:
            keep, keep_rank = entry.name, len(entry.shape)
            integers[entry.name] = INTEGERS[entry.type]
        elif entry.name in (IDS, MASK, POSITIONS, SLOTS) and entry.type in INTEGERS:
            ranks = 1 if entry.name == SLOTS else 2
            if len(entry.shape) != ranks:
                raise ModelUnsupported(
                    f"{name} takes {entry.name} of shape {entry.shape}; {ranks} dimensions were "
                    f"expected"
                )
            integers[entry.name] = INTEGERS[entry.type]
        else:
            raise ModelUnsupported(
                f"{name} wants an input that is not known here: {entry.name} "
                f"({entry.type}, {entry.shape})"
            )
    batch, length = inputs[IDS].shape
    if isinstance(length, int) and length != 1:
        raise ModelUnsupported(f"{name} was exported for exactly {length} tokens at once")
    logits = outputs["logits"]
    if logits.type not in FLOATS or len(logits.shape) != 3:
        raise ModelUnsupported(f"{name} gives logits as {logits.type} of shape {logits.shape}")
    return Layout(
        integers=integers,
        tensors=tensors,
        logits_kind=FLOATS[logits.type],
        past=bool(past),
        keep=keep,
        keep_rank=keep_rank,
        branch=branch,
        one_token=length == 1,
        last_only=logits.shape[1] == 1 and length != 1,
        rows=batch if isinstance(batch, int) else None,
    )


def _refuse_other_models(name: str, inputs: Sequence[str], outputs: Sequence[str]) -> None:
    for entry in inputs:
        if entry.startswith("encoder_"):
            raise ModelUnsupported(f"{name} is the decoder of an encoder-decoder model: {entry}")
        if any(word in entry for word in _PICTURES):
            raise ModelUnsupported(f"{name} wants pictures or sound ({entry}): only text runs")
        if entry.startswith("past") and any(word in entry for word in _STATES):
            raise ModelUnsupported(
                f"{name} keeps a recurrent state beside its keys and values ({entry}): hybrid "
                f"models do not run"
            )
    if "inputs_embeds" in inputs and IDS not in inputs:
        raise ModelUnsupported(
            f"{name} takes embeddings instead of tokens, as the decoder of a vision model does"
        )
    if IDS not in inputs or "logits" not in outputs:
        raise ModelUnsupported(
            f"{name} is not a language model: it has the inputs {', '.join(inputs) or 'none'} and "
            f"the outputs {', '.join(outputs) or 'none'}"
        )


def _cache_tensor(name: str, past: Any, present: Any) -> CacheTensor:
    shape = past.shape
    if past.type not in FLOATS:
        raise ModelUnsupported(
            f"{name} keeps its cache as {past.type}; floats of 16 or 32 bits run"
        )
    if len(shape) != 4 or not isinstance(shape[1], int) or not isinstance(shape[3], int):
        raise ModelUnsupported(
            f"{name} has a cache of shape {shape} ({past.name}); [rows, heads, tokens, width] with "
            f"fixed heads and width was expected"
        )
    if isinstance(shape[2], int):
        raise ModelUnsupported(f"{name} was exported for a cache of exactly {shape[2]} tokens")
    return CacheTensor(past.name, present.name, shape[1], shape[3], FLOATS[past.type])
