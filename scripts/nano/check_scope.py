"""Does the model say so where a prompt is out of its reach, and does it invent nothing?

    python scripts/nano/check_scope.py [--model FILE.gguf]

Asks the prompts of out_of_scope.txt, which are in no training wording, through the whole program
(`Mind.ask`, the router decides) and prints those that were not refused. What it refuses though it
is in scope stands in evaluate.py's output.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import edgemind
from nano_answer import answer_of, is_refusal

PROMPTS = Path(__file__).with_name("out_of_scope.txt")


def main() -> None:
    parser = argparse.ArgumentParser(description="are prompts out of scope refused?")
    parser.add_argument("--model", type=Path, help="a GGUF file; the bundled one without it")
    parser.add_argument("--prompts", type=Path, default=PROMPTS, help="a prompt to a line")
    parser.add_argument("--least", type=float, default=95.0, help="per cent that must be refused")
    options = parser.parse_args()
    prompts = [line for line in options.prompts.read_text(encoding="utf-8").splitlines() if line]
    refused = invented = 0
    with edgemind.load(options.model) as mind:
        for prompt in prompts:
            text = mind.ask(prompt, sampling=edgemind.Sampling(seed=1)).text
            refused += is_refusal(text)
            invented += answer_of(text) is not None
            if not is_refusal(text):
                print(f"{prompt}\n  {text!r}")
    share = 100 * refused / len(prompts)
    print(f"{refused} of {len(prompts)} refused ({share:.1f} %), {invented} with an answer")
    sys.exit(share < options.least)


if __name__ == "__main__":
    main()
