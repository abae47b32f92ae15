"""Grows samples token by token until they end: what is said of them on the way, and in the end.

`Run` says which samples to begin; `Stepper` makes a step, or says that no further one fits.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from itertools import takewhile

from edgemind.budget import Ledger
from edgemind.engines.base import Engine
from edgemind.events import Event, Progress, Sampled, Text
from edgemind.plan import FORCED_TOKENS
from edgemind.prompt import Prompt
from edgemind.sample import Sample
from edgemind.samples import Samples
from edgemind.stepping import Stepper
from edgemind.thoughts import Kind
from edgemind.types import Completion, Verdict
from edgemind.verify.base import judge

USUAL_CUE = "\n\nThe answer is"
PROGRESS_SECONDS = 0.1
VERIFY_MARGIN_SECONDS = 0.02
"""A verifier's process is told to end so much earlier: killing it takes time too."""


class Grower:
    """Those of one prompt."""

    def __init__(
        self, engine: Engine, ledger: Ledger, prompt: Prompt, samples: Samples, stepper: Stepper
    ) -> None:
        self._engine = engine
        self._ledger = ledger
        self._prompt = prompt
        self._samples = samples
        self._stepper = stepper
        self._last_progress = 0.0

    def decode(
        self, samples: Sequence[Sample], floor: float | None = None, as_they_end: bool = False
    ) -> Generator[Event, None, None]:
        """Step until all have finished or nothing fits. Only the draft's text is streamed.

        Samples are reported in the order in which they were begun. Those that end first are those
        that say what was said before, or little: whoever counted them first would count them more.
        With `as_they_end` they are, all the same: members of a panel are not drawn from one lot.
        """
        live = [sample for sample in samples if not sample.finish]
        waiting = [sample for sample in live if sample.index != 0]
        while live and self._stepper.fits(now := self._stepper.foreseen(live) or live):
            tokens = self._stepper.step(now)
            if tokens is None:
                for sample in live:
                    if sample.finish:  # the cache was too full even for this one alone
                        pieces = sample.flush()
                        if sample.index == 0:
                            yield from texts(pieces)
                break
            for sample, token in zip(now, tokens, strict=True):
                if token is None:
                    sample.finish = "dropped"
                    continue
                pieces = sample.take(token)
                if floor is not None and sample.finish is None and sample.window() < floor:
                    sample.finish = "dropped"
                if sample.index == 0:
                    yield from texts(pieces)
            live = [sample for sample in live if not sample.finish]
            ended = [*takewhile(lambda sample: sample.finish, waiting)]
            if as_they_end:
                ended = [sample for sample in waiting if sample.finish]
            for sample in ended:
                waiting.remove(sample)
                yield Sampled(sample.index, self.finish(sample))
            if live and self._ledger.elapsed() - self._last_progress >= PROGRESS_SECONDS:
                self._last_progress = self._ledger.elapsed()
                growing = tuple(sample.growing for sample in live)
                yield Progress(len(live), self._ledger.spent(), growing)
        for sample in waiting:
            if sample.finish:
                yield Sampled(sample.index, self.finish(sample))

    def force(self, sample: Sample) -> Generator[Event, None, None]:
        """Close an open thought, put the cue for an answer, and let a few tokens finish it."""
        with self._ledger.phase("reserve"):
            yield from self._forced(sample)

    def _forced(self, sample: Sample) -> Generator[Event, None, None]:
        self._stepper.spend_all()
        cue = self._engine.info.answer_cue or USUAL_CUE
        if sample.structure:
            cue = sample.structure.cue(sample.answer)
        known = f"{sample.splitter.closing_tag}" if sample.splitter.thinking else ""
        if cue.strip() not in sample.answer[-len(cue) - FORCED_TOKENS :]:
            known += cue
        tokens = self._engine.vocabulary.encode(known, True) if known else []
        if not self._stepper.fits([sample], len(tokens)):
            return  # a cue that nothing can follow would only look odd
        if known:
            self._engine.extend(sample.branch, tokens)
            yield from texts(sample.take_known(known))
        sample.max_tokens = len(sample.tokens) + FORCED_TOKENS
        yield from self.decode([sample])

    def finish(self, sample: Sample) -> Completion:
        """What a sample came to; it is held from now on."""
        return self._samples.finish(sample, self._judge)

    def _judge(self, text: str) -> Verdict:
        """What the verifiers say, each in what is then left of the time and the energy."""
        left = self._ledger.left  # nothing is, once it was stopped
        with self._ledger.phase("verification"):
            return judge(
                self._prompt.verifiers, text, self._seconds_left, lambda: left().joules <= 0
            )

    def _seconds_left(self) -> float:
        return max(0.0, self._ledger.left().seconds - VERIFY_MARGIN_SECONDS)


def texts(pieces: Sequence[tuple[Kind, str]]) -> list[Text]:
    """Pieces of the draft, as events."""
    return [Text(text, kind) for kind, text in pieces]
