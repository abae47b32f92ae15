"""Executes what a strategy asks for: one engine behind one ledger.

A run belongs to one prompt. Its methods are generators: they yield events and return completions.
Every step is charged; the next one runs only if it fits with the reserve kept. When the limit
comes before the draft is done, the reserve pays for closing its thought and forcing an answer.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Generator, Sequence
from functools import partial

from edgemind.budget import Cost, CostModel, Ledger, Watchdog
from edgemind.engines.base import Branch, Engine, Interrupted
from edgemind.errors import BudgetTooSmall, ContextFull
from edgemind.plan import FORCED_TOKENS, affordable_width, answer_reserve, too_small
from edgemind.prompt import Prompt
from edgemind.sample import NO_SIGNALS, Sample
from edgemind.thoughts import Kind, ThoughtSplitter
from edgemind.types import (
    Completion,
    Event,
    Finish,
    Progress,
    Sampled,
    Sampling,
    Text,
    Token,
    Verdict,
)
from edgemind.verify.base import judge

USUAL_CUE = "\n\nThe answer is"
PROGRESS_SECONDS = 0.1


class Run:
    """One prompt being answered. Close it in `finally`; closing twice is harmless."""

    def __init__(self, engine: Engine, ledger: Ledger, costs: CostModel, prompt: Prompt) -> None:
        self._engine = engine
        self._ledger = ledger
        self._costs = costs
        self._prompt = prompt
        self._watchdog = Watchdog(ledger, engine.interrupt, engine.resume)
        self._root: Branch | None = None
        self._held: list[tuple[Completion, Sample]] = []
        self._live: list[Sample] = []
        self._reserve: Callable[[], Cost] = Cost
        self._draft: Completion | None = None
        self._last_progress = 0.0
        self.drawn = 0
        self.cut: Finish | None = None

    @property
    def ledger(self) -> Ledger:
        """What may be spent and was."""
        return self._ledger

    # What strategies call

    def draft(self) -> Generator[Event, None, Completion]:
        """Sample 0, streamed as it is made; the same one whenever it is asked for again.

        Raises `BudgetTooSmall` where not even the prompt could be evaluated.
        """
        if self._draft is not None:
            return self._draft
        root = self._prefill()
        if root is None:
            self.cut = "interrupted"
            return Completion("", "", None, NO_SIGNALS, "interrupted")
        [sample] = self._start([self._prompt.draft], root)
        # Asked for anew before each step, since the first steps teach what a step costs here.
        self._reserve = partial(answer_reserve, self._ledger, self._costs)
        self._watchdog.arm(self._reserve())
        yield from self._decode([sample])
        if sample.finish is None:
            self.cut = "interrupted" if self._ledger.stopped else "budget"
            if self.cut == "budget":
                yield from self._force(sample)
            yield from _texts(sample.flush())
            sample.finish = self.cut
        elif sample.finish == "length" and sample.splitter.thinking:
            # A thought that filled the context: the room kept for it takes the answer.
            sample.finish = None
            yield from self._force(sample)
            sample.finish = "length"
        if not sample.tokens and self.cut == "budget":
            raise self._too_small()
        yield from _texts(sample.complete())
        # From here on there is an answer: nothing needs to be held back for one.
        self._keep_nothing_back()
        self._draft = self._finish(sample)
        yield Sampled(0, self._draft)
        return self._draft

    def samples(self, count: int) -> Generator[Event, None, list[Completion]]:
        """Up to `count` more samples, decoded together, each reported as it ends.

        Fewer where the budget or the cache has no room for all of them; none once it is used up.
        Closing the generator drops those that are still running.
        """
        finished: list[Completion] = []
        length = self._draft.signals.tokens if self._draft else 0
        most = min(count, self._engine.max_width)
        width = affordable_width(self._ledger, self._costs, most, length)
        if width == 0 or self._root is None:
            self.cut = self.cut or ("interrupted" if self._ledger.stopped else "budget")
            return finished
        base = self._prompt.samples
        live = self._start(
            [
                dataclasses.replace(base, seed=(base.seed or 0) + self.drawn + index)
                for index in range(width)
            ],
            self._root,
        )
        try:
            for event in self._decode(live):
                if isinstance(event, Sampled):
                    finished.append(event.completion)
                yield event
            # Those that had to make room for the others are no longer alive.
            if any(sample.finish is None for sample in live if sample in self._live):
                self.cut = "interrupted" if self._ledger.stopped else "budget"
        finally:
            for sample in live:
                if sample in self._live:
                    self._abandon(sample)
        return finished

    def release(self, completion: Completion) -> None:
        """Give back the memory of a finished sample that cannot win any more."""
        for index, (held, sample) in enumerate(self._held):
            if held is completion and held is not self._draft:
                self._engine.drop(sample.branch)
                del self._held[index]
                return

    def close(self, winner: Completion | None = None) -> None:
        """Free every branch; the winner's tokens stay as the prefix of the next turn."""
        self._watchdog.close()
        for sample in self._live:
            self._engine.drop(sample.branch)
        for completion, sample in self._held:
            self._engine.drop(sample.branch, keep=completion is winner)
        if self._root is not None:
            kept = any(completion is winner for completion, _ in self._held)
            self._engine.drop(self._root, keep=not kept)
        self._live, self._held, self._root = [], [], None

    # Steps

    def _prefill(self) -> Branch | None:
        """The prompt's branch, None if stopped. May use the whole budget but for one step."""
        engine, before = self._engine, self._engine.evaluated_tokens
        started = self._ledger.elapsed()
        self._watchdog.arm(self._costs.step(1))
        try:
            while self._root is None:
                try:
                    self._root = engine.prefill(self._prompt.tokens, self._prompt.draft)
                except Interrupted:
                    if self._ledger.stopped:
                        return None
                    if not self._ledger.fits(Cost(), self._costs.step(1)):
                        raise BudgetTooSmall(
                            too_small(self._costs, len(self._prompt.tokens))
                        ) from None
                    self._watchdog.arm(self._costs.step(1))
        finally:
            evaluated = engine.evaluated_tokens - before
            self._ledger.charge(0, evaluated)
            self._costs.observe_prefill(evaluated, self._ledger.elapsed() - started)
        return self._root

    def _start(self, samplings: Sequence[Sampling], root: Branch) -> list[Sample]:
        """Fork one sample for each sampling; held ones make room where sequences run out."""
        while True:
            try:
                branches = self._engine.fork(root, samplings)
                break
            except ContextFull:
                spare = [done for done, _ in self._held if done is not self._draft]
                if not spare:
                    raise
                self.release(spare[0])
        room = self._engine.context_length - len(self._prompt.tokens)
        started = [
            Sample(
                self.drawn + index,
                branch,
                ThoughtSplitter(self._prompt.opened_thought, self._prompt.tags),
                sampling.stop,
                min(sampling.max_tokens or room, room),
                structure=self._prompt.structure,
            )
            for index, (branch, sampling) in enumerate(zip(branches, samplings, strict=True))
        ]
        self._live += started
        self.drawn += len(started)
        return started

    def _decode(self, samples: Sequence[Sample]) -> Generator[Event, None, None]:
        """Step until all have finished or nothing fits. Only the draft's text is streamed."""
        live = [sample for sample in samples if not sample.finish]
        while live and self._ledger.fits(self._costs.step(len(live)), self._reserve()):
            tokens = self._step(live)
            if tokens is None:
                for sample in live:
                    if sample.finish:  # the cache was too full even for this one alone
                        pieces = sample.flush()
                        if sample.index == 0:
                            yield from _texts(pieces)
                        else:
                            yield Sampled(sample.index, self._finish(sample))
                return
            for sample, token in zip(live, tokens, strict=True):
                pieces = sample.take(token)
                if sample.index == 0:
                    yield from _texts(pieces)
            ended = [sample for sample in live if sample.finish]
            live = [sample for sample in live if not sample.finish]
            for sample in ended:
                if sample.index != 0:
                    yield Sampled(sample.index, self._finish(sample))
            if live and self._ledger.elapsed() - self._last_progress >= PROGRESS_SECONDS:
                self._last_progress = self._ledger.elapsed()
                yield Progress(len(live), self._ledger.spent())

    def _step(self, live: list[Sample]) -> list[Token] | None:
        """One batched step, narrowed where the cache is full; None when no further one is."""
        while True:
            started = self._ledger.elapsed()
            try:
                tokens = self._engine.step([sample.branch for sample in live])
            except Interrupted:
                if self._ledger.stopped or not self._ledger.fits(Cost(), self._reserve()):
                    return None
                self._watchdog.arm(self._reserve())
                continue
            except ContextFull:
                if len(live) == 1:
                    live[0].finish = "length"
                    return None
                self._abandon(live.pop())
                continue
            self._ledger.charge(len(tokens))
            self._costs.observe_step(len(live), self._ledger.elapsed() - started)
            return tokens

    def _force(self, sample: Sample) -> Generator[Event, None, None]:
        """Close an open thought, put the cue for an answer, and let a few tokens finish it."""
        self._keep_nothing_back()
        if not self._ledger.fits(self._costs.step(1), self._reserve()):
            return  # a cue that nothing can follow would only look odd
        cue = self._engine.info.answer_cue or USUAL_CUE
        if sample.structure:
            cue = sample.structure.cue(sample.answer)
        known = f"{sample.splitter.closing_tag}" if sample.splitter.thinking else ""
        if cue.strip() not in sample.answer[-len(cue) - FORCED_TOKENS :]:
            known += cue
        if known:
            self._engine.extend(sample.branch, self._engine.vocabulary.encode(known, True))
            yield from _texts(sample.take_known(known))
        sample.max_tokens = len(sample.tokens) + FORCED_TOKENS
        yield from self._decode([sample])

    def _too_small(self) -> BudgetTooSmall:
        return BudgetTooSmall(too_small(self._costs, len(self._prompt.tokens)))

    def _keep_nothing_back(self) -> None:
        """Let everything that is left be used."""
        self._reserve = Cost
        self._watchdog.arm(Cost())

    def _finish(self, sample: Sample) -> Completion:
        sample.complete()
        completion = sample.completion(self._judge)
        self._live.remove(sample)
        self._held.append((completion, sample))
        return completion

    def _judge(self, text: str) -> Verdict:
        """What the verifiers say, in what is left of the time."""
        return judge(self._prompt.verifiers, text, self._ledger.left().seconds)

    def _abandon(self, sample: Sample) -> None:
        self._live.remove(sample)
        self._engine.drop(sample.branch)


def _texts(pieces: Sequence[tuple[Kind, str]]) -> list[Text]:
    return [Text(text, kind) for kind, text in pieces]
