"""What the bundled model says to each line of stdin's file, greedily, as one line of JSON each.

    python greedy.py PROMPTS

Run by the same edgemind on two kinds of machine, whose answers are then compared. The first line
names the kernels.
"""

from __future__ import annotations

import json
import platform
import sys
from pathlib import Path

import edgemind
from edgemind.engines.llama.c_api import load_api

LONGEST_TOKENS = 160


def main(prompts: Path) -> None:
    """Print the kernels, then prompt, text, tokens and log-probability of each answer."""
    kernels = load_api().llama_print_system_info().decode()
    print(json.dumps({"machine": platform.machine(), "kernels": kernels}), flush=True)
    greedy = edgemind.Sampling(temperature=0.0, seed=1, max_tokens=LONGEST_TOKENS)
    with edgemind.load(width=1, threads=1, context=512) as mind:
        for prompt in prompts.read_text(encoding="utf-8").splitlines():
            answer = mind.ask(prompt, strategy="direct", width=1, sampling=greedy)
            said = {"prompt": prompt, "text": answer.text, "confidence": answer.confidence}
            print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
