"""`edgemind ask`: one prompt, one answer."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from edgemind.budget import check_budget
from edgemind.cli import options
from edgemind.cli.opening import load
from edgemind.cli.options import ANSWERED, INTERRUPTED, clean_errors, stopping
from edgemind.cli.record import person_history, person_usage
from edgemind.cli.show import Screen
from edgemind.cli.terminal import put_json
from edgemind.defaults import AUTO, WIDTH
from edgemind.errors import ConfigError
from edgemind.events import Finished
from edgemind.types import Answer, Budget, Sampling

MAX_PROMPT_BYTES = 1 << 20


def read_prompt(words: list[str]) -> tuple[str, str]:
    """The prompt from the arguments or stdin; where both are there, stdin is a document, apart."""
    given = " ".join(word for word in words if word != "-")
    piped = ""
    if "-" in words or (not words and not sys.stdin.isatty()):
        data = sys.stdin.buffer.read(MAX_PROMPT_BYTES + 1)
        if len(data) > MAX_PROMPT_BYTES:
            raise ConfigError(f"the text on stdin is longer than {MAX_PROMPT_BYTES >> 20} MiB")
        piped = data.decode("utf-8", "replace")
    if not (given or piped).strip():
        raise ConfigError('the prompt is empty: edgemind ask "your question", or pipe it in')
    return (given.strip("\n"), piped.strip("\n")) if given else (piped.strip("\n"), "")


def ask(
    prompt: Annotated[list[str] | None, typer.Argument(help="The prompt; - reads stdin.")] = None,
    seconds: options.Seconds = None,
    joules: options.Joules = None,
    tokens: options.Tokens = None,
    model: options.Model = None,
    strategy: options.Strategy = AUTO,
    width: options.Width = WIDTH,
    worth: options.Worth = None,
    seed: options.Seed = None,
    temperature: options.Temperature = None,
    system: options.System = None,
    explain: options.Explain = False,
    quiet: options.Quiet = False,
    json: Annotated[bool, typer.Option("--json", help="Print the Answer as JSON.")] = False,
    schema: Annotated[
        Path | None, typer.Option(help="A JSON schema's file; the answer is JSON that fits it.")
    ] = None,
    threads: options.Threads = None,
    gpu_layers: options.GpuLayers = 0,
    variant: options.Variant = None,
    provider: options.Provider = "cpu",
    verify: options.Verify = None,
    over_budget: options.OverBudget = False,
    best_effort: options.BestEffort = False,
    profile: options.Profile = None,
) -> None:
    """Answer one prompt: in one pass when it is easy, with several samples when it is hard."""
    # Not above: help and completion need none of it.
    from edgemind.messages import fenced
    from edgemind.prompt import as_chat
    from edgemind.strategies.base import find_strategy
    from edgemind.structured import read_schema
    from edgemind.verify.external import Command

    with clean_errors():
        # What can be wrong with the options is said before a model is loaded.
        budget = check_budget(Budget(seconds, joules, tokens))
        if strategy != AUTO:
            find_strategy(strategy)
        verifiers = [Command.parse(line) for line in verify or []]
        text, document = read_prompt(prompt or [])
        system = options.system_prompt(system)
        form = None if schema is None else read_schema(schema)
        usage, keep = person_usage(over=over_budget, quiet=quiet), person_history()
        chosen = options.chosen(model)
        with (
            load(
                chosen,
                threads=threads,
                gpu_layers=gpu_layers,
                usage=usage,
                variant=variant,
                provider=provider,
            ) as mind,
            stopping(mind),
        ):
            options.show_notices(mind)
            if document:
                # Data to work on, not further instructions.
                text += f"\n\n{fenced(document) if mind.knows_fences else document}"
            events = mind.stream(
                text,
                budget=budget,
                strategy=strategy,
                width=width,
                worth=worth,
                system=system,
                sampling=Sampling(seed=seed, temperature=temperature),
                verify=verifiers,
                best_effort=best_effort,
                schema=form,
            )
            answer: Answer
            if json:
                answer = next(e.answer for e in events if isinstance(e, Finished))
                put_json(answer.to_json())
            else:
                answer = Screen(quiet=quiet, explain=explain).show(events, budget)
            if answer.text:
                keep(as_chat(text, system), answer, chosen)
    if not answer.text and not answer.reasoning and answer.finish == "interrupted":
        raise typer.Exit(INTERRUPTED)
    raise typer.Exit(ANSWERED)
