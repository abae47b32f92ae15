"""Which tokens a grammar allows next, read character by character, half characters included.

The grammar is followed by our own reader (`edgemind.structure.grammar`). A drawn token is checked
by itself; only where it is refused the likeliest are checked, and the rest only if these do not
suffice, along a tree of prefixes: what may not begin cannot go on.
"""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from edgemind.engines.onnx.sampling import Logits
from edgemind.engines.prefixes import Ids, Pieces, Prefixes
from edgemind.engines.sampling import penalised
from edgemind.errors import ModelUnsupported
from edgemind.structure.grammar import Grammar, Position
from edgemind.types import Sampling

KEPT_GRAMMARS = 8
LIKELY_TOKENS = 1024
"""So many are read first after a refusal."""
SURROGATES = (0xD800, 0xDFFF)
LEAST_OF_LENGTH = (0, 0, 0x80, 0x800, 0x10000)
MAX_CODE = 0x10FFFF


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
    first = rest[0]
    length = 2 if first < 0xE0 else 3 if first < 0xF0 else 4
    value = first & (0x7F >> length)
    for byte in rest[1:]:
        value = value << 6 | byte & 0x3F
    bits = 6 * (length - len(rest))
    low = max(value << bits, LEAST_OF_LENGTH[length])
    high = min((value + 1 << bits) - 1, MAX_CODE)
    before = (low, min(high, SURROGATES[0] - 1))
    behind = (max(low, SURROGATES[1] + 1), high)
    return any(start <= end and position.meets(start, end) for start, end in (before, behind))


class Grammars:
    """The grammars of an engine and what they allow of its vocabulary."""

    def __init__(self, vocabulary: Pieces) -> None:
        self._vocabulary = vocabulary
        self._grammars: dict[str, Reading] = {}

    def start(self, text: str) -> Reading:
        """The beginning of a grammar; `ConfigError` where it is none."""
        if text not in self._grammars:
            reading = Reading(Grammar(text).start())
            if len(self._grammars) >= KEPT_GRAMMARS:
                del self._grammars[next(iter(self._grammars))]
            self._grammars[text] = reading
        return self._grammars[text]

    def prepare(self) -> None:
        """Make the tree of prefixes now, since later it would make one step seem slow."""
        _ = self._prefixes

    @cached_property
    def _prefixes(self) -> Prefixes:
        return Prefixes(self._vocabulary)

    def after(self, reading: Reading, token: int) -> Reading | None:
        """Where a text stands after a token; None where it is refused."""
        if self._vocabulary.is_end(token):
            return reading if reading.may_end else None
        return reading.after(self._vocabulary.piece(token))

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
        found = [token for token in ids.tolist() if self.after(reading, token) is not None]
        return np.array(found, np.int32)

    def restrict(self, logits: Logits, reading: Reading, sampling: Sampling, said: int) -> Logits:
        """A row of logits with everything refused at minus infinity.

        Or so many of the likeliest that top-k would drop the rest: `said` tokens at most may be
        moved down by a penalty. Raises `ModelUnsupported` where no token fits.
        """
        enough = (sampling.top_k or 0) if (sampling.temperature or 0.0) > 0 else 1
        if enough and penalised(sampling):
            window = sampling.repeat_last_n or 0
            enough += said if window < 0 else window
        roots = self.allowed(reading, self._prefixes.roots)
        found = np.empty(0, np.int32)
        if 0 < enough < LIKELY_TOKENS < self._prefixes.size(roots):
            likely = np.argpartition(logits, -LIKELY_TOKENS)[-LIKELY_TOKENS:].astype(np.int32)
            found = self.allowed(reading, likely)
        if not 0 < enough <= found.size:
            found = self._prefixes.below(roots, lambda ids: self.allowed(reading, ids))
        if not found.size:
            raise ModelUnsupported("no token of this model can go on as the grammar asks")
        restricted = np.full_like(logits, -np.inf)
        restricted[found] = logits[found]
        return restricted
