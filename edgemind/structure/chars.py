"""The characters that may stand at one place of a grammar."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

MAX_CODE = 0x10FFFF
SURROGATES = (0xD800, 0xDFFF)
"""First and last of the code points that are halves of pairs, and no characters."""
_USUAL = " 0a"
"""What stands for a character that may be any of many."""


@dataclass(frozen=True, slots=True)
class Chars:
    """One character out of `ranges` (inclusive code points), or with `negated` out of none."""

    ranges: tuple[tuple[int, int], ...]
    negated: bool = False

    def matches(self, character: str) -> bool:
        """Whether this character may stand here."""
        code = ord(character)
        for low, high in self.ranges:
            if low <= code <= high:
                return not self.negated
        return self.negated

    @property
    def spans(self) -> tuple[tuple[int, int], ...]:
        """The first and last code point of each unbroken row of characters that may stand here."""
        return _spans(self)

    def example(self) -> str:
        """A character that may stand here, an inconspicuous one if there is a choice."""
        for usual in _USUAL:
            if self.matches(usual):
                return usual
        if not self.negated:
            return chr(self.ranges[0][0])
        return next(c for code in range(33, 0x110000) if self.matches(c := chr(code)))


@lru_cache(4096)
def _spans(chars: Chars) -> tuple[tuple[int, int], ...]:
    spans, low = list(chars.ranges), 0
    if chars.negated:
        spans = []
        for first, last in sorted(chars.ranges):
            spans.append((low, first - 1))
            low = max(low, last + 1)
        spans.append((low, MAX_CODE))
    before, behind = SURROGATES[0] - 1, SURROGATES[1] + 1
    parts = (part for a, b in spans for part in ((a, min(b, before)), (max(a, behind), b)))
    return tuple((low, high) for low, high in parts if low <= high)
