"""What routing costs where it changes nothing: seconds of `auto` against a plain single pass.

    python scripts/bench_routing_cost.py PROBLEMS.jsonl [--limit 200] [--model FILE.gguf]

Three ways to the same greedy answer, in turns and in each order alike:

- `plain`: the engine alone. The chat is rendered and tokenised, then prefilled and stepped to its
  end; nothing is routed, verified, measured against a budget or streamed;
- `direct`: `Mind.ask(strategy="direct")`, which does all that but takes the first answer;
- `auto`: the router decides.

Before each of them another prompt empties the cache of the last one. Counted are the prompts at
which all three said the same in one pass: there they did the same work, and what `auto` took longer
than `plain` is the price of everything around the model. The target is a ratio of at most 1.05.
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import time
from pathlib import Path

from edgemind.catalog.bundled import bundled_model
from edgemind.chat import ChatTemplate
from edgemind.engines.base import Engine
from edgemind.engines.llama import LlamaEngine
from edgemind.folders import data_folder
from edgemind.prompt import as_chat, prepare
from edgemind.router.router import Router
from edgemind.router.signals import wants_steps
from edgemind.router.store import load_calibration
from edgemind.runtime import Mind
from edgemind.types import Sampling

BETWEEN = "How many minutes are there in 2 hours?"
GREEDY = Sampling(temperature=0.0, seed=1)
# As `auto` is asked: the first answer to what can be voted on is greedy without being told.
ORDERS = list(itertools.permutations(("plain", "direct", "auto")))


def plain(engine: Engine, template: ChatTemplate, prompt: str) -> str:
    """The greedy answer with nothing around the engine."""
    prepared = prepare(
        engine, template, as_chat(prompt, None), GREEDY,
        greedy_draft=True, thinking=None, wants_steps=wants_steps,
    )  # fmt: skip
    root = engine.prefill(prepared.tokens, prepared.draft)
    [branch] = engine.fork(root, [prepared.draft])
    text, end = "", False
    while not end and len(branch.tokens) < engine.context_length:
        [token] = engine.step([branch])
        text, end = text + token.text, token.end
    engine.drop(root)
    engine.drop(branch, keep=True)
    return text.strip()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("problems", type=Path)
    parser.add_argument("--limit", type=int, default=200)
    parser.add_argument("--model", type=Path)
    arguments = parser.parse_args()
    lines = arguments.problems.read_text(encoding="utf-8").splitlines()[: arguments.limit]
    engine = LlamaEngine(arguments.model or bundled_model())
    info = engine.info
    template = ChatTemplate(
        info.template, bos_text=info.bos_text, eos_text=info.eos_text,
        specials=engine.vocabulary.specials,
    )  # fmt: skip
    router = Router(load_calibration(data_folder(), info.name, info.bytes)[0])
    seconds: dict[str, list[float]] = {"plain": [], "direct": [], "auto": []}
    with Mind(engine, router=router) as mind:

        def answer(way: str, prompt: str) -> tuple[str, int]:
            """What was said, and in how many samples."""
            if way == "plain":
                return plain(engine, template, prompt), 1
            sampling = GREEDY if way == "direct" else Sampling(seed=1)
            got = mind.ask(prompt, strategy=way, sampling=sampling)
            return got.text, got.samples

        answer("auto", BETWEEN)
        for number, line in enumerate(lines):
            prompt = json.loads(line)["prompt"]
            took, said = {}, set()
            for way in ORDERS[number % len(ORDERS)]:
                answer("direct", BETWEEN)
                started = time.perf_counter()
                said.add(answer(way, prompt))
                took[way] = time.perf_counter() - started
            if len(said) == 1:
                for way, value in took.items():
                    seconds[way].append(value)
    counted = len(seconds["plain"])
    print(f"{counted} of {len(lines)} prompts were answered alike, in one pass")
    if not counted:
        return
    for way, values in seconds.items():
        print(f"{way}: median {1000 * statistics.median(values):.1f} ms")
    for base in ("plain", "direct"):
        ratios = [a / b for a, b in zip(seconds["auto"], seconds[base], strict=True)]
        sums = sum(seconds["auto"]) / sum(seconds[base])
        print(f"auto/{base}: median of the ratios {statistics.median(ratios):.3f}, "
              f"ratio of the sums {sums:.3f}")  # fmt: skip


if __name__ == "__main__":
    main()
