"""Events on a terminal or in a pipe: the answer on stdout, everything else on stderr."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TextIO

from edgemind.cli.terminal import printable
from edgemind.types import (
    Answer,
    Budget,
    Checked,
    Escalated,
    Event,
    Finished,
    Progress,
    Revised,
    Route,
    Routed,
    Sampled,
    Spent,
    Text,
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


def limits_left(budget: Budget, spent: Spent) -> str:
    """What is left of each limit, or what was spent where there is none."""
    parts = []
    if budget.seconds is None:
        parts.append(f"{spent.seconds:.1f} s")
    else:
        parts.append(f"{max(0.0, budget.seconds - spent.seconds):.1f} s left")
    if budget.joules is not None:
        parts.append(f"{max(0.0, budget.joules - spent.joules):.0f} J left")
    if budget.tokens is not None:
        parts.append(f"{max(0, budget.tokens - spent.tokens)} tokens left")
    return ", ".join(parts)


def receipt(answer: Answer) -> str:
    """The one-line receipt: route, samples, tokens, seconds and joules of budget, agreement."""
    spent, budget = answer.spent, answer.budget
    samples = f"{answer.samples} sample{'s' if answer.samples != 1 else ''}"
    tokens = f"{spent.tokens}{_of(budget.tokens)} tokens"
    seconds = f"{spent.seconds:.2f}{_of(budget.seconds)} s"
    joules = f"{spent.joules:.1f}{_of(budget.joules)} J ({spent.energy_source})"
    route = answer.route
    name = route.describe() if route.inner is not None else route.strategy
    parts = [name, samples, tokens, seconds, joules]
    if answer.samples > 1:
        parts.append(f"{answer.agreement:.0%} agree")
    if answer.finish != "stop":
        parts.append(FINISH_WORDS[answer.finish])
    return " · ".join(parts)


def costs(answer: Answer) -> str:
    """Where the budget went, phase by phase, and what was predicted against what it took."""
    lines = [
        f"  {phase.name:<15} {phase.seconds:8.3f} s {phase.joules:8.2f} J {phase.tokens:6} tokens"
        for phase in answer.spent.phases
    ]
    if (predicted := answer.predicted) is not None:
        for name in ("seconds", "joules", "tokens"):
            expected, actual = getattr(predicted, name), getattr(answer.spent, name)
            inside = expected.p5 <= actual <= expected.p95
            lines.append(
                f"  {name:<15} {actual:8.3g}, predicted {expected.p50:.3g} "
                f"({expected.p5:.3g} to {expected.p95:.3g} with 90 %)"
                f"{'' if inside else ': outside'}"
            )
    return "\n".join(["where it went:", *lines])


FINISH_WORDS = {
    "budget": "cut by the budget",
    "length": "cut at the length limit",
    "interrupted": "stopped",
}


NETWORK_WORDS = {
    "locked:seccomp": "locked by the kernel (seccomp); an IP socket was tried and refused",
    "locked:sandbox": "locked by the kernel (sandbox); a connection was tried and refused",
    "open": "open: this process is not locked",
}


def _of(limit: float | None) -> str:
    if limit is None:
        return ""
    # What is left of a day's budget is no round number.
    return f" of {limit if isinstance(limit, int) else float(f'{limit:.4g}'):g}"


def explanation(moment: str, route: Route, name: str, probability: float) -> str:
    """Why a route was taken: one line for the decision, one for each signal."""
    lines = [f"{moment}: {name} = {probability:.2f} → {route.strategy} ({route.reason})"]
    lines += [
        f"  {reason.signal:<15} {reason.value:8.2f}  contributes {reason.contribution:+.2f}"
        for reason in route.reasons
    ]
    return "\n".join(lines)
