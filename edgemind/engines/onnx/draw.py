"""From a batch of logits to one token for each branch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edgemind.engines.base import BranchesFailed
from edgemind.engines.onnx.branch import OnnxBranch
from edgemind.engines.onnx.grammars import Grammars
from edgemind.engines.onnx.sampling import (
    Ids,
    Logits,
    candidates,
    largest,
    measure,
    penalise,
    wanted,
)
from edgemind.engines.onnx.vocabulary import OnnxVocabulary
from edgemind.engines.sampling import penalised
from edgemind.errors import ModelError
from edgemind.types import Token


class Sampler:
    """Draws for branches. One for each engine, in its thread."""

    def __init__(self, vocabulary: OnnxVocabulary) -> None:
        self._vocabulary = vocabulary
        self._grammars = Grammars(vocabulary)

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
        samplings = [branch.sampling for branch in branches]
        size = logits.shape[1]
        count = wanted(samplings, size)
        failed: dict[int, ModelError] = {}
        sound = np.isfinite(logits.max(axis=1))
        if not sound.any():
            raise ModelError("the model computed numbers that are none")
        if not sound.all():
            error = ModelError("the model computed numbers that are none for one of its answers")
            failed = {int(row): error for row in np.flatnonzero(~sound)}
            logits = np.where(sound[:, None], logits, np.float32(0))
        best = largest(logits, count)
        aimed, order = logits, best
        if any(penalised(sampling) for sampling in samplings):
            aimed = logits.copy()
            for row, branch in zip(aimed, branches, strict=True):
                penalise(row, branch.sampling, branch.tokens)
            order = largest(aimed, count)
        if all((sampling.temperature or 0.0) <= 0 for sampling in samplings):
            tokens = order[:, 0].copy()
        else:
            chances = [self._chance(branch) for branch in branches]
            tokens = candidates(aimed, samplings, order).draw(chances)
        for row, branch in enumerate(branches):
            if branch.reading is not None and row not in failed:
                try:
                    tokens[row] = self._within(branch, logits[row], int(tokens[row]))
                except ModelError as unable:
                    failed[row] = unable
        said = self._said(branches, logits, tokens, best)
        if failed:
            left = [None if row in failed else token for row, token in enumerate(said)]
            raise BranchesFailed(left, next(iter(failed.values())))
        return said

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

    def _said(
        self, branches: Sequence[OnnxBranch], logits: Logits, tokens: Ids, best: Ids
    ) -> list[Token]:
        vocabulary = self._vocabulary
        measures = measure(logits, tokens, best)
        said = []
        for row, branch in enumerate(branches):
            token = int(tokens[row])
            branch.tokens.append(token)
            branch.judged = len(branch.tokens)
            end = vocabulary.is_end(token)
            text = branch.decoder.decode(b"" if end else vocabulary.piece(token), final=end)
            sure = float(measures.confidence[row]) if branch.sampling.confidence else None
            said.append(
                Token(
                    token,
                    text,
                    float(measures.logprob[row]),
                    float(measures.margin[row]),
                    sure,
                    end,
                )
            )
        return said
