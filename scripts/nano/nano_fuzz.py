"""Compare the tokenizer in a GGUF file, as llama.cpp reads it, with the `tokenizers` library.

    python scripts/nano/nano_fuzz.py --tokenizer run/tokenizer.json --model edgemind-nano.gguf

Needs llama_cpp and tokenizers, not torch.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from random import Random
from typing import Any

from tokenizers import Tokenizer

_PIECES = (
    *("What is ", "17*23", "  ", "\n", "\n\n", "\t", " \n ", "'s", "don't", "I'LL", "1", "007"),
    *(
        "3.14",
        "####",
        " = ",
        "<|im_end",
        "<|",
        "|>",
        "ä",
        "ß",
        "é",
        "e\u0301",
        "你好",
        "日本",
        "🙂",
    ),
    *(
        "👩\u200d👩\u200d👧",
        "\u00a0",
        "\u2009",
        "\u3000",
        "\u200b",
        "\ufeff",
        "\x00",
        "\x07",
        "\x1b",
    ),
    *("\x7f", "\x85", "\u2028", "\r\n", "\r", "٣", "Ⅷ", "½", "²", "_", "-", "--", "...", "(", ")"),
    *("[]", "{x}", "\\", "/", '"', "'", "`", "مرحبا", "नमस्ते", "ไทย", "한국어", "Ελλάδα", "Привет"),
    *("\U0001f1e9\U0001f1ea", "𝟙𝟚", "①", "<|endoftext|>", "<|im_start|>", "<|im_end|>"),
)


def fuzzed(rng: Random) -> str:
    """A string of words, digits, white space, control bytes and any Unicode."""
    parts = []
    for _ in range(rng.randint(0, 12)):
        kind = rng.randrange(6)
        if kind <= 1:
            parts.append(rng.choice(_PIECES))
        elif kind == 2:
            parts.append("".join(chr(rng.randint(0, 127)) for _ in range(rng.randint(1, 8))))
        elif kind == 3:
            parts.append("".join(chr(rng.randint(128, 0x2FFF)) for _ in range(rng.randint(1, 4))))
        elif kind == 4:
            code = rng.randint(0x3000, 0x10FFFF)
            parts.append(chr(code) if not 0xD800 <= code <= 0xDFFF else "?")
        else:
            parts.append(rng.choice((" ", "", "\n")) + str(rng.randint(0, 99999)))
    return "".join(parts)


def first_difference(tokenizer: Tokenizer, model: Any, count: int, seed: int) -> str | None:
    """None if all ids agree, else the first string that differs with both lists."""
    rng = Random(seed)
    for _ in range(count):
        text = fuzzed(rng)
        ours = tokenizer.encode(text, add_special_tokens=False).ids
        theirs = model.tokenize(text.encode(), add_bos=False, special=True)
        if ours != theirs:
            return f"{text!r}: {ours} in tokenizers, {theirs} in llama.cpp"
        back = tokenizer.decode(ours, skip_special_tokens=False)
        if back != text:
            return f"{text!r} comes back as {back!r}"
    return None


def main() -> None:
    parser = argparse.ArgumentParser(description="tokenizer parity by fuzzing")
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--count", type=int, default=10000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    from llama_cpp import Llama

    model = Llama(str(options.model), vocab_only=True, verbose=False)
    tokenizer = Tokenizer.from_file(str(options.tokenizer))
    found = first_difference(tokenizer, model, options.count, options.seed)
    if found:
        raise SystemExit(f"tokenizers differ: {found}")
    print(f"{options.count} strings, ids equal")


if __name__ == "__main__":
    main()
