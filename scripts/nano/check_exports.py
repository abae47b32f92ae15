"""Do the two engines say the same? Greedy answers of GGUF and ONNX, token for token.

    python scripts/nano/check_exports.py --from models/edgemind-nano.gguf

Writes float32 exports of the same weights (of a run's folder, or of a GGUF file) to a temporary
folder, answers held-out problems greedily with edgemind's GGUF engine (keys and values in
float32) and its ONNX engine, and compares tokens and log-probabilities. Needs the `train` extra
and edgemind installed.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer

from edgemind.engines.base import Engine
from edgemind.engines.llama import LlamaEngine
from edgemind.engines.onnx import OnnxEngine
from edgemind.types import Sampling, Token
from export_gguf import export_gguf
from export_onnx import export_onnx
from nano_decode import prompt_ids
from nano_skills import skills_of
from problems import Problem, Split, scored_skills, stratified

LIMIT = 300
CONTEXT = 2048
GREEDY = Sampling(temperature=0.0, repeat_penalty=1.0)


@dataclass(frozen=True, slots=True)
class Pair:
    """What the two engines answered to one problem."""

    problem: Problem
    gguf: tuple[Token, ...]
    onnx: tuple[Token, ...]

    @property
    def same(self) -> bool:
        """Whether the tokens are identical."""
        return [token.id for token in self.gguf] == [token.id for token in self.onnx]

    @property
    def gap(self) -> float:
        """The largest difference of log-probabilities, up to the first other token."""
        both = itertools.takewhile(
            lambda pair: pair[0].id == pair[1].id, zip(self.gguf, self.onnx, strict=False)
        )
        return max((abs(one.logprob - two.logprob) for one, two in both), default=0.0)


def answer(engine: Engine, prompt: Sequence[int]) -> tuple[Token, ...]:
    """The greedy tokens after a prompt, its end token last."""
    branch = engine.prefill(prompt, GREEDY)
    said: list[Token] = []
    while len(said) < LIMIT and not (said and said[-1].end):
        said += engine.step([branch])
    engine.drop(branch)
    return tuple(said)


def compare(source: Path, problems: Sequence[Problem]) -> list[Pair]:
    """What the float exports of `source` answer, problem by problem."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        export_gguf(source, folder / "float.gguf", "f32")
        export_onnx(source, folder / "onnx", "f32")
        tokenizer = Tokenizer.from_file(str(folder / "onnx" / "tokenizer.json"))
        prompts = [prompt_ids(tokenizer, problem) for problem in problems]
        answers: list[list[tuple[Token, ...]]] = []
        for kind in (LlamaEngine, OnnxEngine):
            engine: Engine
            if kind is LlamaEngine:
                engine = LlamaEngine(
                    folder / "float.gguf", context=CONTEXT, width=1, threads=1, exact=True
                )
            else:
                engine = OnnxEngine(folder / "onnx", context=CONTEXT, width=1, threads=1)
            answers.append([answer(engine, prompt) for prompt in prompts])
            engine.close()
    return [Pair(*row) for row in zip(problems, *answers, strict=True)]


def main() -> None:
    parser = argparse.ArgumentParser(description="GGUF and ONNX, greedy, token for token")
    parser.add_argument("--from", dest="source", type=Path, required=True)
    parser.add_argument("--size", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    skills = scored_skills(skills_of(options.source) if options.source.is_file() else None)
    stream = stratified(Split.HELD_OUT, options.seed, skills)
    # One problem of each skill before the second of any.
    pairs = compare(options.source, list(itertools.islice(stream, options.size)))
    different = [pair for pair in pairs if not pair.same]
    for pair in different:
        one, two = ("".join(t.text for t in said) for said in (pair.gguf, pair.onnx))
        print(f"{pair.problem.prompt!r}\n  GGUF: {one!r}\n  ONNX: {two!r}")
    tokens = sum(len(pair.gguf) for pair in pairs)
    print(
        f"{len(pairs) - len(different)} of {len(pairs)} greedy answers identical, {tokens} tokens; "
        f"log-probabilities differ by at most {max(pair.gap for pair in pairs):.1e}"
    )
    sys.exit(bool(different))


if __name__ == "__main__":
    main()
