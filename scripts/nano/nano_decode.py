"""Batched sampling from the torch model or its ONNX export, for train.py and evaluate.py."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
from tokenizers import Tokenizer
from torch import Tensor

from nano_model import KVCache, NanoModel
from nano_tokenizer import TURN_END, encode_chat, special_id, turns_of
from problems import Problem


class Decoder(Protocol):
    """A batch of left-padded sequences that grow by one token at a time."""

    def begin(self, ids: Tensor, visible: Tensor) -> Tensor:
        """Evaluate prompts of [rows, length]; `visible` [rows, length + limit] is False where
        there is padding. Logits of the last place, [rows, vocabulary]."""

    def step(self, ids: Tensor) -> Tensor:
        """Evaluate one more token for each row, [rows]; its logits."""

    def select(self, rows: Tensor) -> None:
        """Keep only these rows."""


class TorchDecoder:
    """`Decoder` of a NanoModel."""

    def __init__(self, model: NanoModel) -> None:
        self._model = model
        self._device = model.head.weight.device
        self._cache = KVCache(torch.zeros(0))
        self._position = 0

    def begin(self, ids: Tensor, visible: Tensor) -> Tensor:
        self._cache, self._position = KVCache(visible.to(self._device)), 0
        return self._next(ids.to(self._device))

    def step(self, ids: Tensor) -> Tensor:
        return self._next(ids.to(self._device)[:, None])

    def _next(self, ids: Tensor) -> Tensor:
        states = self._model.hidden(ids, self._position, self._cache)
        self._position += ids.shape[1]
        return self._model.head(states[:, -1]).float().cpu()

    def select(self, rows: Tensor) -> None:
        self._cache.select(rows.to(self._device))


def prompt_ids(tokenizer: Tokenizer, problem: Problem) -> list[int]:
    """The ids after which the model starts to answer."""
    return encode_chat(tokenizer, turns_of(problem, solved=False), generate=True)[0]


@torch.inference_mode()
def decode(
    decoder: Decoder,
    tokenizer: Tokenizer,
    prompts: Sequence[Sequence[int]],
    temperature: float = 0.0,
    top_k: int = 0,
    min_p: float = 0.0,
    seed: int = 0,
    limit: int = 300,
) -> list[str]:
    """One answer per prompt; temperature 0 is greedy. Prompts of like length waste least."""
    stop = special_id(tokenizer, TURN_END)
    generator = torch.Generator().manual_seed(seed)
    longest = max(map(len, prompts))
    ids = torch.zeros(len(prompts), longest, dtype=torch.long)
    visible = torch.zeros(len(prompts), longest + limit, dtype=torch.bool)
    for row, prompt in enumerate(prompts):
        ids[row, longest - len(prompt) :] = torch.tensor(prompt)
        visible[row, longest - len(prompt) :] = True
    outputs: list[list[int]] = [[] for _ in prompts]
    alive = torch.arange(len(prompts))
    logits = decoder.begin(ids, visible)
    for _ in range(limit):
        chosen = _choose(logits, temperature, top_k, min_p, generator)
        going = chosen != stop
        for row, token in zip(alive[going].tolist(), chosen[going].tolist(), strict=True):
            outputs[row].append(token)
        if not going.all():
            alive, chosen = alive[going], chosen[going]
            if not len(alive):
                break
            decoder.select(going.nonzero().squeeze(1))
        logits = decoder.step(chosen)
    return [tokenizer.decode(tokens, skip_special_tokens=False) for tokens in outputs]


def _choose(
    logits: Tensor, temperature: float, top_k: int, min_p: float, generator: torch.Generator
) -> Tensor:
    if temperature <= 0:
        return logits.argmax(-1)
    logits = logits / temperature
    if top_k:
        least = logits.topk(top_k).values[:, -1:]
        logits = logits.masked_fill(logits < least, -torch.inf)
    weights = logits.softmax(-1)
    if min_p:
        weights = weights * (weights >= min_p * weights.amax(-1, keepdim=True))
    return torch.multinomial(weights, 1, generator=generator).squeeze(1)


def decode_problems(
    decoder: Decoder,
    tokenizer: Tokenizer,
    problems: Sequence[Problem],
    temperature: float = 0.0,
    top_k: int = 0,
    min_p: float = 0.0,
    seed: int = 0,
    rows: int = 192,
) -> list[str]:
    """Answers in the order of `problems`, decoded in batches of like length."""
    prompts = [prompt_ids(tokenizer, problem) for problem in problems]
    order = sorted(range(len(prompts)), key=lambda place: len(prompts[place]))
    texts = [""] * len(prompts)
    for start in range(0, len(order), rows):
        chunk = order[start : start + rows]
        asked = [prompts[place] for place in chunk]
        some = decode(decoder, tokenizer, asked, temperature, top_k, min_p, seed + start)
        for place, text in zip(chunk, some, strict=True):
            texts[place] = text
    return texts
