"""Do the two exports say the same? Greedy answers of GGUF and ONNX, token for token.

    python scripts/nano/check_exports.py --from models/edgemind-nano.gguf

Writes float32 exports of the same weights (of a run's folder, or of a GGUF file) to a temporary
folder, answers held-out problems greedily in llama.cpp (keys and values in float32) and in
onnxruntime, and compares. Needs the `train` extra and edgemind installed.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from export_gguf import export_gguf
from export_onnx import FILES, export_onnx
from nano_decode import decode, prompt_ids
from nano_skills import skills_of
from nano_tokenizer import TURN_END, special_id
from onnx_decode import OnnxDecoder
from problems import Problem, Split, scored_skills, stratified

LIMIT = 300
CONTEXT = 2048


def llama_answers(path: Path, tokenizer: Tokenizer, prompts: Sequence[Sequence[int]]) -> list[str]:
    """Greedy answers of llama.cpp, one prompt after another, with a float32 cache."""
    import llama_cpp

    model: Any = llama_cpp.Llama(
        str(path), n_ctx=CONTEXT, n_threads=1, verbose=False,
        type_k=llama_cpp.GGML_TYPE_F32, type_v=llama_cpp.GGML_TYPE_F32,
    )  # fmt: skip
    stop = special_id(tokenizer, TURN_END)
    texts = []
    for prompt in prompts:
        answer: list[int] = []
        model.reset()
        for token in model.generate(list(prompt), temp=0.0, repeat_penalty=1.0):
            if token == stop or len(answer) >= LIMIT:
                break
            answer.append(token)
        texts.append(tokenizer.decode(answer, skip_special_tokens=False))
    return texts


def compare(source: Path, problems: Sequence[Problem]) -> list[tuple[Problem, str, str]]:
    """The problems that the float exports answer differently, with both answers."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        export_gguf(source, folder / "float.gguf", "f32")
        export_onnx(source, folder / "onnx", "f32")
        tokenizer = Tokenizer.from_file(str(folder / "onnx" / "tokenizer.json"))
        prompts = [prompt_ids(tokenizer, problem) for problem in problems]
        first = llama_answers(folder / "float.gguf", tokenizer, prompts)
        decoder = OnnxDecoder(folder / "onnx", FILES["f32"], threads=1)
        second = [decode(decoder, tokenizer, [prompt], limit=LIMIT)[0] for prompt in prompts]
    return [
        (problem, one, two)
        for problem, one, two in zip(problems, first, second, strict=True)
        if one != two
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description="GGUF and ONNX, greedy, token for token")
    parser.add_argument("--from", dest="source", type=Path, required=True)
    parser.add_argument("--size", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    skills = scored_skills(skills_of(options.source) if options.source.is_file() else None)
    stream = stratified(Split.HELD_OUT, options.seed, skills)
    # One problem of each skill before the second of any.
    problems = list(itertools.islice(stream, options.size))
    different = compare(options.source, problems)
    for problem, one, two in different:
        print(f"{problem.prompt!r}\n  GGUF: {one!r}\n  ONNX: {two!r}")
    print(f"{len(problems) - len(different)} of {len(problems)} greedy answers identical")
    sys.exit(bool(different))


if __name__ == "__main__":
    main()
