"""The ONNX engine: the five verbs over onnxruntime.

Branches are rows of packs (`cache`), a step is one run for all of them, tokens are drawn in numpy
(`draw`). All runs happen in one worker thread, but for steps that are over in a few milliseconds;
`interrupt` makes onnxruntime end a run between two nodes.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from edgemind.conditions import memory as free_memory
from edgemind.engines.base import Interrupted, ModelInfo
from edgemind.engines.cores import performance_cores
from edgemind.engines.onnx.branch import OnnxBranch
from edgemind.engines.onnx.cache import Cache
from edgemind.engines.onnx.describe import bound_of, describe, stop_ids, usual_ends
from edgemind.engines.onnx.draw import Sampler
from edgemind.engines.onnx.folder import find_files
from edgemind.engines.onnx.fuse import fused_model
from edgemind.engines.onnx.pack import give_back
from edgemind.engines.onnx.probe import Nature, probe
from edgemind.engines.onnx.providers import chosen, preferred_variants, provider_key, started
from edgemind.engines.onnx.runner import CPU, LONG_CHUNK_TOKENS, Logits, Runner, load_onnxruntime
from edgemind.engines.onnx.vocabulary import OnnxVocabulary
from edgemind.engines.sampling import complete
from edgemind.engines.trails import lead_on, mark_evaluated, twins
from edgemind.engines.verbs import Verbs
from edgemind.engines.worker import Worker
from edgemind.errors import ContextFull, EdgemindError
from edgemind.formats.onnx_files import inspect_onnx
from edgemind.types import Sampling, Token

SMALL_MODEL_BYTES = 32 << 20
"""Under it a step takes less time on one core than waiting for a second thread (docs/log.md)."""
BRIEF_SECONDS = 0.005
"""A step as long as this, or longer, keeps the caller's thread free for signals."""
MEMORY_SHARE = 0.8
"""Of the memory that is free when a model is opened, what caches may take."""
LEAST_KNOWN = 1 << 30
"""Bytes taken to be free where the system does not say."""


