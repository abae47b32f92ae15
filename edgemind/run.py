"""Executes what a strategy asks for: one engine behind one ledger.

A run belongs to one prompt. Its methods are generators: they yield events and return completions.
Every step is charged; the next one runs only if it fits with the reserve kept. When the limit
comes before the draft is done, the reserve pays for closing its thought and forcing an answer.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Generator, Sequence
from typing import TypeVar

from edgemind.budget import Cost, Ledger
from edgemind.conditions import Conditions
from edgemind.costs.history import Work
from edgemind.costs.model import CostModel
from edgemind.engines.base import Branch, Engine
from edgemind.errors import BudgetTooSmall, ContextFull
from edgemind.events import Event, Sampled
from edgemind.growing import Grower, texts
from edgemind.plan import LENGTH_MARGIN, affordable_width, narrowed, too_small
from edgemind.prompt import Prompt
from edgemind.sample import ANSWER_ROOM, NO_SIGNALS
from edgemind.samples import Samples
from edgemind.stepping import Stepper
from edgemind.types import Completion, Finish

T = TypeVar("T")
ALIKE_DOUBT = 4.0
"""Of a draft with less, eight samples take half of what they would apart (docs/log.md)."""


class Run:
    """One prompt being answered. Close it in `finally`; closing twice is harmless.

    With `best_effort` a budget that ends before the first word gives an empty answer, not an error.
    """

    def __init__(
        self,
        engine: Engine,
        ledger: Ledger,
        costs: CostModel,
        prompt: Prompt,
        *,
        conditions: Conditions | None = None,
        best_effort: bool = False,
    ) -> None:
        self._engine = engine
        self._ledger = ledger
        self._costs = costs
        self._prompt = prompt
        self._conditions = conditions
        self._best_effort = best_effort
        self._samples = Samples(engine, prompt)
        self._stepper = Stepper(engine, ledger, costs, self._samples.abandon, conditions)
        self._grower = Grower(engine, ledger, prompt, self._samples, self._stepper)
        self._draft_steps = 0
        self._narrowed = False
        self._revised: dict[tuple[int, str, int], Completion] = {}
        self.cut: Finish | None = None

    @property
    def ledger(self) -> Ledger:
        """What may be spent and was."""
        return self._ledger

    @property
    def drawn(self) -> int:
        """Samples that were begun so far, the draft among them."""
        return self._samples.drawn

    # What strategies call

    def draft(self) -> Generator[Event, None, Completion]:
        """Sample 0, streamed as it is made; the same one whenever it is asked for again.

        Raises `BudgetTooSmall` where not even the prompt could be evaluated.
        """
        if self._samples.draft is not None:
            return self._samples.draft
        try:
            with self._ledger.phase("prefill"):
                root = self._stepper.prefill(self._prompt.tokens, self._prompt.draft)
        except BudgetTooSmall:
            if not self._best_effort:
                raise
            self.cut = "budget"
            return Completion("", "", None, NO_SIGNALS, "budget")
        self._samples.root = root
        if root is None:
            self.cut = "interrupted"
            return Completion("", "", None, NO_SIGNALS, "interrupted")
        with self._ledger.phase("draft"):
            return (yield from self._first(root))

    def _first(self, root: Branch) -> Generator[Event, None, Completion]:
        """The draft, once its prompt is evaluated."""
        [sample] = self._samples.start([self._prompt.draft], root)
        self._stepper.hold_back()
        yield from self._grower.decode([sample])
        if sample.finish is None:
            self.cut = "interrupted" if self._ledger.stopped else "budget"
            if self.cut == "budget":
                yield from self._grower.force(sample)
            yield from texts(sample.flush())
            sample.finish = self.cut
        elif sample.finish == "length" and sample.splitter.thinking:
            # A thought that filled the context: the room kept for it takes the answer.
            sample.finish = None
            yield from self._grower.force(sample)
            sample.finish = "length"
        self._draft_steps = self._stepper.steps
        if not sample.tokens and self.cut == "budget" and not self._best_effort:
            raise too_small(self._costs, len(self._prompt.tokens))
        yield from texts(sample.complete())
        # From here on there is an answer: nothing needs to be held back for one.
        self._stepper.spend_all()
        self._samples.draft = self._grower.finish(sample)
        yield Sampled(0, self._samples.draft)
        return self._samples.draft

    @property
    def finished(self) -> list[Completion]:
        """All samples that have ended and were not released, in the order of their ends."""
        return [completion for completion, _ in self._samples.held]

    def samples(
        self,
        count: int,
        floor: float | None = None,
        instructions: Sequence[str] = (),
        apart: bool = False,
    ) -> Generator[Event, None, list[Completion]]:
        """Up to `count` more samples, decoded together, reported in the order of their begin.

        With `instructions` each is told one of them after the prompt, in turn: sample number n the
        one at n - 1 (the draft, number 0, is told nothing). A model that was not trained on
        instructions is told none.

        Fewer where the budget or the cache has no room for all of them; none once it is used up.
        A sample whose window of log-probabilities sinks under `floor` ends there, with the finish
        `dropped`; so does one that the engine cannot go on with. Closing the generator drops those
        that are still running. As long as some say the same, they are evaluated, and paid for, as
        one; with `apart` never, which gives the same samples and is what they take elsewhere.
        """
        with self._ledger.phase("samples"):
            return (yield from self._wave(count, floor, instructions, apart))

    def _wave(
        self, count: int, floor: float | None, instructions: Sequence[str], apart: bool
    ) -> Generator[Event, None, list[Completion]]:
        finished: list[Completion] = []
        length = self._draft_tokens
        prompt_tokens = len(self._prompt.tokens)
        tell = self._prompt.instructed
        told = [tell(instruction) for instruction in instructions] if tell else []
        known = max((len(tokens) - prompt_tokens for tokens, _ in told), default=0)
        room = self._engine.room(prompt_tokens + known + int(LENGTH_MARGIN * length) + 1)
        most = min(count, self._engine.max_width, max(1, room))
        if self._conditions is not None and (short := self._conditions.short_of_memory()):
            self._narrowed |= narrowed(most, short) < most
            most = narrowed(most, short)
        width = affordable_width(self._ledger, self._costs, most, length, prompt_tokens, known)
        root = self._samples.root
        if width == 0 or root is None:
            self.cut = self.cut or ("interrupted" if self._ledger.stopped else "budget")
            return finished
        base = self._prompt.samples
        samplings = [
            dataclasses.replace(base, seed=(base.seed or 0) + self.drawn + index)
            for index in range(width)
        ]
        if told:
            live = self._samples.start_told(samplings, root, told, self._stepper.prefill)
            self._stepper.spend_all()
        else:
            live = self._samples.start(samplings, root, apart)
        try:
            for event in self._grower.decode(live, floor, as_they_end=bool(told)):
                if isinstance(event, Sampled):
                    finished.append(event.completion)
                yield event
            # Those that had to make room for the others are no longer alive.
            if not live or any(one.finish is None for one in live if one in self._samples.live):
                self.cut = "interrupted" if self._ledger.stopped else "budget"
        finally:
            for sample in live:
                if sample in self._samples.live:
                    self._samples.abandon(sample)
        return finished

    def revise(
        self, completion: Completion, objection: str, attempt: int = 0
    ) -> Generator[Event, None, Completion | None]:
        """What the model makes of its own answer, told what is wrong with it.

        The objection is the next message of the chat. The answer's tokens and keys are those that
        it was drawn with, wherever the chat's template goes on from them. The first attempt is
        greedy, later ones are drawn; the same one again is not made twice. None where the context
        or the budget has no room for it.
        """
        key = (id(completion), objection, attempt)
        if key in self._revised or self.cut:
            return self._revised.get(key)
        with self._ledger.phase("samples"):
            return (yield from self._revision(completion, objection, attempt, key))

    def _revision(
        self, completion: Completion, objection: str, attempt: int, key: tuple[int, str, int]
    ) -> Generator[Event, None, Completion | None]:
        tokens, opened = self._prompt.revision(completion, objection)
        room = self._engine.context_length - len(tokens)
        if room < ANSWER_ROOM:
            return None
        base = self._prompt.samples
        sampling = dataclasses.replace(base, seed=(base.seed or 0) + self.drawn)
        if attempt == 0:
            sampling = dataclasses.replace(sampling, temperature=0.0)
        try:
            branch = self._samples.grown(completion, tokens, sampling, self._stepper.prefill)
        except (BudgetTooSmall, ContextFull):
            return None
        if branch is None:
            self.cut = "interrupted"
            return None
        sample = self._samples.make(branch, sampling, opened, room)
        yield from self._grower.decode([sample])
        if sample.finish is None:
            self.cut = "interrupted" if self._ledger.stopped else "budget"
            self._samples.abandon(sample)
            return None
        [revised] = [one for one, held in self._samples.held if held is sample]
        self._revised[key] = revised
        return revised

    @property
    def alike(self) -> bool:
        """Whether further samples will share most of their tokens, so that many cost little."""
        if self._samples.draft is None or not self._engine.shares:
            return False
        signals = self._samples.draft.signals
        return signals.early_doubt + signals.late_doubt < ALIKE_DOUBT

    @property
    def _draft_tokens(self) -> int:
        """Length of the draft, 0 before there is one."""
        return self._samples.draft.signals.tokens if self._samples.draft else 0

    def price(self, width: int) -> Cost:
        """What one more sample is predicted to take, drawn as one of `width`."""
        length = max(1, self._draft_tokens)
        width = min(width, self._engine.max_width)
        middle = len(self._prompt.tokens) + length / 2
        return self._costs.step(width, middle).times(length / width)

    def affordable(self, most: int) -> int:
        """Samples in all, the draft included and at most `most`, that what is left allows."""
        length = self._draft_tokens
        at_once = max(1, min(most - 1, self._engine.max_width))
        fit = affordable_width(self._ledger, self._costs, at_once, length, len(self._prompt.tokens))
        return most if fit == at_once else fit + 1

    @property
    def notes(self) -> tuple[str, ...]:
        """What the machine's state changed, in words."""
        found = []
        if self._stepper.throttled:
            found.append("the processor is too hot and was slowed down: planned with longer steps")
        if self._narrowed:
            found.append("memory is short: fewer samples at once")
        return tuple(found)

    def work(self) -> Work:
        """What was done so far, for the cost model to learn from."""
        draft = self._draft_tokens
        whole = self._samples.draft is not None and self._samples.draft.finish == "stop"
        return Work(
            draft_tokens=draft,
            draft_cut=not whole,
            extra_tokens=max(0, self._ledger.tokens - draft),
            extra_steps=self._stepper.steps - self._draft_steps,
            step_seconds=self._stepper.step_seconds,
        )

    def release(self, completion: Completion) -> None:
        """Give back the memory of a finished sample that cannot win any more."""
        self._samples.release(completion)

    def close(self, winner: Completion | None = None) -> tuple[int, ...]:
        """Free every branch; the winner's tokens stay as the prefix of the next turn.

        Those that do are returned.
        """
        self._stepper.close()
        return self._samples.close(winner)
