"""The GGUF engine: the five verbs over llama.cpp's C API.

One context holds all branches; a step evaluates every pending token of every branch in one
`llama_decode`, then samples one token for each with its own sampler chain in C. All calls into
llama.cpp happen in one worker thread; `interrupt` sets a byte that llama.cpp polls between
graph nodes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from edgemind.conditions import memory
from edgemind.engines.base import Branch, BranchesFailed, CacheMode, Interrupted
from edgemind.engines.cores import performance_cores
from edgemind.engines.llama.c_api import (
    DECODE_ABORTED,
    DECODE_NO_SLOT,
    DECODE_OK,
    AbortByte,
    Batch,
    Log,
    check_file,
    load_api,
)
from edgemind.engines.llama.cache import Cache
from edgemind.engines.llama.opening import BATCH_TOKENS, Wanted, open_file
from edgemind.engines.llama.sampling import LlamaBranch, LlamaSampler
from edgemind.engines.sampling import complete
from edgemind.engines.trails import ahead, mark_evaluated, twins
from edgemind.engines.verbs import Verbs
from edgemind.engines.worker import Worker
from edgemind.errors import ContextFull, ModelError
from edgemind.types import Sampling, Token

CHUNK_SECONDS = 0.010
LEAST_CHUNK = 8
"""On a GPU a decode cannot be cut: a prompt goes in pieces that take about so long."""


class LlamaEngine(Verbs[LlamaBranch]):
    """`edgemind.engines.base.Engine` for a GGUF file.

    `context` bounds one branch, in tokens (the model's own bound applies too), `width` the
    branches stepped at once. `cache` is `unified` (a fork shares the prompt's memory) or `split`
    (it copies it, and long answers of many branches run faster: `scripts/bench_batch.py`).
    `gpu_layers` (-1: all) go to a GPU where llama.cpp was built for one. `exact` keeps keys and
    values in 32-bit floats, twice as large, for comparing engines with each other. Where memory is
    short, fewer branches are stepped at once; `available` tells how many bytes are free (None:
    unknown).
    """

    kind = LlamaBranch

    def __init__(
        self,
        path: Path,
        *,
        context: int = 4096,
        width: int = 16,
        gpu_layers: int = 0,
        threads: int | None = None,
        cache: CacheMode = "unified",
        exact: bool = False,
        available: Callable[[], int | None] = lambda: memory()[0],
    ) -> None:
        check_file(path)
        self._api = api = load_api()
        self.threads = threads or performance_cores()
        self.device = f"gpu:{gpu_layers}" if gpu_layers else f"cpu:{self.threads}"
        self.max_width = width
        self.evaluated_tokens = 0
        self._abort = AbortByte(api)
        self._log = Log(api)
        self._closed = False
        self._cuts = not gpu_layers
        self._chunk = BATCH_TOKENS if self._cuts else 64
        self._available = available
        self._model: Any = None
        self._context: Any = None
        self._worker = Worker("edgemind-llama")
        wanted = Wanted(context, width, gpu_layers, self.threads, cache, exact)
        try:
            self._worker.call(lambda: self._open(path, wanted), self._abort.set)
        except BaseException:
            self.close()
            raise

    # Opening and closing

    def _open(self, path: Path, wanted: Wanted) -> None:
        available = None if wanted.gpu_layers else self._available()
        opened = open_file(self._api, path, wanted, available, self._abort, self._log)
        self._model, self._context = opened.model, opened.context
        self.vocabulary, self.info = opened.vocabulary, opened.info
        self.context_length, self.max_width = opened.context_length, opened.width
        self.micro_batch = opened.micro_batch
        self.shares = opened.shares
        self._batch = Batch(self._api, BATCH_TOKENS, opened.sequences)
        self._sampler = LlamaSampler(self._api, self.vocabulary)
        window = int(self._api.llama_model_n_swa(self._model))
        self._windowed = window > 0
        self._cache: Cache[LlamaBranch] = Cache(
            self._api, self._context, opened.sequences, wanted.unified, window
        )

    def close(self) -> None:
        """Free the model. Safe to call twice; the engine cannot be used afterwards."""
        if self._closed:
            return
        self._closed = True
        self._abort.set()
        self._worker.close()
        if self._context:
            for branch in list(self._cache.branches.values()):
                self._drop(branch, keep=False)
            self.vocabulary.close()
            self._batch.free()
            self._api.llama_free(self._context)
        if self._model:
            self._api.llama_model_free(self._model)
        self._context = self._model = None

    def interrupt(self) -> None:
        """Cut the running verb within one graph node, and refuse the next, until `resume`."""
        self._abort.set()

    def resume(self) -> None:
        """Let verbs run again."""
        if not self._closed:
            self._abort.clear()

    def room(self, tokens: int) -> int:
        """Every branch: the cache was allocated when the model was opened."""
        return self.max_width

    # The verbs' work, in the worker thread

    @property
    def _branches(self) -> Mapping[int, LlamaBranch]:
        return self._cache.branches

    @property
    def _ids(self) -> int:
        return self.vocabulary.size

    def _prefill(self, tokens: list[int], sampling: Sampling, made: list[LlamaBranch]) -> None:
        if self._abort.is_set:
            raise Interrupted
        sequence, length = self._cache.adopt_prefix(tokens)
        branch = LlamaBranch(sequence, tokens, length, complete(sampling, self.info))
        self._cache.branches[sequence] = branch
        made.append(branch)
        self._sampler.begin(branch)
        mark_evaluated([branch], length)
        self._evaluate([branch], len(tokens) - 1)

    def _fork(
        self, parent: LlamaBranch, samplings: Sequence[Sampling], made: list[LlamaBranch]
    ) -> None:
        state = parent.decoder.getstate()
        for sampling in samplings:
            sequence = self._cache.new_sequence()
            child = LlamaBranch(sequence, [*parent.tokens], 0, complete(sampling, self.info))
            child.decoder.setstate(state)
            self._cache.branches[sequence] = child
            made.append(child)
            self._sampler.begin(child, parent)
            child.trail = parent.trail
            child.trail.holders.append(child)
            if parent.evaluated:
                child.evaluated = self._cache.copy(parent.sequence, sequence, parent.evaluated)

    def _step(self, branches: list[LlamaBranch]) -> list[Token]:
        known = self.foreseen(branches)
        if known and self._abort.is_set:
            raise Interrupted
        # Sorted by sequence: llama.cpp splits a batch with ids out of order into smaller ones.
        order = sorted(branches, key=lambda branch: branch.sequence)
        order = [branch for branch in order if branch not in known]
        for branch in order:
            self._catch_up(branch)
        groups = twins(order) if self.shares else [[branch] for branch in order]
        if sum(len(group[0].pending) for group in groups) > BATCH_TOKENS:
            for group in groups:
                self._evaluate(group, len(group[0].tokens) - 1)
        self._batch.clear()
        rows: dict[int, int] = {}
        for group in groups:
            first, ids = group[0], [branch.sequence for branch in group]
            row = self._batch.add(first.pending, first.evaluated, ids, last_logits=True)
            rows |= dict.fromkeys(ids, row)
        if groups:
            self._decode(groups)
        for group in groups:
            mark_evaluated(group, len(group[0].tokens))
            place = rows[group[0].sequence]
            group[0].trail.seen = self._sampler.look(group, self._context, place)
        drawn: list[Token] = []
        failed: dict[int, ModelError] = {}
        for place, branch in enumerate(branches):
            try:
                if branch in known and (trail := ahead(branch)) is not None:
                    branch.trail = trail
                logits = rows.get(branch.sequence)
                token = self._sampler.draw(branch, branch.trail.seen, self._context, logits)
                drawn.append(token)
                if token.end:
                    self._catch_up(branch)
            except ModelError as error:  # a grammar that leads nowhere from here
                failed[place] = error
        if failed:
            others = iter(drawn)
            tokens = [None if at in failed else next(others) for at in range(len(branches))]
            raise BranchesFailed(tokens, next(iter(failed.values())))
        return drawn

    def foreseen(self, branches: Sequence[Branch]) -> list[Branch]:
        """Those that go where others have gone, and draw as these might have.

        Their keys and values are taken over later, which a sliding window may have lost.
        """
        if not self.shares or self._windowed:
            return []
        return [
            branch
            for branch in branches
            if isinstance(branch, LlamaBranch) and self._sampler.may_follow(branch, ahead(branch))
        ]

    def _catch_up(self, branch: LlamaBranch) -> None:
        """Take over the keys and values of what others said before."""
        depth = branch.trail.depth
        if branch.evaluated < depth and (holder := branch.trail.holder()) is not None:
            self._cache.share(holder.sequence, branch.sequence, branch.evaluated, depth)
            branch.evaluated = depth
            branch.trail.holders.append(branch)

    def _evaluate(self, group: list[LlamaBranch], end: int) -> None:
        """Evaluate the pending tokens of twins up to `end`, in chunks, without logits."""
        first, ids = group[0], [branch.sequence for branch in group]
        while first.evaluated < end:
            chunk = first.tokens[first.evaluated : min(end, first.evaluated + self._chunk)]
            self._batch.clear()
            self._batch.add(chunk, first.evaluated, ids, last_logits=False)
            started = time.perf_counter()
            self._decode([group])
            mark_evaluated(group, first.evaluated + len(chunk))
            if not self._cuts:
                self._size_chunks(len(chunk), started)

    def _size_chunks(self, tokens: int, started: float) -> None:
        """Fit the next pieces of a prompt to the time that this one took."""
        self._api.llama_synchronize(self._context)
        seconds = time.perf_counter() - started
        if seconds > CHUNK_SECONDS:
            self._chunk = max(LEAST_CHUNK, tokens // 2)
        elif tokens == self._chunk and seconds < CHUNK_SECONDS / 2:
            self._chunk = min(BATCH_TOKENS, 2 * tokens)

    def _decode(self, groups: list[list[LlamaBranch]]) -> None:
        """One `llama_decode` of the filled batch, its refusals turned into exceptions."""
        if self._abort.is_set:
            raise Interrupted
        status = self._api.llama_decode(self._context, self._batch.raw)
        if status == DECODE_NO_SLOT and self._cache.forget_kept():
            status = self._api.llama_decode(self._context, self._batch.raw)
        if status == DECODE_OK:
            self.evaluated_tokens += int(self._batch.raw.n_tokens)
            return
        if status == DECODE_NO_SLOT:
            raise ContextFull("the cache is full: think with fewer branches or a shorter prompt")
        # Logits must not be read now, they are those of an earlier decode.
        for group in groups:
            before = group[0].evaluated
            for branch in group:
                branch.evaluated = self._cache.settle(branch)
            left = group[0].evaluated
            self.evaluated_tokens += max(0, left - before)
            if left > group[0].trail.depth:
                mark_evaluated(group, left)
        if status == DECODE_ABORTED:
            raise Interrupted
        raise ModelError(f"llama.cpp failed in the middle of a decode (status {status})")

    def _drop(self, branch: LlamaBranch, keep: bool) -> None:
        if keep:
            self._catch_up(branch)
        branch.alive = False
        self._cache.branches.pop(branch.sequence, None)
        self._sampler.drop(branch)
        if keep and branch.evaluated:
            self._cache.forget_kept()
            self._cache.kept = branch
        else:
            self._cache.release(branch.sequence)
