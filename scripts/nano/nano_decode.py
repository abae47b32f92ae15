"""Batched sampling from the torch model, for validation while training and for evaluate.py."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from tokenizers import Tokenizer

from nano_model import KVCache, NanoModel
from nano_tokenizer import TURN_END, encode_chat, special_id, turns_of
from problems import Problem


def prompt_ids(tokenizer: Tokenizer, problem: Problem) -> list[int]:
    """The ids after which the model starts to answer."""
    return encode_chat(tokenizer, turns_of(problem, solved=False), generate=True)[0]


@torch.inference_mode()
def decode(
    model: NanoModel,
    tokenizer: Tokenizer,
    prompts: Sequence[Sequence[int]],
    temperature: float = 0.0,
    top_k: int = 0,
    min_p: float = 0.0,
    seed: int = 0,
    limit: int = 300,
) -> list[str]:
    """One answer per prompt; temperature 0 is greedy. Prompts of like length waste least."""
    device = model.head.weight.device
    stop = special_id(tokenizer, TURN_END)
    generator = torch.Generator(device).manual_seed(seed)
    longest = max(map(len, prompts))
    ids = torch.zeros(len(prompts), longest, dtype=torch.long)
    visible = torch.zeros(len(prompts), longest + limit, dtype=torch.bool)
    for row, prompt in enumerate(prompts):
        ids[row, longest - len(prompt) :] = torch.tensor(prompt)
        visible[row, longest - len(prompt) :] = True
    ids, cache = ids.to(device), KVCache(visible.to(device))
    outputs: list[list[int]] = [[] for _ in prompts]
    alive = torch.arange(len(prompts), device=device)
    position = 0
    for _ in range(limit):
        logits = model.head(model.hidden(ids, position, cache)[:, -1]).float()
        position += ids.shape[1]
        if temperature <= 0:
            chosen = logits.argmax(-1)
        else:
            logits = logits / temperature
            if top_k:
                least = logits.topk(top_k).values[:, -1:]
                logits = logits.masked_fill(logits < least, -torch.inf)
            weights = logits.softmax(-1)
            if min_p:
                weights = weights * (weights >= min_p * weights.amax(-1, keepdim=True))
            chosen = torch.multinomial(weights, 1, generator=generator).squeeze(1)
        going = chosen != stop
        for row, token in zip(alive[going].tolist(), chosen[going].tolist(), strict=True):
            outputs[row].append(token)
        if not going.all():
            alive, chosen = alive[going], chosen[going]
            if not len(alive):
                break
            cache.select(going.nonzero().squeeze(1))
        ids = chosen[:, None]
    return [tokenizer.decode(tokens, skip_special_tokens=False) for tokens in outputs]


def decode_problems(
    model: NanoModel,
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
        some = decode(model, tokenizer, asked, temperature, top_k, min_p, seed + start)
        for place, text in zip(chunk, some, strict=True):
            texts[place] = text
    return texts
