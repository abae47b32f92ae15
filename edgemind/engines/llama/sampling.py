"""Drawing a token from a row of logits: llama.cpp's sampler chain, and a grammar beside it.

llama.cpp ends the process when a grammar has to accept what it forbids, so nothing is accepted
here that was not checked. Checking a whole vocabulary takes 10 to 20 ms; so the chain draws first,
and only that one token is checked. Where it is refused, the likeliest tokens are checked, and only
if these are too few the rest, along a tree of prefixes: what may not begin cannot go on.
"""

from __future__ import annotations

import codecs
import ctypes
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from edgemind.engines.base import Branch
from edgemind.engines.llama.chain import Logits, measure, new_chain
from edgemind.engines.llama.vocabulary import LlamaVocabulary
from edgemind.engines.prefixes import Ids, Prefixes
from edgemind.engines.sampling import penalised
from edgemind.errors import ConfigError, ModelUnsupported
from edgemind.structure.gbnf import ROOT
from edgemind.structure.grammar import Grammar
from edgemind.types import Token

LIKELY_TOKENS = 1024
KEPT_GRAMMARS = 8


@dataclass(eq=False, slots=True)
class LlamaBranch(Branch):
    """A branch with its sampler chain (made at its first step) and its UTF-8 decoder.

    `grammar` is llama.cpp's state of the sampling's grammar after the first `judged` tokens.
    """

    sampler: Any = None
    grammar: Any = None
    judged: int = 0
    decoder: codecs.IncrementalDecoder = field(
        default_factory=lambda: codecs.getincrementaldecoder("utf-8")("replace")
    )