class OnnxEngine(Verbs[OnnxBranch]):
    """`edgemind.engines.base.Engine` for a folder with an ONNX model, or one of its .onnx files.

    `context` bounds one branch, in tokens (the model's own bound applies too), `width` the
    branches stepped at once. `variant` chooses among a folder's models (`q4`, `fp16`, …),
    `provider` where to run (`edgemind.engines.onnx.providers`). `memory` bounds the bytes of all
    caches; None for most of what is free now. Without `fuse` a graph runs just as its file has it
    (`edgemind.engines.onnx.fuse`). `notices` say what is not as it was asked for.
    """

    kind = OnnxBranch
    shares = True

    def __init__(
        self,
        path: Path,
        *,
        context: int = 4096,
        width: int = 16,
        threads: int | None = None,
        variant: str | None = None,
        provider: str = "cpu",
        memory: int | None = None,
        fuse: bool = True,
    ) -> None:
        key = provider_key(provider)
        self._files = files = find_files(path, variant, preferred_variants(provider))
        # No library looks at a file before this has: it may name weights anywhere on the disk.
        graphs = [inspect_onnx(file) for file in files.paths]
        size = sum(graph.bytes for graph in graphs)
        self.threads = threads or (1 if size < SMALL_MODEL_BYTES else performance_cores())
        self.max_width = width
        self.evaluated_tokens = 0
        self._parameters, self._bytes = graphs[0].parameters, size
        free, _ = free_memory()
        self._memory = int(MEMORY_SHARE * (free or LEAST_KNOWN)) if memory is None else memory
        self._fuse = fuse
        self._numbers = itertools.count()
        self._closed = False
        self._runner: Runner | None = None
        self._worker = Worker("edgemind-onnx")
        try:
            self._worker.call(lambda: self._open(key, context), self.interrupt)
        except BaseException:
            self.close()
            raise

    # Opening and closing

    def _open(self, key: str, context: int) -> None:
        library, files = load_onnxruntime(), self._files
        providers, notice = chosen(key, library.get_available_providers())
        self._runner, nature = self._started(providers, context)
        runner = self._runner
        notice = notice or started(key, runner.providers)
        self.notices: tuple[str, ...] = (notice,) if notice else ()
        self.device = f"cpu:{self.threads}" if key == "cpu" or notice else key
        self._several = nature.several
        self.vocabulary = OnnxVocabulary(files.home, runner.vocabulary_size)
        self.vocabulary.ends = frozenset(stop_ids(files) or usual_ends(self.vocabulary))
        self.info: ModelInfo = describe(
            files, self.vocabulary, runner.metadata, parameters=self._parameters, size=self._bytes
        )
        self.context_length = min(context, self.info.context_length or context)
        self._cache = Cache(runner, nature.style, nature.in_place, self._memory)
        self._sampler = Sampler(self.vocabulary)

    def _started(self, providers: list[str], context: int) -> tuple[Runner, Nature]:
        """The model in onnxruntime, its attention in one operator where that is proven to fit."""
        files = self._files
        if self._fuse and providers == [CPU]:
            try:
                model = fused_model(files, min(context, bound_of(files) or context))
                if model is not None:
                    runner = Runner(files, providers, self.threads, model)
                    nature = probe(runner)
                    if nature.in_place:
                        return runner, nature
            except EdgemindError:
                pass  # what is wrong is told below, of the file as it is
        runner = Runner(files, providers, self.threads)
        return runner, probe(runner)

    def close(self) -> None:
        """Free the model. Safe to call twice; the engine cannot be used afterwards."""
        if self._closed:
            return
        self._closed = True
        self.interrupt()
        self._worker.close()
        if hasattr(self, "_cache"):
            for branch in list(self._cache.branches.values()):
                self._drop(branch, keep=False)
            self._cache.forget_kept()
            self.vocabulary.close()
        if self._runner is not None:
            self._runner.close()

    def interrupt(self) -> None:
        """Cut the running verb at the graph's next node, and refuse the next, until `resume`."""
        if self._runner is not None:
            self._runner.interrupt()

    def resume(self) -> None:
        """Let verbs run again."""
        if self._runner is not None and not self._closed:
            self._runner.resume()

    @property
    def cache_bytes(self) -> int:
        """Bytes that all branches' keys and values take now."""
        return self._cache.bytes

    def room(self, tokens: int) -> int:
        """Most branches of so many tokens that memory holds at once; see `Engine.room`."""
        return min(self.max_width, self._cache.room(tokens))

    # The verbs' work, in the worker thread

    @property
    def _branches(self) -> Mapping[int, OnnxBranch]:
        return self._cache.branches

    @property
    def _ids(self) -> int:
        return self.vocabulary.size

    def _prefill(self, tokens: list[int], sampling: Sampling, made: list[OnnxBranch]) -> None:
        if self._run.is_stopped:
            raise Interrupted
        branch = OnnxBranch(next(self._numbers), tokens, 0, complete(sampling, self.info))
        self._cache.adopt_prefix(branch)
        mark_evaluated([branch], branch.evaluated)
        made.append(self._admit(branch))
        self._sampler.begin(branch)
        self._evaluate(branch, len(tokens) - 1)

    def _fork(
        self, parent: OnnxBranch, samplings: Sequence[Sampling], made: list[OnnxBranch]
    ) -> None:
        state = parent.decoder.getstate()
        for sampling in samplings:
            child = OnnxBranch(
                next(self._numbers), [*parent.tokens], 0, complete(sampling, self.info)
            )
            made.append(self._admit(child))
            child.decoder.setstate(state)
            self._sampler.begin(child, parent)
            self._cache.place(child, parent.pack, parent.row)
            child.evaluated, child.ahead = parent.evaluated, parent.ahead
            child.trail = parent.trail

    def _admit(self, branch: OnnxBranch) -> OnnxBranch:
        """Count a branch in; two more than are stepped: the prompt they come from, and the kept."""
        cache = self._cache
        if len(cache.branches) + (cache.kept is not None) >= self.max_width + 2:
            cache.forget_kept()
        if len(cache.branches) >= self.max_width + 2:
            cache.leave(branch)
            raise ContextFull("all sequences of the cache are in use: think with fewer branches")
        cache.branches[branch.sequence] = branch
        return branch

    @property
    def _run(self) -> Runner:
        if self._runner is None:
            raise RuntimeError("the engine is closed; load the model again")
        return self._runner

    def _step(self, branches: list[OnnxBranch]) -> list[Token]:
        if self._run.is_stopped:
            raise Interrupted
        groups = twins(branches)
        first = [group[0] for group in groups]
        others = [(branch, group[0]) for group in groups for branch in group[1:]]
        for branch, leader in others:
            self._cache.step_aside(branch, leader)
        try:
            logits = self._logits(first)
        finally:
            for branch, leader in others:
                self._cache.step_beside(branch, leader)
        if others:
            rows = {branch: row for row, group in enumerate(groups) for branch in group}
            logits = logits[[rows[branch] for branch in branches]]
        for group in groups:
            lead_on(group, len(group[0].tokens))
        return self._drawn(branches, logits)

    def _logits(self, branches: list[OnnxBranch]) -> Logits:
        """Those after all tokens of each branch, in their order."""
        repeat = self._cache.repeat
        if repeat is not None and repeat.fits(branches):
            logits = repeat.step()
            self.evaluated_tokens += len(branches)
            return logits
        for branch in branches:
            self._evaluate(branch, len(branch.tokens) - 1)
        logits = np.empty((len(branches), self.vocabulary.size), np.float32)
        rows = {branch: row for row, branch in enumerate(branches)}
        for branch in branches:
            if branch.ahead is not None and branch.ahead[0] == len(branch.tokens):
                logits[rows.pop(branch)] = branch.ahead[1]
        for group in self._cache.groups([*rows]):
            ids = np.array([[branch.tokens[-1]] for branch in group])
            found = self._cache.advance(group, ids)
            if len(group) == len(branches):
                logits = found
            else:
                logits[[rows[branch] for branch in group]] = found
        self.evaluated_tokens += len(branches)
        return logits

    def _is_brief(self, branches: list[OnnxBranch]) -> bool:
        repeat = self._cache.repeat
        return (
            repeat is not None
            and repeat.seconds < BRIEF_SECONDS
            and repeat.fits([group[0] for group in twins(branches)])
            and all(branch.reading is None for branch in branches)
        )

    def _drawn(self, branches: list[OnnxBranch], logits: Logits) -> list[Token]:
        try:
            return self._sampler.draw(branches, logits)
        finally:  # also for those that an exception came before
            for branch in branches:
                branch.evaluated = len(branch.tokens) - 1
                if branch.ahead is not None and branch.ahead[0] <= branch.evaluated:
                    branch.ahead = None

    def _evaluate(self, branch: OnnxBranch, end: int) -> None:
        """Evaluate a branch's pending tokens up to `end`, its last, in chunks.

        The run of the last chunk takes that one along, which saves a run of its own: the row holds
        it already, and the next step draws from `branch.ahead`.
        """
        runner, begun = self._run, branch.evaluated
        while branch.evaluated < end:
            several = self._several or (not branch.evaluated and not runner.layouts[0].one_token)
            left = end - branch.evaluated
            count = min(left, runner.chunk_tokens) if several else 1
            if not self._several and not branch.evaluated:
                count = left  # the one chance to evaluate several at once
            last = several and count == left
            chunk = branch.tokens[branch.evaluated : branch.evaluated + count + last]
            logits = self._cache.advance([branch], np.array([chunk]), reserve=left - count)
            if last:
                branch.ahead = len(branch.tokens), logits[0].copy()
            mark_evaluated([branch], branch.evaluated + count)
            self.evaluated_tokens += count
        if end - begun >= LONG_CHUNK_TOKENS:
            give_back()

    def _drop(self, branch: OnnxBranch, keep: bool) -> None:
        branch.alive = False
        self._cache.branches.pop(branch.sequence, None)
        branch.reading = branch.chance = branch.ahead = None
        if keep and branch.evaluated:
            self._cache.forget_kept()
            self._cache.kept = branch
        else:
            self._cache.release(branch)
