"""Events on a terminal or in a pipe: the answer on stdout, everything else on stderr."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TextIO

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
from edgemind.wording import (
    NETWORK_WORDS,
    costs,
    explanation,
    limits_left,
    printable,
    receipt,
)

CLEAR_LINE = "\r\x1b[2K"
DIM, PLAIN = "\x1b[2m", "\x1b[0m"


@dataclass(slots=True)
class Screen:
    """Shows a stream. `streams` decides whether the draft appears as it is made.

    On a terminal the draft is streamed to stdout; where stdout is a pipe or a file, only the
    final answer goes there, since a draft may yet be outvoted. Where it is `plain`, nothing is
    drawn on a terminal: no live line, no styles. `thoughts` and the `receipt` can be left out.
    """

    quiet: bool = False
    explain: bool = False
    out: TextIO = field(default_factory=lambda: sys.stdout)
    err: TextIO = field(default_factory=lambda: sys.stderr)
    plain: bool = False
    thoughts: bool = True
    receipt: bool = True
    streams: bool = field(init=False)
    _streamed: str = field(default="", init=False)
    _line_open: bool = field(default=False, init=False)
    _dim: bool = field(default=False, init=False)
    _live: bool = field(default=False, init=False)
    _votes: tuple[tuple[str, int], ...] = field(default=(), init=False)
    _budget: Budget = field(default_factory=Budget, init=False)
    _finished: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.streams = self.out.isatty()

    def show(self, events: Iterable[Event], budget: Budget) -> Answer:
        """Consume a whole stream; the answer that ended it."""
        self._streamed, self._votes, self._finished = "", (), 0
        self._line_open = False
        self._budget = budget
        try:
            for event in events:
                if isinstance(event, Finished):
                    self._finish(event.answer)
                    return event.answer
                self._event(event)
        finally:
            self._clear_live()
            self._dimmed(False)
        raise AssertionError("a stream ends with Finished")

    def _event(self, event: Event) -> None:
        match event:
            case Routed(route) if self.explain:
                self._note(explanation("before the first word", route, "P(hard)", route.difficulty))
            case Escalated(route, confidence):
                self._end_line()
                if self.explain:
                    self._note(explanation("after the draft", route, "P(right)", confidence))
                elif not self.quiet:
                    self._note(f"thinking harder: {route.reason}")
            case Text(text, kind) if self.streams:
                if kind == "answer":
                    self._dimmed(False)
                    self._streamed += text
                    self._line_open = True
                    self._write(self.out, text)
                elif self.thoughts and not self.quiet:
                    self._dimmed(True)
                    self._write(self.err, text)
            case Revised(objection, _, kept) if self.explain:
                self._end_line()
                self._note(f"revised ({'kept' if kept else 'no better'}): {objection}")
            case Sampled(index):
                self._finished = index + 1
            case Checked(votes):
                self._votes = votes
            case Progress(running, spent) if self._finished:
                self._live_line(running, spent)
            case _:
                pass

    def _finish(self, answer: Answer) -> None:
        self._clear_live()
        self._dimmed(False)
        if self._streamed.strip() != answer.text:
            # Another sample won the vote, or nothing was streamed at all.
            self._end_line()
            self._write(self.out, answer.text)
            self._line_open = bool(answer.text)
        self._end_line()
        if self.explain:
            self._note(f"network: {NETWORK_WORDS.get(answer.network, answer.network)}")
        if self.receipt and not self.quiet:
            self._note(receipt(answer))
            for note in answer.notes:
                self._note(note)
        if self.explain:
            self._note(costs(answer))

    def _end_line(self) -> None:
        if self._line_open:
            self._write(self.out, "\n")
            self._line_open = False

    def _live_line(self, running: int, spent: Spent) -> None:
        if self.quiet or self.plain or not self.err.isatty():
            return
        self._end_line()  # of the draft: the live line erases the one that it stands in
        votes = "  ".join(f"{answer}: {count}" for answer, count in self._votes[:3])
        left = limits_left(self._budget, spent)
        self._write(
            self.err, f"· {running} samples running  {votes}  {left}", CLEAR_LINE + DIM, PLAIN
        )
        self._live = True

    def _clear_live(self) -> None:
        if self._live:
            self._write(self.err, "", CLEAR_LINE)
            self._live = False

    def _dimmed(self, dim: bool) -> None:
        if dim != self._dim:
            self._write(self.err, "" if dim else "\n", DIM if dim else PLAIN)
            self._dim = dim

    def note(self, text: str) -> None:
        """A line (or some) beside the answers."""
        self._note(text)

    def _note(self, text: str) -> None:
        self._clear_live()
        self._write(self.err, f"{text}\n", DIM, PLAIN)

    def _write(self, file: TextIO, text: str, before: str = "", after: str = "") -> None:
        """Write text that a model may have had a hand in, between styles of our own."""
        if file.isatty():
            text = printable(text)
            text = text if self.plain else f"{before}{text}{after}"
        file.write(text)
        file.flush()
