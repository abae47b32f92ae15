"""Telling a model's thought from its answer, in text that arrives in pieces.

Models that reason write their thought between two tags before they answer. `ThoughtSplitter`
is fed by the run with each token's text; `tags_of` picks the tags that a chat template shows.
Imports nothing of ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["answer", "reasoning"]
Part = tuple[Kind, str]


@dataclass(frozen=True, slots=True)
class ThoughtTags:
    """How one family of models marks a thought.

    `closing` is also what is appended to make such a model stop thinking. `answer` is a further
    tag with which some of them begin the answer itself.
    """

    opening: str
    closing: str
    answer: str = ""


THINK = ThoughtTags("<think>", "</think>")

_TAGS = (
    THINK,
    ThoughtTags("<seed:think>", "</seed:think>"),
    ThoughtTags("<mm:think>", "</mm:think>"),
    ThoughtTags("[THINK]", "[/THINK]"),
    ThoughtTags("<|START_THINKING|>", "<|END_THINKING|>", "<|START_RESPONSE|>"),
    ThoughtTags("<|inner_prefix|>", "<|inner_suffix|>"),
    ThoughtTags("<|channel>thought", "<channel|>"),
    ThoughtTags(
        "<|channel|>analysis<|message|>",
        "<|end|><|start|>assistant<|channel|>final<|message|>",
        "<|channel|>final<|message|>",
    ),
    ThoughtTags("<|think|>", "<|end|><|begin|>assistant<|content|>", "<|content|>"),
    ThoughtTags("Here are my reasoning steps:", "[BEGIN FINAL RESPONSE]"),
)


def tags_of(source: str) -> ThoughtTags | None:
    """The tags that a chat template's source shows, or None where it shows none."""
    return next((tags for tags in _TAGS if tags.opening in source or tags.closing in source), None)


def _partial(text: str, tag: str) -> int:
    """Length of the longest end of `text` that may be the beginning of `tag`."""
    for length in range(min(len(text), len(tag) - 1), 0, -1):
        if text.endswith(tag[:length]):
            return length
    return 0


class ThoughtSplitter:
    """Splits streamed text into ("reasoning" | "answer", text) parts.

    `opened` says that the prompt already ends inside a thought. A thought opens only before the
    answer's first word: an answer that speaks *about* a tag keeps it. The tags themselves and
    the white space after them are left out; everything else comes out exactly once and in order,
    however the text was cut.
    """

    def __init__(self, opened: bool, tags: ThoughtTags = THINK) -> None:
        self._tags = tags
        self._held = ""
        self._state: Literal["start", "thinking", "answering"] = "thinking" if opened else "start"
        # White space is dropped where it follows a tag, also one at the end of the prompt.
        self._after_tag = opened

    @property
    def thinking(self) -> bool:
        """Whether a thought is open now."""
        return self._state == "thinking"

    @property
    def closing_tag(self) -> str:
        """What to append so that the model stops thinking."""
        return self._tags.closing

    def feed(self, text: str) -> list[Part]:
        """The parts that `text` makes certain; what may yet become a tag is held back."""
        self._held += text
        parts: list[Part] = []
        while self._advance(parts):
            pass
        return parts

    def flush(self) -> list[Part]:
        """What was held back, at the end of the text: it was no tag after all."""
        held, self._held = self._held, ""
        if self._after_tag:
            held = held.lstrip()
        return [("reasoning" if self.thinking else "answer", held)] if held else []

    def _advance(self, parts: list[Part]) -> bool:
        """Handle what is held as far as the present state goes; whether the state changed."""
        if self._after_tag:
            self._held = self._held.lstrip()
            if not self._held:
                return False
        if self._state == "thinking":
            return self._think(parts)
        if self._state == "start":
            return self._begin()
        self._emit("answer", self._held, parts)
        self._held = ""
        return False

    def _think(self, parts: list[Part]) -> bool:
        thought, tag, rest = self._held.partition(self._tags.closing)
        if tag:
            self._emit("reasoning", thought, parts)
            self._held, self._state, self._after_tag = rest, "start", True
            return True
        certain = len(self._held) - _partial(self._held, self._tags.closing)
        self._emit("reasoning", self._held[:certain], parts)
        self._held = self._held[certain:]
        return False

    def _begin(self) -> bool:
        text = self._held.lstrip()
        for tag in (self._tags.opening, self._tags.answer):
            if tag and text.startswith(tag):
                self._held, self._after_tag = text[len(tag) :], True
                self._state = "thinking" if tag == self._tags.opening else "answering"
                return True
        if self._tags.opening.startswith(text) or self._tags.answer.startswith(text):
            return False
        self._state = "answering"
        return True

    def _emit(self, kind: Kind, text: str, parts: list[Part]) -> None:
        if text:
            parts.append((kind, text))
            self._after_tag = False
