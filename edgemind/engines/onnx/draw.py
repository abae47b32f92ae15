"""From a batch of logits to one token for each branch."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from edgemind.engines.base import BranchesFailed
from edgemind.engines.onnx.branch import OnnxBranch
from edgemind.engines.onnx.grammars import Grammars
from edgemind.engines.onnx.sampling import (
    Ids,
    Limits,
    Logits,
    Measures,
    candidates,
    first_and_measures,
    largest,
    measure,
    penalise,
    wanted,
)
from edgemind.engines.onnx.vocabulary import OnnxVocabulary
from edgemind.engines.sampling import NO_NUMBERS
from edgemind.errors import ModelError
from edgemind.types import Token


class Sampler:
    """Draws for branches. One for each engine, in its thread."""

    def __init__(self, vocabulary: OnnxVocabulary) -> None:
        self._vocabulary = vocabulary
        self._grammars = Grammars(vocabulary)
        self._limits: Limits | None = None

    def begin(self, branch: OnnxBranch, parent: OnnxBranch | None = None) -> None:
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

    def draw(self, branches: Sequence[OnnxBranch], logits: Logits) -> list[Token]:
        """Draw each branch's next token from its row of `logits` and append it.

        Raises `BranchesFailed` where some have none (a grammar that leads nowhere, numbers that
        are none), `ModelError` where all compute such numbers.
        """
        limits = self._limits_of(branches, logits.shape[1])
        if len(branches) == 1 and limits.plain and branches[0].reading is None:
            return [self._greedy(branches[0], logits[0])]
        failed: dict[int, ModelError] = {}
        peaks = logits.max(axis=1)
        sound = np.isfinite(peaks)
        if not sound.any():
            raise ModelError(NO_NUMBERS)
        if not sound.all():
            error = ModelError(f"{NO_NUMBERS} for one of its answers")
            failed = {int(row): error for row in np.flatnonzero(~sound)}
            logits = np.where(sound[:, None], logits, np.float32(0))
            peaks = np.where(sound, peaks, np.float32(0))
        best = largest(logits, limits.count)
        aimed, order = logits, best
        if limits.penalised:
            aimed = logits.copy()
            for row, branch in zip(aimed, branches, strict=True):
                penalise(row, branch.sampling, branch.tokens)
            order = largest(aimed, limits.count)
        if limits.greedy:
            tokens = order[:, 0].copy()
        else:
            chances = [self._chance(branch) for branch in branches]
            tokens = limits.candidates(aimed, order).draw(chances)
        for row, branch in enumerate(branches):
            if branch.reading is not None and row not in failed:
                try:
                    tokens[row] = self._within(branch, logits[row], int(tokens[row]))
                except ModelError as unable:
                    failed[row] = unable
        measures = measure(logits, tokens, best, peaks, limits.confidence)
        said = self._said(branches, tokens, measures)
        if failed:
            left = [None if row in failed else token for row, token in enumerate(said)]
            raise BranchesFailed(left, next(iter(failed.values())))
        return said

    def _limits_of(self, branches: Sequence[OnnxBranch], size: int) -> Limits:
        """Those of the branches' samplings, made anew where they are not those of the last step."""
        limits, samplings = self._limits, [branch.sampling for branch in branches]
        if limits is None or limits.samplings != samplings:
            self._limits = limits = Limits(samplings, size)
        return limits

    def _chance(self, branch: OnnxBranch) -> float:
        """The next number of a branch's own stream, uniform in [0, 1)."""
        if (branch.sampling.temperature or 0.0) <= 0:
            return 0.0
        if branch.chance is None:
            seed = (branch.sampling.seed or 0) % (1 << 32)
            branch.chance = np.random.Generator(np.random.PCG64(seed))
        return float(branch.chance.random())

    def _within(self, branch: OnnxBranch, logits: Logits, token: int) -> int:
        """`token` if the branch's grammar allows it, else one drawn from what it does allow."""
        reading = branch.reading
        if reading is None:
            return token
        if branch.judged < len(branch.tokens):
            reading = self._grammars.following(reading, branch.tokens[branch.judged :])
        after = self._grammars.after(reading, token)
        if after is None:
            said = len(branch.tokens)
            row = self._grammars.restrict(logits, reading, branch.sampling, said)[None]
            penalise(row[0], branch.sampling, branch.tokens)
            order = largest(row, wanted([branch.sampling], row.shape[1]))
            chosen = candidates(row, [branch.sampling], order).draw([self._chance(branch)])
            token = int(chosen[0])
            after = self._grammars.after(reading, token)
        branch.reading = after
        return token

    def _greedy(self, branch: OnnxBranch, logits: Logits) -> Token:
        token, logprob, margin = first_and_measures(logits)
        if not math.isfinite(logits[token]):
            raise ModelError(NO_NUMBERS)
        return self._spoken(branch, token, logprob, margin, None)

    def _said(self, branches: Sequence[OnnxBranch], tokens: Ids, measures: Measures) -> list[Token]:
        columns = zip(
            branches, tokens.tolist(), measures.logprob.tolist(), measures.margin.tolist(),
            measures.confidence.tolist(), strict=True,
        )  # fmt: skip
        return [
            self._spoken(
                branch, token, logprob, margin, sure if branch.sampling.confidence else None
            )
            for branch, token, logprob, margin, sure in columns
        ]

    def _spoken(
        self, branch: OnnxBranch, token: int, logprob: float, margin: float, sure: float | None
    ) -> Token:
        vocabulary = self._vocabulary
        branch.tokens.append(token)
        branch.judged = len(branch.tokens)
        end = vocabulary.is_end(token)
        text = branch.decoder.decode(b"" if end else vocabulary.piece(token), final=end)
        return Token(token, text, logprob, margin, sure, end)
