"""Which tokens a grammar allows next, for all engines alike.

The grammar is followed by our own reader (`edgemind.structure.walk`), half characters included. An
engine draws a token first and has it checked, which costs a look-up where another branch stood at
the same place before. Only where it is refused are others looked at: the likeliest, and if these
are too few all (`edgemind.engines.prefixes`).
"""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt

from edgemind.engines.prefixes import Flags, Ids, Pieces, Prefixes, is_wide, whole_text
from edgemind.engines.sampling import penalised
from edgemind.errors import ModelUnsupported
from edgemind.structure.chars import MAX_CODE, Chars
from edgemind.structure.grammar import Grammar
from edgemind.structure.walk import Position
from edgemind.types import Sampling

KEPT_GRAMMARS = 8
LIKELY_TOKENS = (128, 1024)
"""About so many are read after a refusal, before all are."""
LARGE_VOCABULARY = 8192
"""Of a larger one only so many tokens are sorted to tell which are the likeliest."""
KEPT_TOKENS = 4096
"""Up to so many allowed tokens are remembered with a place,"""
TOKENS_OF_WEIGHT = 25
"""and so many of them weigh as much as a step."""
MOST_KINDS = 4
"""For more kinds of characters it is not looked up at one place which tokens hold no others."""
LEAST_OF_LENGTH = (0, 0, 0x80, 0x800, 0x10000)
INNER_BYTES = frozenset(range(0x80, 0xC0))

Logits = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Reading:
    """Where a text stands in a grammar, and the bytes of a character that is not whole yet."""

    position: Position
    pending: bytes = b""

    def after(self, piece: bytes) -> Reading | None:
        """Where it stands after a token's bytes; None where they do not fit.

        Nothing at all would change nothing for ever, and a NUL is no text.
        """
        if not piece or 0 in piece:
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
    length = 2 if first < 0xE0 else 3 if first < 0xF0 else 4
    value = first & (0x7F >> length)
    for byte in rest[1:]:
        value = value << 6 | byte & 0x3F
    bits = 6 * (length - len(rest))
    low = max(value << bits, LEAST_OF_LENGTH[length])
    high = min((value + 1 << bits) - 1, MAX_CODE)
    return any(start <= high and end >= low for start, end in chars.spans)


@lru_cache(4096)
def _first_bytes(chars: Chars) -> frozenset[int]:
    """The bytes with which some of these characters begin."""
    return frozenset(
        byte
        for low, high in chars.spans  # UTF-8 keeps the order of characters
        for byte in range(chr(low).encode()[0], chr(high).encode()[0] + 1)
    )


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
        """Put the vocabulary in order now, since later it would make one step seem slow."""
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
        """The text of a token that ends no generation; empty where that is none."""
        if (known := self._texts.get(token)) is not None:
            return known
        text = self._texts[token] = whole_text(self._vocabulary.piece(token))
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
        found = self._likely(logits, reading, enough)
        if found is None:
            found = self._all(reading)
            if found.size <= KEPT_TOKENS:
                notes[key] = found
                reading.position.noted(1 + found.size // TOKENS_OF_WEIGHT)
        if not found.size:
            raise ModelUnsupported("no token of this model can go on as the grammar asks")
        return found

    def _likely(self, logits: Logits, reading: Reading, enough: int) -> Ids | None:
        """At least `enough` of the likeliest that may come next; None if all must be looked at.

        That is quick enough where few characters may come next.
        """
        if reading.pending or not self._kinds(reading.position):
            return None
        size = sum(stop - start for start, stop in self._prefixes.beginning(reading.position))
        for count in LIKELY_TOKENS:
            if 0 < enough < count < size:
                likely = _likeliest(logits, count)
                sure = self._sure(reading.position, likely)
                found = np.concatenate([likely[sure], self.allowed(reading, likely[~sure])])
                if found.size >= enough:
                    return np.sort(found)
        return None

    def _all(self, reading: Reading) -> Ids:
        """All tokens that may come next."""
        order, position = self._prefixes, reading.position
        if reading.pending:
            return np.sort(self.allowed(reading, order.broken_after(INNER_BYTES)))
        firsts = frozenset[int]().union(*map(_first_bytes, position.next_chars))
        parts = [order.ids[self._places(position)]]
        if (broken := order.broken_after(firsts)).size:
            parts.append(self.allowed(reading, broken))
        if reading.may_end:
            parts.append(order.ends)
        return np.sort(np.concatenate(parts))

    def _places(self, position: Position) -> Ids:
        """The places of all whole texts that may come next."""
        order = self._prefixes
        if self._kinds(position):
            ranges = order.beginning(position)
            starting = np.concatenate([order.ids[:0], *(np.arange(*ends) for ends in ranges)])
            sure = self._sure(position, order.ids[starting])
            if 2 * np.count_nonzero(sure) > sure.size:
                rest = order.read(position, starting[~sure].tolist())
                return np.concatenate([starting[sure], np.array(rest, np.int32)])
        return order.fitting(position)

    def _sure(self, position: Position, ids: Ids) -> Flags:
        """For each of `ids` whether it is known at once that it may come next.

        That is what holds but one kind of characters, and no more than may follow one another.
        """
        order = self._prefixes
        places = order.places[ids]
        found = np.zeros(ids.size, np.bool_)
        for chars, length in self._kinds(position):
            found |= order.made_of(chars)[places] & (order.lengths[places] <= length)
        return found & (places >= 0)

    def _kinds(self, position: Position) -> list[tuple[Chars, int]]:
        """Kinds of many characters that may come next, and how many of each may at least."""
        if "kinds" not in position.notes:
            wide = [chars for chars in dict.fromkeys(position.next_chars) if is_wide(chars)]
            found = [(chars, position.run(chars)) for chars in wide[:MOST_KINDS]]
            position.notes["kinds"] = found
            position.noted()
        kinds: list[tuple[Chars, int]] = position.notes["kinds"]
        return kinds


def _likeliest(logits: Logits, count: int) -> Ids:
    """About `count` tokens, none of them less likely than one that is left out."""
    stride = max(1, logits.size // LARGE_VOCABULARY)
    some = logits[::stride]
    rank = max(1, count // stride)
    return np.flatnonzero(logits >= np.partition(some, -rank)[-rank]).astype(np.int32)
