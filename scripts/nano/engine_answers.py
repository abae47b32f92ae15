"""Answers from edgemind's own engine, many branches to a step; used by evaluate.py.

Nothing of a router or a vote takes part: this is what the file itself answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from edgemind.chat import ChatTemplate
from edgemind.engines.base import Branch
from edgemind.engines.llama import LlamaEngine
from edgemind.tokenizing import tokenize
from edgemind.types import Message, Sampling
from problems import Problem

MAX_TOKENS = 300
WIDTH = 16


@dataclass(slots=True)
class _Answer:
    """One answer as it grows; `place` is its index in the result."""

    place: int
    branch: Branch
    pieces: list[str] = field(default_factory=list)


class EngineAnswers:
    """Calls answer problems; a whole batch is stepped at once."""

    def __init__(self, model: Path, top_k: int, min_p: float, threads: int | None = None) -> None:
        self._engine = LlamaEngine(model, context=2048, width=WIDTH, threads=threads)
        info = self._engine.info
        self._template = ChatTemplate(
            info.template, bos_text=info.bos_text, eos_text=info.eos_text,
            specials=self._engine.vocabulary.specials,
        )  # fmt: skip
        self._fixed = (top_k, min_p)

    def __call__(
        self, problems: Sequence[Problem], temperature: float, samples: int, seed: int
    ) -> list[str]:
        """`samples` texts for each problem, in order."""
        engine = self._engine
        texts = [""] * (len(problems) * samples)
        waiting = self._begin(problems, temperature, samples, seed)
        live: list[_Answer] = []
        more = True
        while more or live:
            while more and len(live) < WIDTH:
                new = next(waiting, None)
                more = new is not None
                live += [new] if new else []
            if not live:
                break
            for answer, token in zip(
                live, engine.step([answer.branch for answer in live]), strict=True
            ):
                answer.pieces.append(token.text)
                if token.end or len(answer.pieces) >= MAX_TOKENS:
                    texts[answer.place] = "".join(answer.pieces).strip()
                    engine.drop(answer.branch)
            live = [answer for answer in live if answer.branch.alive]
        return texts

    def _begin(
        self, problems: Sequence[Problem], temperature: float, samples: int, seed: int
    ) -> Iterator[_Answer]:
        """Branches in order; a prompt is evaluated once for all its samples."""
        engine = self._engine
        top_k, min_p = self._fixed
        for number, problem in enumerate(problems):
            turns = [
                message
                for ask, reply in problem.history
                for message in (Message("user", ask), Message("assistant", reply))
            ]
            chat = (*turns, Message("user", problem.prompt))
            ids = tokenize(self._template.render(chat), engine.vocabulary)
            plain = Sampling(
                temperature=temperature, top_k=top_k, top_p=1.0, min_p=min_p, repeat_penalty=1.0,
                repeat_last_n=0, seed=seed,
            )  # fmt: skip
            root = engine.prefill(ids, plain)
            for sample in range(samples):
                own = Sampling(
                    temperature=temperature, top_k=top_k, top_p=1.0, min_p=min_p,
                    repeat_penalty=1.0, repeat_last_n=0, seed=seed + 7919 * number + sample,
                )  # fmt: skip
                [branch] = engine.fork(root, [own])
                yield _Answer(number * samples + sample, branch)
            engine.drop(root)

    def close(self) -> None:
        """Free the model."""
        self._engine.close()
