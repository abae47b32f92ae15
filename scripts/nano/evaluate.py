"""Accuracy of edgemind-nano per skill and level: greedy, mean of samples, majority vote.

    python scripts/nano/evaluate.py --model models/edgemind-nano.gguf --size 360
    python scripts/nano/evaluate.py --run /tmp/nano/run --size 1440 --samples 8

--model runs the GGUF file in llama.cpp, one answer after another; --run decodes a checkpoint of
train.py in batches, which is much faster. Intervals are 95 %: Wilson's for shares, a bootstrap
over problems for means and differences.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from nano_answer import answer_of
from problems import LEVELS, Problem, Split, stratified

Answerer = Callable[[Sequence[Problem], float, int, int], list[str]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one problem brought: greedy right, each sample right, the majority right."""

    problem: Problem
    greedy: bool
    samples: tuple[bool, ...]
    majority: bool
    distinct: int


def majority(answers: Sequence[str | None]) -> str | None:
    """The most frequent answer, the earliest among equals; unread answers do not vote."""
    votes = Counter(answer for answer in answers if answer is not None)
    return votes.most_common(1)[0][0] if votes else None


def wilson(right: int, count: int) -> tuple[float, float]:
    """95 % interval of a share."""
    if not count:
        return 0.0, 1.0
    z, share = 1.96, right / count
    centre = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count**2))
    half /= 1 + z * z / count
    return centre - half, centre + half


def bootstrap(values: Sequence[float], seed: int = 0, rounds: int = 1000) -> tuple[float, float]:
    """95 % interval of a mean over problems."""
    rng = Random(seed)
    means = sorted(sum(rng.choices(values, k=len(values))) / len(values) for _ in range(rounds))
    return means[int(0.025 * rounds)], means[int(0.975 * rounds) - 1]


def messages_of(problem: Problem) -> list[dict[str, str]]:
    """The chat as llama.cpp's template takes it."""
    turns = [m for ask, reply in problem.history for m in (("user", ask), ("assistant", reply))]
    turns.append(("user", problem.prompt))
    return [{"role": role, "content": content} for role, content in turns]


def gguf_answerer(path: Path, top_k: int, min_p: float, threads: int) -> Answerer:
    """Answers from llama.cpp."""
    from llama_cpp import Llama

    model: Any = Llama(str(path), n_ctx=2048, n_threads=threads, verbose=False)

    def answer(
        problems: Sequence[Problem], temperature: float, samples: int, seed: int
    ) -> list[str]:
        texts = []
        for number, (problem, sample) in enumerate(itertools.product(problems, range(samples))):
            reply = model.create_chat_completion(
                messages_of(problem), temperature=temperature, top_k=top_k or 0, top_p=1.0,
                min_p=min_p, repeat_penalty=1.0, max_tokens=300, seed=seed + 7919 * number + sample,
            )  # fmt: skip
            texts.append(reply["choices"][0]["message"]["content"] or "")
        return texts

    return answer


def torch_answerer(run: Path, weights: str, top_k: int, min_p: float, threads: int) -> Answerer:
    """Answers from a checkpoint, in batches."""
    import torch
    from tokenizers import Tokenizer

    from nano_decode import decode_problems
    from nano_model import ModelConfig, NanoModel

    torch.set_num_threads(threads)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    saved = torch.load(run / "checkpoint.pt", weights_only=True, map_location=device)
    model = NanoModel(ModelConfig(**saved["config"])).to(device).eval()
    model.load_state_dict(saved[weights])
    tokenizer = Tokenizer.from_file(str(run / "tokenizer.json"))

    def answer(
        problems: Sequence[Problem], temperature: float, samples: int, seed: int
    ) -> list[str]:
        repeated = [problem for problem in problems for _ in range(samples)]
        return decode_problems(model, tokenizer, repeated, temperature, top_k, min_p, seed)

    return answer


def evaluate(
    answer: Answerer, problems: Sequence[Problem], temperature: float, samples: int, seed: int
) -> list[Outcome]:
    """Greedy and `samples` sampled answers of every problem, marked."""
    greedy = answer(problems, 0.0, 1, seed)
    drawn = answer(problems, temperature, samples, seed) if samples else []
    outcomes = []
    for place, problem in enumerate(problems):
        texts = drawn[place * samples : (place + 1) * samples]
        answers = [answer_of(text) for text in texts]
        outcomes.append(
            Outcome(
                problem,
                answer_of(greedy[place]) == problem.answer,
                tuple(given == problem.answer for given in answers),
                majority(answers) == problem.answer,
                len(set(answers)),
            )
        )
    return outcomes


