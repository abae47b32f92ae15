"""What the interactive chat shows: Markdown as it streams, a live line under it, a receipt.

Blocks that are finished are printed once and never touched again; only the last block and the
live line are drawn anew. Imports rich, so it is imported when an interactive chat begins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment
from rich.text import Text as Styled

from edgemind.cli.chatting.markdown import Page as Markdown
from edgemind.cli.chatting.region import Region, ResizedLive
from edgemind.conversation.markdown import finished, last_lines
from edgemind.events import (
    Checked,
    Escalated,
    Event,
    Finished,
    Progress,
    Revised,
    Routed,
    Sampled,
    Text,
)
from edgemind.types import Answer, Budget, Spent
from edgemind.wording import NETWORK_WORDS, costs, explanation, limits_left, printable, receipt

REFRESHES_PER_SECOND = 8
ROWS_BELOW = 3
"""Rows that the last block leaves free: the live line, and one more against scrolling."""


class Typed(NamedTuple):
    """What was typed while it thinks: whole lines that wait, and the one that is being written."""

    waiting: int
    draft: str


class Page:
    """Shows streams on one terminal. `typed` tells what the person types meanwhile."""

    def __init__(self, console: Console, typed: Callable[[], Typed] = lambda: Typed(0, "")) -> None:
        self.thoughts = False
        self.receipt = True
        self.explain = False
        self._console = console
        self._typed = typed
        self._budget = Budget()
        self._begin(self._budget)

    def _begin(self, budget: Budget) -> None:
        self._budget = budget
        self._streamed = ""
        self._tail = ""
        self._thought = ""
        self._thought_tail = ""
        self._folded = False
        self._blocks = 0
        self._running = 0
        self._finished = 0
        self._spent: Spent | None = None
        self._votes: tuple[tuple[str, int], ...] = ()

    def show(self, events: Iterable[Event], budget: Budget) -> Answer:
        """Consume a whole stream; the answer that ended it."""
        self._begin(budget)
        answer: Answer | None = None
        with ResizedLive(Region(self.region), self._console, REFRESHES_PER_SECOND):
            try:
                for event in events:
                    if isinstance(event, Finished):
                        answer = event.answer
                    else:
                        self._event(event)
            finally:
                self._end_thought()
                self._end_text()
        if answer is None:
            raise AssertionError("a stream ends with Finished")
        self._finish(answer)
        return answer

    def note(self, text: str) -> None:
        """A line (or some) beside the answers."""
        self._console.print(Styled(printable(text), style="dim"))

    def region(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """What is drawn anew: the last block as far as it has come, and the live line."""
        rows = max(1, console.height - ROWS_BELOW)
        if tail := self._tail.strip("\n"):
            lines = console.render_lines(Markdown(last_lines(tail, rows)), options, pad=False)
        elif thought := self._thought_tail:
            lines = console.render_lines(Styled(thought, style="dim italic"), options, pad=False)
        else:
            lines = []
        for line in lines[-rows:]:
            yield from line
            yield Segment.line()
        yield Styled(self._live_line(), style="dim", no_wrap=True, overflow="ellipsis")

    def _live_line(self) -> str:
        parts = []
        waiting, draft = self._typed()
        if waiting or draft:
            parts.append(f"next: {draft}" if draft else "next: kept")
            if waiting:
                parts.append(f"{waiting} line{'s' if waiting > 1 else ''} kept")
                if not draft:
                    parts.append("Enter: now")
        if self._spent is None:
            parts.append("reading")
        else:
            if self._finished:
                votes = "  ".join(f"{answer}: {count}" for answer, count in self._votes[:3])
                parts.append(f"{self._running} samples running  {votes}".rstrip())
            elif self._thought and not self._streamed:
                parts.append(f"thinking, {len(self._thought.split())} words")
            parts.append(limits_left(self._budget, self._spent))
        parts.append("Ctrl-C: best answer so far")
        return printable(" · ".join(parts)).replace("\n", " ")

    def _event(self, event: Event) -> None:
        match event:
            case Routed(route) if self.explain:
                self.note(explanation("before the first word", route, "P(hard)", route.difficulty))
            case Escalated(route, confidence):
                self._end_text()
                if self.explain:
                    self.note(explanation("after the draft", route, "P(right)", confidence))
                else:
                    self.note(f"thinking harder: {route.reason}")
            case Text(text, "answer"):
                self._end_thought()
                text = printable(text)
                self._streamed += text
                self._tail += text
                if "\n" in text:
                    self._commit()
            case Text(text, "reasoning"):
                self._think(printable(text))
            case Revised(objection, _, kept) if self.explain:
                self._end_text()
                self.note(f"revised ({'kept' if kept else 'no better'}): {objection}")
            case Sampled(index):
                self._finished = index + 1
            case Checked(votes):
                self._votes = votes
            case Progress(running, spent):
                self._running, self._spent = running, spent
            case _:
                pass

    def _think(self, text: str) -> None:
        """A thought is counted while it is folded, and printed line by line where it is not."""
        self._thought += text
        if not self.thoughts:
            return
        *lines, self._thought_tail = (self._thought_tail + text).split("\n")
        for line in lines:
            self._console.print(Styled(line, style="dim italic"))

    def _end_thought(self) -> None:
        if not self._thought.strip() or self._folded:
            return
        self._folded = True
        if self.thoughts:
            last, self._thought_tail = self._thought_tail, ""
            if last:
                self._console.print(Styled(last, style="dim italic"))
            self._console.print()
        else:
            self.note(f"(thought for {len(self._thought.split())} words: /show thoughts)")

    def _commit(self) -> None:
        """Print the blocks that are finished; the last one stays in the region."""
        whole = self._tail.rfind("\n") + 1
        if done := finished(self._tail[:whole]):
            block, self._tail = self._tail[:done], self._tail[done:]
            self._print(block)

    def _end_text(self) -> None:
        """Print what is in the region: it will not go on."""
        block, self._tail = self._tail, ""
        self._print(block)

    def _print(self, text: str) -> None:
        if not text.strip():
            return
        if self._blocks:
            self._console.print()
        self._console.print(Markdown(text))
        self._blocks += 1

    def _finish(self, answer: Answer) -> None:
        if self._streamed.strip() != printable(answer.text).strip():
            if self._blocks:
                self.note("another answer won:")
                self._blocks = 0
            self._print(printable(answer.text))
        if self.explain:
            self.note(f"network: {NETWORK_WORDS.get(answer.network, answer.network)}")
        if self.receipt:
            self.note(receipt(answer))
            for note in answer.notes:
                self.note(note)
        if self.explain:
            self.note(costs(answer))