class LlamaSampler:
    """Makes, uses and frees the samplers of branches. One for each engine, in its thread."""

    def __init__(self, api: Any, vocabulary: LlamaVocabulary) -> None:
        self._api = api
        self._vocabulary = vocabulary
        self._grammars: dict[str, Any] = {}
        layout = [("id", np.int32), ("logit", np.float32), ("p", np.float32)]
        self._candidates = np.zeros(vocabulary.size, layout)
        self._array = api.llama_token_data_array(
            data=self._candidates.ctypes.data_as(api.llama_token_data_p)
        )
        self._one = api.llama_token_data()
        self._one_array = api.llama_token_data_array(data=ctypes.pointer(self._one), size=1)

    def begin(self, branch: LlamaBranch, parent: LlamaBranch | None = None) -> None:
        """Give a new branch its grammar: from its first token on, or from where `parent` is.

        Raises `ConfigError` for a grammar that is none.
        """
        text = branch.sampling.grammar
        if text is None:
            return
        if parent is not None:
            _ = self._prefixes  # made now, since later it would make one step seem slow
        if parent is not None and parent.grammar and parent.sampling.grammar == text:
            branch.grammar = self._api.llama_sampler_clone(parent.grammar)
            branch.judged = parent.judged
        else:
            branch.grammar = self._api.llama_sampler_clone(self._compiled(text))
            branch.judged = len(branch.tokens)

    def draw(self, branch: LlamaBranch, context: Any, row: int) -> Token:
        """Draw the next token of `branch` from the logits of a batch's row, and append it."""
        api, vocabulary = self._api, self._vocabulary
        if branch.sampler is None:
            branch.sampler = new_chain(api, vocabulary.size, branch.sampling, branch.tokens)
        pointer = api.llama_get_logits_ith(context, row)
        logits: Logits = np.ctypeslib.as_array(
            ctypes.cast(pointer, ctypes.POINTER(ctypes.c_float)), shape=(vocabulary.size,)
        )
        if branch.grammar:
            token = self._draw_within(branch, logits, context, row)
        else:
            token = int(api.llama_sampler_sample(branch.sampler, context, row))
        logprob, margin, confidence = measure(logits, token, branch.sampling.confidence)
        branch.tokens.append(token)
        branch.judged = len(branch.tokens)
        end = vocabulary.is_end(token)
        text = branch.decoder.decode(b"" if end else vocabulary.piece(token), final=end)
        return Token(token, text, logprob, margin, confidence, end)

    def drop(self, branch: LlamaBranch) -> None:
        """Free what belongs to a branch."""
        for sampler in (branch.sampler, branch.grammar):
            if sampler:
                self._api.llama_sampler_free(sampler)
        branch.sampler = branch.grammar = None

    def close(self) -> None:
        """Free the compiled grammars."""
        for grammar in self._grammars.values():
            self._api.llama_sampler_free(grammar)
        self._grammars.clear()

    # Grammars

    def _compiled(self, text: str) -> Any:
        """The grammar in its first state, compiled once."""
        if text not in self._grammars:
            Grammar(text)  # llama.cpp would hang or abort on some of what this refuses
            made = self._api.llama_sampler_init_grammar(
                self._vocabulary.pointer, text.encode(), ROOT.encode()
            )
            if not made:
                raise ConfigError("llama.cpp cannot use this grammar: make it smaller or simpler")
            if len(self._grammars) >= KEPT_GRAMMARS:
                oldest = next(iter(self._grammars))
                self._api.llama_sampler_free(self._grammars.pop(oldest))
            self._grammars[text] = made
        return self._grammars[text]

    def _draw_within(self, branch: LlamaBranch, logits: Logits, context: Any, row: int) -> int:
        api = self._api
        if branch.judged < len(branch.tokens):
            self._follow(branch)
        if penalised(branch.sampling):
            # Sampling accepts: a refused token must not be penalised as if it had been said.
            token = self._choose(branch.sampler, None, logits)
        else:
            token = int(api.llama_sampler_sample(branch.sampler, context, row))
        if not (self._permits(branch.grammar, token) and self._is_text(branch, token)):
            candidates = self._candidates_for(branch, logits)
            token = self._choose(branch.sampler, candidates, logits)
            while not self._is_text(branch, token):
                candidates = _some(candidates[candidates != token])
                token = self._choose(branch.sampler, candidates, logits)
        if penalised(branch.sampling):
            api.llama_sampler_accept(branch.sampler, token)
        api.llama_sampler_accept(branch.grammar, token)
        return token

    def _follow(self, branch: LlamaBranch) -> None:
        """Lead the grammar along tokens that were put into the branch's mouth.

        All or none: where they do not fit, they stand outside the structure (a cue for an
        answer), which goes on after them from where it was.
        """
        api = self._api
        followed = api.llama_sampler_clone(branch.grammar)
        for token in branch.tokens[branch.judged :]:
            if not self._permits(followed, token):
                api.llama_sampler_free(followed)
                return
            api.llama_sampler_accept(followed, token)
        api.llama_sampler_free(branch.grammar)
        branch.grammar = followed

    def _candidates_for(self, branch: LlamaBranch, logits: Logits) -> Ids:
        """The allowed tokens, or so many of the likeliest that the chain would drop the rest.

        Top-k comes first in the chain, so the k likeliest allowed tokens decide everything. A
        repetition penalty may move as many tokens down as it looks back upon.
        """
        sampling = branch.sampling
        enough = (sampling.top_k or 0) if (sampling.temperature or 0.0) > 0 else 1
        if enough and penalised(sampling):
            window = sampling.repeat_last_n or 0
            enough += len(branch.tokens) if window < 0 else window
        grammar, tree = branch.grammar, self._prefixes
        roots = self._allowed(grammar, tree.roots)
        if 0 < enough < LIKELY_TOKENS < tree.size(roots):
            likely = np.argpartition(logits, -LIKELY_TOKENS)[-LIKELY_TOKENS:].astype(np.int32)
            found = self._allowed(grammar, likely)
            if found.size >= enough:
                return np.sort(found)
        found = np.sort(tree.below(roots, lambda ids: self._allowed(grammar, ids)))
        return _some(found)

    def _permits(self, grammar: Any, token: int) -> bool:
        """Whether the grammar's state allows one token."""
        self._one.id, self._one.logit = token, 0.0
        self._api.llama_sampler_apply(grammar, ctypes.byref(self._one_array))
        return bool(self._one.logit == 0.0)

    def _is_text(self, branch: LlamaBranch, token: int) -> bool:
        """Whether what a branch said is still UTF-8 with this token, and whole if that ends it.

        Byte by byte llama.cpp takes overlong sequences for the characters that they stand for.
        """
        pending, _ = branch.decoder.getstate()
        if self._vocabulary.is_end(token):
            return not pending
        piece = self._vocabulary.piece(token)
        if not pending and piece.isascii():
            return True
        decoder = codecs.getincrementaldecoder("utf-8")("strict")
        try:
            decoder.decode(pending + piece)
        except UnicodeDecodeError:
            return False
        return True

    def _allowed(self, grammar: Any, ids: Ids) -> Ids:
        """Those of `ids` that the grammar's state allows, in their order."""
        self._fill(ids, 0.0)
        self._api.llama_sampler_apply(grammar, ctypes.byref(self._array))
        allowed: Ids = ids[self._candidates["logit"][: len(ids)] == 0.0]
        return allowed

    def _choose(self, chain: Any, ids: Ids | None, logits: Logits) -> int:
        """What the chain draws from these tokens (None: all); nothing is accepted."""
        if ids is None:
            ids = self._every
        self._fill(ids, logits if ids is self._every else logits[ids])
        self._api.llama_sampler_apply(chain, ctypes.byref(self._array))
        return int(self._candidates["id"][self._array.selected])

    def _fill(self, ids: Ids, logits: Logits | float) -> None:
        self._candidates["id"][: len(ids)] = ids
        self._candidates["logit"][: len(ids)] = logits
        self._array.size, self._array.selected, self._array.sorted = len(ids), -1, False

    @cached_property
    def _every(self) -> Ids:
        return np.arange(self._vocabulary.size, dtype=np.int32)

    @cached_property
    def _prefixes(self) -> Prefixes:
        return Prefixes(self._vocabulary)


def _some(candidates: Ids) -> Ids:
    if not candidates.size:
        raise ModelUnsupported("no token of this model can go on as the grammar asks")
    return candidates
