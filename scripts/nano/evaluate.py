"""Accuracy of edgemind-nano per skill and level: greedy, mean of samples, votes, oracle.

    python scripts/nano/evaluate.py --model models/edgemind-nano.gguf --size 2160 --samples 16
    python scripts/nano/evaluate.py --run /tmp/nano/run --size 1440 --samples 8
    python scripts/nano/evaluate.py --onnx models/edgemind-nano-onnx --size 540 --samples 0

--model runs the GGUF file in edgemind's engine, --run a checkpoint of train.py in torch, --onnx an
exported folder in onnxruntime. `checked majority` is the vote in which a sample with false
arithmetic counts a tenth; `oracle` is the share of problems that any sample gets right.
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from make_data import record
from nano_scores import Outcome, markdown, table
from nano_skills import skills_of, trained_on
from problems import LEVELS, Problem, Split, choose, scored_skills, stratified

Answerer = Callable[[Sequence[Problem], float, int, int], list[str]]


def decoded(decoder: Any, tokenizer: Any, top_k: int, min_p: float) -> Answerer:
    """Answers from a `nano_decode.Decoder`."""
    from nano_decode import decode_problems

    def answer(
        problems: Sequence[Problem], temperature: float, samples: int, seed: int
    ) -> list[str]:
        repeated = [problem for problem in problems for _ in range(samples)]
        return decode_problems(decoder, tokenizer, repeated, temperature, top_k, min_p, seed)

    return answer


def answerer(options: argparse.Namespace) -> Answerer:
    """Answers from what the command line names."""
    top_k, min_p = options.top_k, options.min_p
    if options.model:
        from engine_answers import EngineAnswers

        return EngineAnswers(options.model, top_k, min_p, options.threads)
    from tokenizers import Tokenizer

    folder: Path = options.run or options.onnx
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    if options.onnx:
        from onnx_decode import OnnxDecoder

        return decoded(OnnxDecoder(folder, options.file, options.threads), tokenizer, top_k, min_p)
    import torch

    from nano_decode import TorchDecoder
    from nano_model import ModelConfig, NanoModel

    torch.set_num_threads(options.threads)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    saved = torch.load(folder / "checkpoint.pt", weights_only=True, map_location=device)
    model = NanoModel(ModelConfig(**saved["config"])).to(device).eval()
    model.load_state_dict(saved[options.weights])
    return decoded(TorchDecoder(model), tokenizer, top_k, min_p)


def chosen_skills(wanted: Sequence[str], model: Path | None, run: Path | None) -> tuple[str, ...]:
    """The skills asked for, or those that the file or checkpoint says it was trained on."""
    if wanted:
        return choose(wanted)
    if model is not None:
        return skills_of(model)
    if run is None:
        return choose(["all"])
    import torch

    saved = torch.load(run / "checkpoint.pt", weights_only=True, map_location="cpu")
    return trained_on(saved.get("skills"))


def evaluate(
    answer: Answerer, problems: Sequence[Problem], temperature: float, samples: int, seed: int
) -> list[Outcome]:
    """A greedy and `samples` sampled answers of every problem."""
    greedy = answer(problems, 0.0, 1, seed)
    drawn = answer(problems, temperature, samples, seed) if samples else []
    return [
        Outcome(problem, greedy[place], tuple(drawn[place * samples : (place + 1) * samples]))
        for place, problem in enumerate(problems)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description="accuracy of edgemind-nano")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--model", type=Path, help="a GGUF file")
    source.add_argument("--run", type=Path, help="a folder of train.py")
    source.add_argument("--onnx", type=Path, help="a folder of export_onnx.py")
    parser.add_argument("--file", default="model_quantized.onnx", help="which of its models")
    parser.add_argument("--weights", default="average", choices=("average", "model"))
    parser.add_argument("--split", choices=[split.value for split in Split], default="heldout")
    parser.add_argument("--size", type=int, default=360)
    parser.add_argument("--samples", type=int, default=16, help="0: greedy only")
    parser.add_argument("--temperature", type=float, default=0.7)
    parser.add_argument("--top-k", type=int, default=40)
    parser.add_argument("--min-p", type=float, default=0.0)
    parser.add_argument("--skills", nargs="+", default=[], metavar="SKILL",
                        help="names, `first` or `all`; what the model was trained on")  # fmt: skip
    parser.add_argument("--levels", nargs="+", choices=LEVELS, default=list(LEVELS))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", type=Path, help="write the numbers here as well")
    parser.add_argument("--texts", type=Path, help="write every answer here as a JSON line")
    options = parser.parse_args()
    levels = [LEVELS.index(level) for level in options.levels]
    skills = scored_skills(chosen_skills(options.skills, options.model, options.run))
    stream = stratified(Split(options.split), options.seed, skills, levels)
    problems = list(itertools.islice(stream, options.size))
    answer = answerer(options)
    outcomes = evaluate(answer, problems, options.temperature, options.samples, options.seed)
    rows = table(outcomes)
    print(markdown(rows, options.samples))
    print(f"\nrefused though in scope: {rows['all']['refused']} % of {len(problems)} problems")
    if options.texts:
        with options.texts.open("w", encoding="utf-8") as file:
            for outcome in outcomes:
                fields = {**record(outcome.problem), "greedy": outcome.greedy,
                          "samples": outcome.samples}  # fmt: skip
                file.write(json.dumps(fields, ensure_ascii=False) + "\n")
    if options.json:
        fields = {"split": options.split, "seed": options.seed, "size": options.size,
                  "temperature": options.temperature, "top_k": options.top_k,
                  "min_p": options.min_p, "samples": options.samples, "skills": skills,
                  "rows": rows}  # fmt: skip
        options.json.write_text(json.dumps(fields, indent=1) + "\n")


if __name__ == "__main__":
    main()
