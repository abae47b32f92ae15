"""Training batches made on the fly: problems in chat format, grouped by length.

`make_shard(seed, index, …)` depends on nothing but its arguments, so a restarted run goes on with
the next shard and sees no problem twice. `ShardStream` makes them ahead in low-priority worker
processes.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from random import Random

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from nano_tokenizer import encode_chat, turns_of
from problems import Split, mixture

_SYSTEM_SHARE = 0.08
_LONG_SHARE = 0.003
# Few row lengths, so that each shape is compiled once.
_LENGTHS = (40, 56, 72, 88, 104, 128, 160, 208, 288, 448, 1000)
_SYSTEM = (
    "You are a helpful assistant.",
    "You are a careful assistant. Think step by step.",
    "Answer the question.",
    "Solve the problem step by step and put the final answer after ####.",
    "Think step by step and give the final answer on the last line.",
    "You are edgemind-nano, a small arithmetic model.",
    "Please reason step by step.",
    "Be brief.",
)


@dataclass(frozen=True, slots=True)
class Batch:
    """ids [rows, length]; `places` index the flattened ids where `wanted` comes next."""

    ids: NDArray[np.int64]
    places: NDArray[np.int64]
    wanted: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ShardPlan:
    """Everything a shard depends on; without `weights` all skills take part."""

    tokenizer: str
    seed: int
    index: int
    levels: tuple[float, float, float]
    documents: int
    batch_tokens: int
    weights: tuple[tuple[str, float], ...] = ()


@lru_cache(maxsize=2)
def _tokenizer(path: str) -> Tokenizer:
    return Tokenizer.from_file(path)


def _document(
    tokenizer: Tokenizer,
    rng: Random,
    levels: Sequence[float],
    weights: Mapping[str, float] | None = None,
) -> tuple[list[int], list[bool]]:
    problem = mixture(rng, Split.TRAIN, levels, weights)
    turns = turns_of(problem, solved=True)
    if rng.random() < _SYSTEM_SHARE:
        turns.insert(0, ("system", rng.choice(_SYSTEM)))
    ids, wanted = encode_chat(tokenizer, turns)
    if rng.random() < _LONG_SHARE:
        # A long chat of unrelated problems: keeps far positions familiar.
        limit = rng.randint(300, _LENGTHS[-1])
        while len(ids) < limit:
            more = turns_of(mixture(rng, Split.TRAIN, levels, weights), solved=True)
            more_ids, more_wanted = encode_chat(tokenizer, more)
            ids, wanted = ids + more_ids, wanted + more_wanted
    return ids[: _LENGTHS[-1] + 1], wanted[: _LENGTHS[-1] + 1]


def make_shard(plan: ShardPlan) -> list[Batch]:
    """Shuffled batches of about `batch_tokens` tokens; the rows of one have nearly one length.

    What does not fill a batch is dropped: problems cost nothing.
    """
    rng = Random(f"{plan.seed}/{plan.index}")
    tokenizer = _tokenizer(plan.tokenizer)
    weights = dict(plan.weights) or None
    documents = [_document(tokenizer, rng, plan.levels, weights) for _ in range(plan.documents)]
    buckets: dict[int, list[tuple[list[int], list[bool]]]] = {length: [] for length in _LENGTHS}
    for document in documents:
        buckets[next(n for n in _LENGTHS if n >= len(document[0]) - 1)].append(document)
    made = []
    for length, members in buckets.items():
        rows = max(1, plan.batch_tokens // length)
        for start in range(0, len(members) - rows + 1, rows):
            made.append(_batch(members[start : start + rows], length))
    rng.shuffle(made)
    return made


def _batch(group: Sequence[tuple[list[int], list[bool]]], length: int) -> Batch:
    ids = np.zeros((len(group), length), dtype=np.int64)
    targets = np.full((len(group), length), -1, dtype=np.int64)
    for row, (tokens, wanted) in enumerate(group):
        ids[row, : len(tokens) - 1] = tokens[:-1]
        keep = np.asarray(wanted[1:])
        targets[row, : len(tokens) - 1][keep] = np.asarray(tokens[1:])[keep]
    flat = targets.reshape(-1)
    places = np.flatnonzero(flat >= 0)
    return Batch(ids, places, flat[places])


def _leave_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(0)


def _settle_worker() -> None:
    """Lowest priority, and no life after a trainer that was killed."""
    os.nice(max(0, 19 - os.nice(0)))
    threading.Thread(target=_leave_with_parent, daemon=True).start()


class ShardStream:
    """Shards in order from `first`, made ahead by worker processes."""

    def __init__(
        self, tokenizer: Path, seed: int, first: int, documents: int, batch_tokens: int,
        workers: int = 1, weights: Mapping[str, float] | None = None,
    ) -> None:  # fmt: skip
        self._fixed = (str(tokenizer), seed)
        self._sizes = (documents, batch_tokens)
        self._weights = tuple((weights or {}).items())
        self._next = first
        self._ahead = max(2, 2 * workers)
        self._pending: deque[Future[list[Batch]]] = deque()
        context = multiprocessing.get_context("spawn")
        self._pool = ProcessPoolExecutor(workers, context, _settle_worker)

    def take(self, levels: tuple[float, float, float]) -> list[Batch]:
        """The next shard; `levels` applies to those begun from now on."""
        while len(self._pending) <= self._ahead:
            plan = ShardPlan(*self._fixed, self._next, levels, *self._sizes, self._weights)
            self._pending.append(self._pool.submit(make_shard, plan))
            self._next += 1
        return self._pending.popleft().result()

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def __enter__(self) -> ShardStream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
