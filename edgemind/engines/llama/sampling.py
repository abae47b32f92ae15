"""Drawing a token from a row of logits: llama.cpp's sampler chain, and a grammar beside it.

The chain draws first, and only that one token is checked; where the grammar refuses it, the chain
draws again from what is allowed. llama.cpp's own grammars are not used: they check a whole
vocabulary in 10 to 20 ms, and end the process when they have to accept what they forbid.
"""

from __future__ import annotations

import codecs
import ctypes
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from edgemind.engines.base import Branch
from edgemind.engines.grammars import Grammars, Reading
from edgemind.engines.llama.chain import SEEN_TOKENS, Logits, Seen, new_chain
from edgemind.engines.llama.vocabulary import LlamaVocabulary
from edgemind.engines.prefixes import Ids
from edgemind.engines.sampling import penalised
from edgemind.engines.trails import Trail
from edgemind.types import Token


@dataclass(eq=False, slots=True)
class LlamaBranch(Branch):
    """A branch with its sampler chain (made at its first step) and its UTF-8 decoder.

    `reading` is its grammar's state after the first `judged` tokens.
    """

    sampler: Any = None
    reading: Reading | None = None
    judged: int = 0
    decoder: codecs.IncrementalDecoder = field(
        default_factory=lambda: codecs.getincrementaldecoder("utf-8")("replace")
    )


class LlamaSampler:
    """Makes, uses and frees the samplers of branches. One for each engine, in its thread."""

    def __init__(self, api: Any, vocabulary: LlamaVocabulary) -> None:
        self._api = api
        self._vocabulary = vocabulary
        self._grammars = Grammars(vocabulary)
        layout = [("id", np.int32), ("logit", np.float32), ("p", np.float32)]
        candidates = np.zeros(vocabulary.size, layout)
        self._ids, self._logits = candidates["id"], candidates["logit"]
        self._array = api.llama_token_data_array(
            data=candidates.ctypes.data_as(api.llama_token_data_p)
        )

    def begin(self, branch: LlamaBranch, parent: LlamaBranch | None = None) -> None:
        """Give a new branch its grammar: from its first token on, or from where `parent` is.

        Raises `ConfigError` for a grammar that is none.
        """
        text = branch.sampling.grammar
        if text is None:
            return
        if parent is not None:
            self._grammars.prepare()
        if parent is not None and parent.reading and parent.sampling.grammar == text:
            branch.reading, branch.judged = parent.reading, parent.judged
        else:
            branch.reading, branch.judged = self._grammars.start(text), len(branch.tokens)

    def look(self, group: Sequence[LlamaBranch], context: Any, row: int) -> Seen:
        """What a batch's row of logits says, for these twins, and whoever comes here later."""
        confidence = any(branch.sampling.confidence for branch in group)
        return Seen.of(self._logits_of(context, row), confidence)

    def _logits_of(self, context: Any, row: int) -> Logits:
        """A row as it lies in llama.cpp's memory, until the next decode."""
        pointer = self._api.llama_get_logits_ith(context, row)
        logits: Logits = np.ctypeslib.as_array(
            ctypes.cast(pointer, ctypes.POINTER(ctypes.c_float)), shape=(self._vocabulary.size,)
        )
        return logits

    def may_follow(self, branch: LlamaBranch, trail: Trail | None) -> bool:
        """Whether what was seen on a trail is all that this branch would draw from."""
        sampling = branch.sampling
        temperature = sampling.temperature or 0.0
        few = temperature <= 0 or (temperature <= 1 and 0 < (sampling.top_k or 0) <= SEEN_TOKENS)
        return (
            trail is not None
            and trail.seen is not None
            and few
            and not (sampling.confidence and trail.seen.confidence is None)
            and branch.reading is None
            and not penalised(sampling)
        )

    def draw(self, branch: LlamaBranch, seen: Seen, context: Any, row: int | None) -> Token:
        """Draw the next token of `branch`, and append it.

        From the logits of a batch's row, or, where that is None, from what was seen of them before.
        """
        api, vocabulary = self._api, self._vocabulary
        if branch.sampler is None:
            branch.sampler = new_chain(api, vocabulary.size, branch.sampling, branch.tokens)
        if row is None:
            token = self._choose(branch.sampler, seen.ids, seen.logits)
            api.llama_sampler_accept(branch.sampler, token)
        elif branch.reading is not None:
            logits = self._logits_of(context, row)
            token = self._draw_within(branch, branch.reading, logits, context, row)
        else:
            token = int(api.llama_sampler_sample(branch.sampler, context, row))
        logprob = seen.logprob(token)
        if logprob is None:
            assert row is not None  # what is drawn from what was seen was seen
            logprob = float(self._logits_of(context, row)[token]) - seen.total
        confidence = seen.confidence if branch.sampling.confidence else None
        branch.tokens.append(token)
        branch.judged = len(branch.tokens)
        end = vocabulary.is_end(token)
        text = branch.decoder.decode(b"" if end else vocabulary.piece(token), final=end)
        return Token(token, text, logprob, seen.margin, confidence, end)

    def drop(self, branch: LlamaBranch) -> None:
        """Free what belongs to a branch."""
        if branch.sampler:
            self._api.llama_sampler_free(branch.sampler)
        branch.sampler = branch.reading = None

    def _draw_within(
        self, branch: LlamaBranch, reading: Reading, logits: Logits, context: Any, row: int
    ) -> int:
        """A token that the branch's grammar allows where the text stands; its reading follows."""
        api, grammars, sampling = self._api, self._grammars, branch.sampling
        if branch.judged < len(branch.tokens):
            reading = grammars.following(reading, branch.tokens[branch.judged :])
        if penalised(sampling):
            # Sampling accepts: a refused token must not be penalised as if it had been said.
            token = self._choose(branch.sampler, self._every, logits)
        else:
            token = int(api.llama_sampler_sample(branch.sampler, context, row))
        after = grammars.after(reading, token)
        if after is None:
            ids = grammars.candidates(logits, reading, sampling, len(branch.tokens))
            token = self._choose(branch.sampler, ids, logits[ids])
            after = grammars.after(reading, token)
        if penalised(sampling):
            api.llama_sampler_accept(branch.sampler, token)
        branch.reading = after
        return token

    def _choose(self, chain: Any, ids: Ids, logits: Logits) -> int:
        """What the chain draws from these tokens, by a logit for each; nothing is accepted."""
        self._fill(ids, logits)
        self._api.llama_sampler_apply(chain, ctypes.byref(self._array))
        return int(self._ids[self._array.selected])

    def _fill(self, ids: Ids, logits: Logits) -> None:
        self._ids[: len(ids)] = ids
        self._logits[: len(ids)] = logits
        self._array.size, self._array.selected, self._array.sorted = len(ids), -1, False

    @cached_property
    def _every(self) -> Ids:
        return np.arange(self._vocabulary.size, dtype=np.int32)
