"""What a stream of events says so far, as one value that the window draws. No Qt, no thread."""

from __future__ import annotations

from dataclasses import dataclass, field

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
from edgemind.types import Answer, Budget, Objection, Spent
from edgemind.wording import explanation, limits_left, printable


@dataclass(slots=True)
class Shown:
    """A sample: how long it is, the end of what it says, its answer once it has ended."""

    index: int
    tokens: int = 0
    end: str = ""
    ended: bool = False
    dropped: bool = False
    answer: str | None = None


@dataclass(slots=True)
class Thinking:
    """All that is known of an answer in the making. `take` every event, in their order."""

    budget: Budget = field(default_factory=Budget)
    text: str = ""
    thought: str = ""
    samples: dict[int, Shown] = field(default_factory=dict)
    votes: tuple[tuple[str, int], ...] = ()
    decided: str | None = None
    objections: list[str] = field(default_factory=list)
    looks: list[Routed | Escalated] = field(default_factory=list)
    spent: Spent | None = None
    running: int = 0
    answer: Answer | None = None

    def take(self, event: Event) -> None:
        """One more event."""
        match event:
            case Routed() | Escalated():
                self.looks.append(event)
            case Text(text, "answer"):
                self.text += printable(text)
            case Text(text, _):
                self.thought += printable(text)
            case Progress(running, spent, growing):
                self.running, self.spent = running, spent
                for one in growing:
                    shown = self._sample(one.index)
                    shown.tokens, shown.end = one.tokens, one_line(one.end)
            case Sampled(index, completion):
                shown = self._sample(index)
                shown.ended, shown.dropped = True, completion.finish == "dropped"
                shown.tokens = completion.signals.tokens
                shown.end = one_line(completion.text)
                shown.answer = None if completion.answer is None else one_line(completion.answer)
                self._object(index, completion.objections)
            case Checked(votes, decided):
                self.votes = tuple((one_line(answer), count) for answer, count in votes)
                self.decided = decided
            case Revised(objection, _, kept):
                how = "corrected" if kept else "not corrected"
                self._note(f"{how}: {one_line(objection)}")
            case Finished(answer):
                self.answer, self.spent, self.running = answer, answer.spent, 0
                self.text = printable(answer.text)
                self.thought = printable(answer.reasoning) or self.thought

    @property
    def worth_showing(self) -> bool:
        """Whether there was more than one pass without a thought and without a complaint."""
        return len(self.samples) > 1 or bool(self.thought.strip()) or bool(self.objections)

    @property
    def headline(self) -> str:
        """What it is doing, or what it did, in a few words."""
        words = len(self.thought.split())
        if self.answer is not None:
            parts = [f"{self.answer.samples} samples"] if self.answer.samples > 1 else []
            if self.answer.samples > 1 and self.votes:
                parts.append(f"{self.answer.agreement:.0%} agree")
            if words:
                parts.append(f"a thought of {words} words")
            if self.objections:
                parts.append(f"{len(self.objections)} objection{'s'[: len(self.objections) > 1]}")
            return "Thought it through" + (f": {', '.join(parts)}" if parts else "")
        done = sum(one.ended for one in self.samples.values())
        if not self.looks:
            doing = "Reading"
        elif isinstance(last := self.looks[-1], Escalated):
            doing = f"Thinking harder: {last.route.reason}, {done} samples so far"
        elif len(self.samples) > 1:
            doing = f"Thinking: {done} samples so far"
        elif words and not self.text:
            doing = f"Thinking: {words} words"
        else:
            doing = "Answering"
        return doing if self.spent is None else f"{doing} · {limits_left(self.budget, self.spent)}"

    def why(self) -> str:
        """The router's looks, signal by signal."""
        lines = []
        for event in self.looks:
            if isinstance(event, Routed):
                route = event.route
                lines.append(
                    explanation("before the first word", route, "P(hard)", route.difficulty)
                )
            else:
                lines.append(
                    explanation("after the draft", event.route, "P(right)", event.confidence)
                )
        return "\n".join(lines)

    def _sample(self, index: int) -> Shown:
        return self.samples.setdefault(index, Shown(index))

    def _object(self, index: int, objections: tuple[Objection, ...]) -> None:
        for one in objections:
            where = f", line {one.line}" if one.line else ""
            self._note(f"sample {index + 1}{where}: {one_line(one.message)}")

    def _note(self, line: str) -> None:
        if line not in self.objections:
            self.objections.append(line)


def one_line(text: str) -> str:
    """A text as a line of a list."""
    return " ".join(printable(text).split())
