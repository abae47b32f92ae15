"""Which tokens a grammar allows next: one way for all engines, character by character.

The grammar is followed by our own reader (`edgemind.structure.walk`), half characters included. An
engine draws a token first and has it checked, which costs a look-up where another branch stood at
the same place before. Only where it is refused are others looked at: all that begin with a byte
that may come next, along a tree of prefixes (what may not begin cannot go on), or where these are
too many the likeliest.
"""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt

from edgemind.engines.prefixes import Ids, Pieces, Prefixes
from edgemind.engines.sampling import penalised
from edgemind.errors import ModelUnsupported
from edgemind.structure.gbnf import Chars
from edgemind.structure.grammar import Grammar
from edgemind.structure.walk import Position
from edgemind.types import Sampling

KEPT_GRAMMARS = 8
LIKELY_TOKENS = (64, 1024)
"""So many are read after a refusal, before all are."""
KEPT_TOKENS = 256
"""Up to so many allowed tokens are remembered with a place."""
SURROGATES = (0xD800, 0xDFFF)
LEAST_OF_LENGTH = (0, 0, 0x80, 0x800, 0x10000)
MAX_CODE = 0x10FFFF
FIRST_BYTES = (*range(0x80), *range(0xC2, 0xF5))
INNER_BYTES = range(0x80, 0xC0)

Logits = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Reading:
    """Where a text stands in a grammar, and the bytes of a character that is not whole yet."""

    position: Position
    pending: bytes = b""

    def after(self, piece: bytes) -> Reading | None:
        """Where it stands after a token's bytes; None where they do not fit."""
        if not piece:
            return None
        decoder = codecs.getincrementaldecoder("utf-8")("strict")
        try:
            text = decoder.decode(self.pending + piece)
        except UnicodeDecodeError:
            return None
        position = self.position.after(text)
        rest, _ = decoder.getstate()
        if position is None or (rest and not _may_begin(position, rest)):
            return None
        return Reading(position, rest)

    @property
    def may_end(self) -> bool:
        """Whether a generation may end here."""
        return not self.pending and self.position.may_end


def _may_begin(position: Position, rest: bytes) -> bool:
    """Whether some character whose UTF-8 begins with `rest` fits."""
    return any(_begins(chars, rest) for chars in position.next_chars)


def _begins(chars: Chars, rest: bytes) -> bool:
    first = rest[0]
    length = 1 if first < 0x80 else 2 if first < 0xE0 else 3 if first < 0xF0 else 4
    value = first if length == 1 else first & (0x7F >> length)
    for byte in rest[1:]:
        value = value << 6 | byte & 0x3F
    bits = 6 * (length - len(rest))
    low = max(value << bits, LEAST_OF_LENGTH[length])
    high = min((value + 1 << bits) - 1, MAX_CODE)
    before = (low, min(high, SURROGATES[0] - 1))
    behind = (max(low, SURROGATES[1] + 1), high)
    return any(start <= end and chars.meets(start, end) for start, end in (before, behind))


@lru_cache(4096)
def _first_bytes(chars: Chars) -> frozenset[int]:
    """The bytes with which some of these characters begin."""
    return frozenset(byte for byte in FIRST_BYTES if _begins(chars, bytes([byte])))


class Grammars:
    """The grammars of an engine and what they allow of its vocabulary."""

    def __init__(self, vocabulary: Pieces) -> None:
        self._vocabulary = vocabulary
        self._grammars: dict[str, tuple[Grammar, Reading]] = {}
        self._texts: dict[int, str] = {}

    def start(self, text: str) -> Reading:
        """The beginning of a grammar; `ConfigError` where it is none."""
        grammar, reading = self._grammars.get(text, (None, None))
        if grammar is None or reading is None or reading.position.worn:
            grammar = grammar or Grammar(text)
            reading = Reading(grammar.start())
            if text not in self._grammars and len(self._grammars) >= KEPT_GRAMMARS:
                del self._grammars[next(iter(self._grammars))]
            self._grammars[text] = grammar, reading
        return reading

    def prepare(self) -> None:
        """Make the tree of prefixes now, since later it would make one step seem slow."""
        _ = self._prefixes

    @cached_property
    def _prefixes(self) -> Prefixes:
        return Prefixes(self._vocabulary)

    def after(self, reading: Reading, token: int) -> Reading | None:
        """Where a text stands after a token; None where it is refused."""
        notes = reading.position.notes
        key = (reading.pending, token) if reading.pending else token
        if key in notes:
            found: Reading | None = notes[key]
            return found
        found = notes[key] = self._judged(reading, token)
        reading.position.noted()
        return found

    def _judged(self, reading: Reading, token: int) -> Reading | None:
        if self._vocabulary.is_end(token):
            return reading if reading.may_end else None
        if not reading.pending and (text := self._text(token)):
            position = reading.position.after(text)
            return Reading(position) if position else None
        return reading.after(self._vocabulary.piece(token))

    def _text(self, token: int) -> str:
        """The text of a token that ends no generation; empty where it is not whole characters."""
        if (known := self._texts.get(token)) is not None:
            return known
        try:
            text = self._vocabulary.piece(token).decode()
        except UnicodeDecodeError:
            text = ""
        self._texts[token] = text
        return text

    def following(self, reading: Reading, tokens: Sequence[int]) -> Reading:
        """Where a text stands after tokens that were put into a mouth.

        All or none: where they do not fit, they stand outside the structure (a cue for an
        answer), which goes on after them from where it was.
        """
        followed: Reading | None = reading
        for token in tokens:
            followed = self.after(followed, token) if followed else None
        return followed or reading

    def allowed(self, reading: Reading, ids: Ids) -> Ids:
        """Those of `ids` that may come next, in their order."""
        found = [token for token in ids.tolist() if self._judged(reading, token) is not None]
        return np.array(found, np.int32)

    def candidates(self, logits: Logits, reading: Reading, sampling: Sampling, said: int) -> Ids:
        """The tokens that may come next, in the order of their ids.

        Or so many of the likeliest that top-k would drop the rest: `said` tokens at most may be
        moved down by a penalty. Raises `ModelUnsupported` where no token fits.
        """
        notes = reading.position.notes
        key = ("allowed", reading.pending)
        if key in notes:
            known: Ids = notes[key]
            return known
        enough = (sampling.top_k or 0) if (sampling.temperature or 0.0) > 0 else 1
        if enough and penalised(sampling):
            window = sampling.repeat_last_n or 0
            enough += said if window < 0 else window
        roots = self._roots(reading)
        size = self._prefixes.size(roots)
        for count in LIKELY_TOKENS:
            if 0 < enough < count < size:
                likely = np.argpartition(logits, -count)[-count:].astype(np.int32)
                found = self.allowed(reading, likely)
                if found.size >= enough:
                    return np.sort(found)
        roots = self.allowed(reading, roots)
        found = np.sort(self._prefixes.below(roots, lambda ids: self.allowed(reading, ids)))
        if not found.size:
            raise ModelUnsupported("no token of this model can go on as the grammar asks")
        if found.size <= KEPT_TOKENS:
            notes[key] = found
            reading.position.noted()
        return found

    def _roots(self, reading: Reading) -> Ids:
        """The tree's roots that may come next by their first byte."""
        tree = self._prefixes
        if reading.pending:
            return np.concatenate([tree.rooted[byte] for byte in INNER_BYTES])
        firsts = frozenset[int]().union(*map(_first_bytes, reading.position.next_chars))
        parts = [tree.rooted[byte] for byte in sorted(firsts)]
        return np.concatenate([*parts, tree.ends] if reading.may_end else parts or [tree.ends[:0]])
