"""One sample as it grows: tokens in, text and thought apart, signals and the answer at its end."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from edgemind.engines.base import Branch
from edgemind.events import Growing
from edgemind.structured import Structure
from edgemind.thoughts import Kind, ThoughtSplitter
from edgemind.types import Completion, Finish, Signals, Token, Verdict
from edgemind.verify.answers import extract, extract_span

WINDOW_TOKENS = 16
ANSWER_ROOM = 32
"""Tokens for the tag that closes a thought, the cue for an answer and a short answer."""
SHOWN_CHARACTERS = 120
"""Of a sample that grows: a line of it."""
NO_SIGNALS = Signals(0.0, 0.0, 0.0, 0.0, 0)


@dataclass(eq=False, slots=True)
class Sample:
    """A branch being decoded, and all that it has said. The draft has index 0.

    `finish` is None while it may go on. `known` text (a forced answer's cue) counts as said but
    carries no probabilities.
    """

    index: int
    branch: Branch
    splitter: ThoughtSplitter
    stop: Sequence[str]
    max_tokens: int
    finish: Finish | None = None
    answer: str = ""
    reasoning: str = ""
    raw: str = ""
    structure: Structure | None = None
    tokens: list[tuple[int, float, float]] = field(default_factory=list)
    shown: int = 0

    def take(self, token: Token) -> list[tuple[Kind, str]]:
        """Add one sampled token; the pieces of text that may be shown because of it."""
        self.tokens.append((len(self.raw), token.logprob, token.margin))
        self.raw += token.text
        pieces = self._split(token.text)
        if token.end:
            self.finish = "stop"
        elif len(self.tokens) >= self._limit and self.finish is None:
            self.finish = "length"
        return pieces + (self.flush() if self.finish else [])

    @property
    def _limit(self) -> int:
        """A thought has to leave room for closing it and an answer; an answer needs none."""
        return self.max_tokens - (ANSWER_ROOM if self.splitter.thinking else 0)

    def window(self) -> float:
        """Mean log-probability of the last tokens; 0 while there are fewer than a window."""
        if len(self.tokens) < WINDOW_TOKENS:
            return 0.0
        return sum(logprob for _, logprob, _ in self.tokens[-WINDOW_TOKENS:]) / WINDOW_TOKENS

    @property
    def growing(self) -> Growing:
        """As it is now, for whoever watches."""
        return Growing(self.index, len(self.tokens), self.raw[-SHOWN_CHARACTERS:])

    def take_known(self, text: str) -> list[tuple[Kind, str]]:
        """Add text that was put into the branch's mouth."""
        self.raw += text
        return self._split(text)

    def _split(self, text: str) -> list[tuple[Kind, str]]:
        return self._show(self.splitter.feed(text)) if text else []

    def flush(self) -> list[tuple[Kind, str]]:
        """Whatever was held back, because it might have been the start of a tag or a stop text."""
        return self._show(self.splitter.flush(), final=True)

    def _show(
        self, parts: Sequence[tuple[Kind, str]], final: bool = False
    ) -> list[tuple[Kind, str]]:
        shown: list[tuple[Kind, str]] = []
        for kind, text in parts:
            if kind == "reasoning":
                self.reasoning += text
                shown.append((kind, text))
            else:
                self.answer += text
        # The earliest wins, whatever their order: so it would with one character at a time.
        found = [at for stop in self.stop if stop and (at := self.answer.find(stop)) >= 0]
        if found:
            self.answer = self.answer[: min(found)]
            self.finish, final = "stop", True
        # A stop text may have begun: keep back as much as could belong to it.
        longest = max([1, *map(len, self.stop)])
        end = len(self.answer) if final else max(self.shown, len(self.answer) - longest + 1)
        if end > self.shown:
            shown.append(("answer", self.answer[self.shown : end]))
        self.shown = max(self.shown, end)
        return shown

    def complete(self) -> list[tuple[Kind, str]]:
        """Make a cut structure whole, if anything of it was said; what is to be shown of that."""
        if self.structure is None or not self.answer.strip():
            return []
        whole = self.structure.whole(self.answer)
        if whole.startswith(self.answer):
            return self.take_known(whole[len(self.answer) :]) + self.flush()
        self.answer, self.shown = whole, len(whole)
        return []

    def completion(self, verify: Callable[[str], Verdict]) -> Completion:
        """What was said and what verifiers say to it. An unfinished one was cut by the budget."""
        text = self.answer.strip()
        verdict = verify(text)
        key = self.structure.key(text) if self.structure else None
        return Completion(
            text=text,
            reasoning=self.reasoning.strip(),
            answer=text if key is not None else self._extract(text),
            signals=self._signals(text),
            finish=self.finish or "budget",
            objections=verdict.objections,
            score=verdict.score,
            key=key,
        )

    def _extract(self, text: str) -> str | None:
        """The answer in a text; JSON that is none has no answer."""
        return None if self.structure and self.structure.is_json else extract(text)

    def _signals(self, text: str) -> Signals:
        """Signals over all tokens and over those of the answer (all, where it has none)."""
        if not self.tokens:
            return NO_SIGNALS
        logprobs = [logprob for _, logprob, _ in self.tokens]
        within = self._answer_tokens(text) or self.tokens
        doubts = [1 - math.exp(logprob) for logprob in logprobs]
        half = len(doubts) // 2
        sums = [sum(logprobs[:WINDOW_TOKENS])]
        for index in range(WINDOW_TOKENS, len(logprobs)):
            sums.append(sums[-1] + logprobs[index] - logprobs[index - WINDOW_TOKENS])
        return Signals(
            mean_logprob=sum(logprobs) / len(logprobs),
            answer_logprob=sum(logprob for _, logprob, _ in within) / len(within),
            answer_margin=min(margin for _, _, margin in within),
            lowest_window=min(sums) / min(WINDOW_TOKENS, len(logprobs)),
            tokens=len(self.tokens),
            early_doubt=sum(doubts[:half]),
            late_doubt=sum(doubts[half:]),
        )

    def _answer_tokens(self, text: str) -> list[tuple[int, float, float]]:
        """The tokens that overlap the extracted answer's characters."""
        json = self.structure is not None and self.structure.is_json
        span, start = (0, len(text)) if json else extract_span(text), self.raw.rfind(text)
        if span is None or start < 0:
            return []
        begin, end = start + span[0], start + span[1]
        starts = [offset for offset, _, _ in self.tokens]
        return [
            token
            for token, after in zip(self.tokens, [*starts[1:], len(self.raw)], strict=True)
            if token[0] < end and after > begin
        ]
