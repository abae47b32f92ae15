"""`edgemind chat`: turn by turn, the conversation's prefix kept in the cache."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial

from edgemind.budget import check_budget
from edgemind.cli import options
from edgemind.cli.options import clean_errors, stopping
from edgemind.cli.record import person_history, person_usage
from edgemind.cli.show import Screen
from edgemind.cli.terminal import put, say
from edgemind.errors import BudgetTooSmall, ContextFull, ModelError
from edgemind.loading import load
from edgemind.prompt import said
from edgemind.runtime import AUTO, WIDTH, Mind
from edgemind.strategies.base import find_strategy
from edgemind.types import Answer, Budget, Chat, Event, Message, Sampling
from edgemind.verify.external import Command

PROMPT = "> "


def chat(
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
    threads: options.Threads = None,
    gpu_layers: options.GpuLayers = 0,
    variant: options.Variant = None,
    provider: options.Provider = "cpu",
    verify: options.Verify = None,
    over_budget: options.OverBudget = False,
    best_effort: options.BestEffort = False,
    profile: options.Profile = None,
) -> None:
    """Talk with the model. Ctrl-C stops its thinking; at the prompt, Ctrl-C or Ctrl-D leaves."""
    with clean_errors():
        budget = check_budget(Budget(seconds, joules, tokens))
        if strategy != AUTO:
            find_strategy(strategy)
        system = options.system_prompt(system)
        verifiers = [Command.parse(line) for line in verify or []]
        usage, keep = person_usage(over=over_budget, quiet=quiet), person_history()
        with load(
            options.chosen(model),
            threads=threads,
            gpu_layers=gpu_layers,
            usage=usage,
            variant=variant,
            provider=provider,
        ) as mind:
            options.show_notices(mind)
            screen = Screen(quiet=quiet, explain=explain)
            think = partial(
                mind.stream,
                budget=budget,
                strategy=strategy,
                width=width,
                worth=worth,
                sampling=Sampling(seed=seed, temperature=temperature),
                verify=verifiers,
                best_effort=best_effort,
            )
            if sys.stdin.isatty() and not quiet:
                put(f"{mind.model}. Ctrl-C stops an answer, Ctrl-D leaves.", sys.stderr)
            history: list[Message] = [Message("system", system)] if system else []
            instructions = history[:]  # kept with the first turn
            while (line := read_line()) is not None:
                if not line.strip():
                    continue
                history.append(Message("user", line))
                answer = _turn(mind, screen, history, budget, think)
                if answer is None or not answer.text:
                    history.pop()
                else:
                    history.append(said(answer))
                    keep(mind.model, [*instructions, *history[-2:]])
                    instructions = []


def read_line() -> str | None:
    """One line from the person; None when they leave (Ctrl-D, Ctrl-C, end of the pipe)."""
    if not sys.stdin.isatty():
        line = sys.stdin.readline()
        return line.rstrip("\n") if line else None
    with suppress(ImportError):
        import readline  # noqa: F401 (gives input() line editing and history)
    try:
        return input(PROMPT)
    except (EOFError, KeyboardInterrupt):
        print(file=sys.stderr)
        return None


def _turn(
    mind: Mind,
    screen: Screen,
    history: list[Message],
    budget: Budget,
    think: Callable[[Chat], Iterable[Event]],
) -> Answer | None:
    """One answer. Where the context is full, the oldest turns are dropped, and that is said."""
    while True:
        try:
            with stopping(mind):
                return screen.show(think(tuple(history)), budget)
        except ContextFull as error:
            first = 1 if history[0].role == "system" else 0
            if len(history) - first <= 2:
                history[:] = history[:first] + history[-1:]
                say(str(error))
                return None
            del history[first : first + 2]
            say("the context is full; the oldest turn was dropped")
        except BudgetTooSmall as error:
            say(str(error))
            return None
        except ModelError as error:
            if all(message.role != "assistant" for message in history):
                raise
            say(str(error))  # a template that refuses this turn: what was said before is not lost
            return None
