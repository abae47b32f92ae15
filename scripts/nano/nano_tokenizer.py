"""The tokenizer of edgemind-nano: byte-level BPE with single digits, and the chat format.

Reached from every script here; run as a program it trains the tokenizer on generated problems:

    python scripts/nano/nano_tokenizer.py --out /tmp/nano/tokenizer.json
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from random import Random

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from problems import Problem, Split, choose, mixture, weigh

END_OF_TEXT = "<|endoftext|>"
TURN_START = "<|im_start|>"
TURN_END = "<|im_end|>"
SPECIALS = (END_OF_TEXT, TURN_START, TURN_END)

# The chat format, rendered by llama.cpp and by `encode_chat` alike.
CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)

# English beyond arithmetic, so that small talk and system prompts do not fall apart into bytes.
_EXTRA = """You are a helpful assistant. Think step by step. Answer the question. Solve the problem.
Put the final answer after ####. Please reason step by step and give the final answer on the last
line. The user asks. Explain your reasoning. Use only numbers. Be brief. math question answer
assistant user system model arithmetic calculate check verify carefully result exactly"""


def _corpus(seed: int, count: int, weights: Mapping[str, float] | None) -> Iterator[str]:
    rng = Random(seed)
    for _ in range(count):
        problem = mixture(rng, Split.TRAIN, weights=weights)
        yield problem.prompt
        yield problem.solution
    for _ in range(count // 100):
        yield _EXTRA


def _bare(model: models.BPE) -> Tokenizer:
    """A tokenizer around `model`, split as what llama.cpp calls `smollm`."""
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def assemble(vocabulary: dict[str, int], merges: list[tuple[str, str]]) -> Tokenizer:
    """The tokenizer of a finished vocabulary, equal to the one that was trained."""
    tokenizer = _bare(models.BPE(vocabulary, merges))
    tokenizer.add_special_tokens(list(SPECIALS))
    return tokenizer


def train_tokenizer(
    vocabulary: int,
    seed: int = 1,
    problems: int = 20000,
    weights: Mapping[str, float] | None = None,
) -> Tokenizer:
    """Train a tokenizer on problems of all skills, or of those in `weights`.

    The special tokens get the ids 0, 1 and 2.
    """
    tokenizer = _bare(models.BPE())
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=list(SPECIALS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_corpus(seed, problems, weights), trainer)
    return tokenizer


def special_id(tokenizer: Tokenizer, text: str) -> int:
    """The id of a special token."""
    found = tokenizer.token_to_id(text)
    if found is None:
        raise ValueError(f"the tokenizer lacks {text}")
    return int(found)


def encode_chat(
    tokenizer: Tokenizer, turns: Sequence[tuple[str, str]], generate: bool = False
) -> tuple[list[int], list[bool]]:
    """Token ids of (role, content) turns and a mask of what the model must produce.

    With `generate` the ids end where the assistant's answer begins.
    """
    start, end = special_id(tokenizer, TURN_START), special_id(tokenizer, TURN_END)
    ids: list[int] = []
    wanted: list[bool] = []
    newline = tokenizer.encode("\n").ids
    for role, content in turns:
        head = [start, *tokenizer.encode(role + "\n").ids]
        body = [*tokenizer.encode(content).ids, end]
        produced = role == "assistant"
        ids += [*head, *body, *newline]
        wanted += [False] * len(head) + [produced] * len(body) + [False] * len(newline)
    if generate:
        ids += [start, *tokenizer.encode("assistant\n").ids]
        wanted += [False] * (len(ids) - len(wanted))
    return ids, wanted


def turns_of(problem: Problem, solved: bool) -> list[tuple[str, str]]:
    """The chat of a problem, with its solution as the last turn if `solved`."""
    turns = [
        pair for ask, reply in problem.history for pair in (("user", ask), ("assistant", reply))
    ]
    turns.append(("user", problem.prompt))
    if solved:
        turns.append(("assistant", problem.solution))
    return turns


def main() -> None:
    parser = argparse.ArgumentParser(description="train the tokenizer on generated problems")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--vocabulary", type=int, default=1536)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--problems", type=int, default=20000)
    parser.add_argument("--skills", nargs="+", default=["all"], metavar="SKILL")
    options = parser.parse_args()
    weights = weigh(choose(options.skills))
    tokenizer = train_tokenizer(options.vocabulary, options.seed, options.problems, weights)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(options.out))
    print(f"{options.out}: {tokenizer.get_vocab_size()} tokens")


if __name__ == "__main__":
    main()