def summary(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Percentages with intervals of one group of problems."""

    def share(flags: Sequence[bool]) -> list[float]:
        low, high = wilson(sum(flags), len(flags))
        return [round(100 * x, 1) for x in (sum(flags) / len(flags), low, high)]

    row: dict[str, Any] = {"problems": len(outcomes), "greedy": share([o.greedy for o in outcomes])}
    if outcomes and outcomes[0].samples:
        means = [sum(o.samples) / len(o.samples) for o in outcomes]
        gains = [float(o.majority) - float(o.greedy) for o in outcomes]
        for name, values in (("mean", means), ("gain", gains)):
            interval = bootstrap(values)
            numbers = (sum(values) / len(values), *interval)
            row[name] = [round(100 * x, 1) for x in numbers]
        row["majority"] = share([o.majority for o in outcomes])
        row["distinct"] = round(sum(o.distinct for o in outcomes) / len(outcomes), 2)
    return row


def table(outcomes: Sequence[Outcome]) -> dict[str, dict[str, Any]]:
    """Summaries of all, of each level, of each skill and of each pair."""
    groups: dict[str, list[Outcome]] = {"all": list(outcomes)}
    for outcome in outcomes:
        level, skill = outcome.problem.level, outcome.problem.skill
        for key in (level, skill, f"{skill}/{level}"):
            groups.setdefault(key, []).append(outcome)
    order = ["all", *[level for level in LEVELS if level in groups]]
    order += sorted(key for key in groups if key not in order)
    return {key: summary(groups[key]) for key in order}


def markdown(rows: dict[str, dict[str, Any]], samples: int) -> str:
    """The table of the model card."""

    def cell(numbers: Sequence[float] | None) -> str:
        if numbers is None:
            return "–"
        return f"{numbers[0]:.1f} ({numbers[1]:.1f} … {numbers[2]:.1f})"

    lines = [
        f"| group | problems | greedy % | mean of {samples} % | majority of {samples} % "
        "| majority − greedy | distinct answers |",
        "|---|---|---|---|---|---|---|",
    ]
    for key, row in rows.items():
        cells = [cell(row.get(name)) for name in ("greedy", "mean", "majority", "gain")]
        tail = f"{row.get('distinct', '–')}"
        lines.append(f"| {key} | {row['problems']} | {' | '.join(cells)} | {tail} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description="accuracy of edgemind-nano")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--model", type=Path, help="a GGUF file")
    source.add_argument("--run", type=Path, help="a folder of train.py")
    parser.add_argument("--weights", default="average", choices=("average", "model"))
    parser.add_argument("--split", choices=[split.value for split in Split], default="heldout")
    parser.add_argument("--size", type=int, default=360)
    parser.add_argument("--samples", type=int, default=8, help="0: greedy only")
    parser.add_argument("--temperature", type=float, default=0.8)
    parser.add_argument("--top-k", type=int, default=40)
    parser.add_argument("--min-p", type=float, default=0.0)
    parser.add_argument("--skills", nargs="+", default=[])
    parser.add_argument("--levels", nargs="+", choices=LEVELS, default=list(LEVELS))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", type=Path, help="write the numbers here as well")
    options = parser.parse_args()
    levels = [LEVELS.index(level) for level in options.levels]
    stream = stratified(Split(options.split), options.seed, options.skills, levels)
    problems = list(itertools.islice(stream, options.size))
    if options.model:
        answer = gguf_answerer(options.model, options.top_k, options.min_p, options.threads)
    else:
        answer = torch_answerer(
            options.run, options.weights, options.top_k, options.min_p, options.threads
        )
    outcomes = evaluate(answer, problems, options.temperature, options.samples, options.seed)
    rows = table(outcomes)
    print(markdown(rows, options.samples))
    if options.json:
        fields = {"split": options.split, "seed": options.seed, "size": options.size,
                  "temperature": options.temperature, "top_k": options.top_k,
                  "min_p": options.min_p, "samples": options.samples, "rows": rows}  # fmt: skip
        options.json.write_text(json.dumps(fields, indent=1) + "\n")


if __name__ == "__main__":
    main()
