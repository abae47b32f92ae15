"""A vocabulary's texts in order, so that what begins alike lies together.

What a grammar allows of many thousand tokens is found without looking at each: where few characters
may come next, only what begins with them is looked at, and so on behind them; where nearly all may
come (in the middle of a string), what holds no other characters is known at once.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import Protocol

import numpy as np
import numpy.typing as npt

from edgemind.structure.chars import MAX_CODE, Chars
from edgemind.structure.walk import Position

Ids = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]

FEW_TEXTS = 3
"""So many are read to their end rather than parted further."""
WIDE_CHARACTERS = 20
"""Fewer characters are not worth a look at the whole vocabulary."""
KEPT_FLAGS = 32


class Pieces(Protocol):
    """A vocabulary whose tokens are known as bytes."""

    @property
    def size(self) -> int:
        """How many tokens there are."""

    def piece(self, token: int) -> bytes:
        """The bytes of a token."""

    def is_end(self, token: int) -> bool:
        """Whether a token ends a generation."""


def whole_text(piece: bytes) -> str:
    """A token's text; empty where it holds half a character or a NUL."""
    try:
        text = piece.decode()
    except UnicodeDecodeError:
        return ""
    return "" if "\0" in text else text


def is_wide(chars: Chars) -> bool:
    """Whether these are so many that it is worth knowing what holds no others."""
    return sum(high - low + 1 for low, high in chars.spans) >= WIDE_CHARACTERS


class Prefixes:
    """The tokens of a vocabulary in the order of their texts. Takes about 2 µs for each token.

    A token's place in this order is meant where "places" are spoken of. `ends` are the tokens that
    end a generation, whatever their text. They have no place, nor have those that are no whole
    text (`broken_after`).
    """

    def __init__(self, vocabulary: Pieces) -> None:
        whole: list[tuple[str, int]] = []
        ends: list[int] = []
        broken: dict[int, list[int]] = {}
        for token in range(vocabulary.size):
            piece = vocabulary.piece(token)
            if vocabulary.is_end(token):
                ends.append(token)
            elif text := whole_text(piece):
                whole.append((text, token))
            elif piece:
                broken.setdefault(piece[0], []).append(token)
        whole.sort()
        self.texts = [text for text, _ in whole]
        self.ids: Ids = np.array([token for _, token in whole], np.int32)
        self._broken = broken
        self.ends: Ids = np.array(ends, np.int32)
        self.places: Ids = np.full(vocabulary.size, -1, np.int32)
        """The place of each token, -1 for none."""
        self.places[self.ids] = np.arange(len(whole), dtype=np.int32)
        self.lengths: Ids = np.array([len(text) for text in self.texts], np.int32)
        self._characters = np.frombuffer("".join(self.texts).encode("utf-32-le"), np.uint32)
        self._starts = np.cumsum(self.lengths) - self.lengths
        self._flags: dict[Chars, Flags] = {}

    def beginning(self, position: Position) -> list[tuple[int, int]]:
        """The ranges of places whose first character may come next, in their order."""
        return self._parts(position, 0, len(self.texts), "")

    def broken_after(self, firsts: frozenset[int]) -> Ids:
        """The tokens that begin with one of these bytes and are no whole text."""
        first = sorted(firsts & self._broken.keys())
        return np.array([token for byte in first for token in self._broken[byte]], np.int32)

    def fitting(self, position: Position) -> Ids:
        """The places of all that may come next, in no order."""
        found: list[int] = []
        todo = [(position, 0, len(self.texts), "")]
        while todo:
            here, low, high, begun = todo.pop()
            while low < high and self.texts[low] == begun:
                found.append(low)
                low += 1
            if high - low <= FEW_TEXTS:
                found += self.read(here, range(low, high), len(begun))
                continue
            for start, stop in self._parts(here, low, high, begun):
                first = start
                while first < stop:
                    more = begun + self.texts[first][len(begun)]
                    end = bisect_left(self.texts, _behind(more), first, stop)
                    if (after := here.after(more[-1])) is not None:
                        todo.append((after, first, end, more))
                    first = end
        return np.array(found, np.int32)

    def read(self, position: Position, places: Ids | range, begun: int = 0) -> list[int]:
        """Those of `places` whose text, but for `begun` characters that were read, fits."""
        texts, after = self.texts, position.after
        return [place for place in places if after(texts[place][begun:]) is not None]

    def made_of(self, chars: Chars) -> Flags:
        """For each place whether it holds these characters only."""
        if chars not in self._flags:
            if len(self._flags) >= KEPT_FLAGS:
                del self._flags[next(iter(self._flags))]
            fits = np.zeros(len(self._characters), np.bool_)
            for low, high in chars.spans:
                fits |= (self._characters >= low) & (self._characters <= high)
            self._flags[chars] = np.logical_and.reduceat(fits, self._starts)
        return self._flags[chars]

    def _parts(self, here: Position, low: int, high: int, begun: str) -> list[tuple[int, int]]:
        """The ranges from `low` to `high` (all begin with `begun`) in which reading may go on."""
        parts: list[tuple[int, int]] = []
        for first, last in sorted({span for chars in here.next_chars for span in chars.spans}):
            start = bisect_left(self.texts, begun + chr(first), low, high)
            low = bisect_left(self.texts, _behind(begun + chr(last)), start, high)
            if start < low:
                parts.append((start, low))
        return parts


def _behind(text: str) -> str:
    """A text that comes behind all that begin with `text`."""
    last = ord(text[-1])
    return text[:-1] + chr(last + 1) if last < MAX_CODE else text + chr(MAX_CODE) * 256
