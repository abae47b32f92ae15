"""`edgemind chat`: turn by turn, the conversation's prefix kept in the cache."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from typing import Annotated

import typer

from edgemind.budget import check_budget
from edgemind.cli import options
from edgemind.cli.chatting.loop import converse, read_plain
from edgemind.cli.chatting.table import Desk
from edgemind.cli.chatting.terminal import Terminal, is_interactive
from edgemind.cli.options import clean_errors, stopping
from edgemind.cli.record import person_history, person_usage
from edgemind.cli.show import Screen
from edgemind.cli.terminal import put
from edgemind.conversation.talk import Face, Talk, Turn
from edgemind.errors import ConfigError
from edgemind.loading import load
from edgemind.runtime import AUTO, WIDTH, Mind
from edgemind.strategies.base import find_strategy
from edgemind.types import Budget, Sampling
from edgemind.verify.external import Command

GREETING = "Ctrl-C stops an answer, Ctrl-D leaves, /help lists the commands."
Plain = Annotated[
    bool,
    typer.Option("--plain", help="Lines alone, nothing drawn: for screen readers, slow terminals."),
]


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
    plain: Plain = False,
    profile: options.Profile = None,
) -> None:
    """Talk with the model. Ctrl-C stops its thinking, Ctrl-D leaves, /help lists the commands."""
    with clean_errors():
        budget = check_budget(Budget(seconds, joules, tokens))
        if strategy != AUTO:
            find_strategy(strategy)
        system = options.system_prompt(system)
        verifiers = [Command.parse(line) for line in verify or []]
        usage, keep = person_usage(over=over_budget, quiet=quiet), person_history()
        interactive = is_interactive(plain or quiet)

        with ExitStack() as stack:
            terminal = Terminal() if interactive else None
            mind = load(
                options.chosen(model),
                threads=threads,
                gpu_layers=gpu_layers,
                usage=usage,
                variant=variant,
                provider=provider,
            )
            screen: Face = (
                terminal.face if terminal else Screen(quiet=quiet, explain=explain, plain=plain)
            )
            screen.explain = explain
            talk = Talk(
                mind,
                screen,
                budget=budget,
                strategy=strategy,
                width=width,
                worth=worth,
                sampling=Sampling(seed=seed, temperature=temperature),
                verifiers=tuple(verifiers),
                best_effort=best_effort,
                system=system,
                usage=usage,
            )
            stack.callback(talk.close)  # the model that there is then
            unkept = talk.messages()  # the instructions, which are kept with the first turn

            def keep_turn(turn: Turn) -> None:
                keep(talk.mind.model, [*unkept, *turn.messages])
                unkept.clear()

            talk.on_turn = keep_turn
            options.show_notices(mind)

            def another(name: str) -> Mind:
                try:
                    if terminal is None:
                        return load(name, threads=threads, gpu_layers=gpu_layers, usage=usage)
                    with terminal.interruptible():
                        return load(name, threads=threads, gpu_layers=gpu_layers, usage=usage)
                except KeyboardInterrupt:
                    raise ConfigError(f"stopped: {talk.mind.model} stays") from None

            desk = Desk(talk, another)
            at_terminal = sys.stdin.isatty()
            if at_terminal and not quiet:
                put(f"{mind.model}. {GREETING}", sys.stderr)
            if terminal:
                stack.enter_context(terminal).run(desk)
            else:
                converse(desk, read_plain, stopping, commands=at_terminal)
