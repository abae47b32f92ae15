"""`edgemind chat`: turn by turn, the conversation's prefix kept in the cache."""

from __future__ import annotations

import sys
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgemind.cli import options
from edgemind.cli.completing import conversation_words
from edgemind.cli.opening import load
from edgemind.cli.options import clean_errors, stopping
from edgemind.cli.record import person_usage
from edgemind.cli.show import Screen
from edgemind.cli.terminal import put, say
from edgemind.config import load_config
from edgemind.defaults import AUTO, WIDTH
from edgemind.errors import ConfigError
from edgemind.types import Budget, Sampling

if TYPE_CHECKING:
    from edgemind.cli.chatting.past import Past
    from edgemind.cli.chatting.talk import Face
    from edgemind.runtime import Mind

GREETING = "Ctrl-C stops an answer, Ctrl-D leaves, /help lists the commands."
Plain = Annotated[
    bool,
    typer.Option("--plain", help="Lines alone, nothing drawn: for screen readers, slow terminals."),
]


Resume = Annotated[
    bool, typer.Option("--resume", help="Go on with a kept conversation: the last, or ID.")
]
Conversation = Annotated[
    str | None,
    typer.Argument(
        metavar="ID",
        help="With --resume: how its name begins (history list).",
        autocompletion=conversation_words,
    ),
]


def chat(
    ctx: typer.Context,
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
    resume: Resume = False,
    conversation: Conversation = None,
    profile: options.Profile = None,
) -> None:
    """Talk with the model. Ctrl-C stops its thinking, Ctrl-D leaves, /help lists the commands."""
    # Not above: help and completion need none of it.
    from edgemind.budget import check_budget
    from edgemind.cli.chatting.loop import converse, read_plain
    from edgemind.cli.chatting.past import Diary, find_past, take_up
    from edgemind.cli.chatting.table import Desk
    from edgemind.cli.chatting.talk import Talk
    from edgemind.cli.chatting.terminal import Terminal, is_interactive
    from edgemind.strategies.base import find_strategy
    from edgemind.verify.external import Command

    with clean_errors():
        budget = check_budget(Budget(seconds, joules, tokens))
        if strategy != AUTO:
            find_strategy(strategy)
        system = options.system_prompt(system)
        verifiers = [Command.parse(line) for line in verify or []]
        if conversation is not None and not resume:
            raise ConfigError(
                f"to go on with a conversation: edgemind chat --resume {conversation}"
            )
        past = find_past(conversation) if resume else None
        usage, diary = (
            person_usage(over=over_budget, quiet=quiet),
            Diary(load_config().history.keep),
        )
        interactive = is_interactive(plain or quiet)

        with ExitStack() as stack:
            terminal = stack.enter_context(Terminal()) if interactive else None
            chosen, missing = _model(ctx, model, past)
            with terminal.opening() if terminal else nullcontext():
                mind = load(
                    chosen,
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
                keeper=diary,
                chosen=chosen,
            )
            stack.callback(talk.close)  # the model that there is then
            options.show_notices(mind)

            def another(name: str | Path | None) -> Mind:
                talk.face.note(f"opening {name} …")
                try:
                    with terminal.opening() if terminal else nullcontext():
                        return load(name, threads=threads, gpu_layers=gpu_layers, usage=usage)
                except KeyboardInterrupt:
                    raise ConfigError(f"stopped: {talk.mind.model} stays") from None

            desk = Desk(talk, another)
            at_terminal = sys.stdin.isatty()
            if at_terminal and not quiet:
                put(f"{mind.model}. {GREETING}", sys.stderr)
            if past is not None:
                if missing:
                    say(f"{missing}: {mind.model} answers")
                take_up(talk, past, quiet=quiet)
                if _is_typed(ctx, "system"):
                    talk.system = system
            if terminal:
                terminal.run(desk)
            else:
                converse(desk, read_plain, stopping, commands=at_terminal)


def _model(
    ctx: typer.Context, named: str | None, past: Past | None
) -> tuple[str | Path | None, str]:
    """What to open, and a line where the model of a conversation that goes on is not there."""
    if past is None or _is_typed(ctx, "model"):
        return options.chosen(named), ""
    from edgemind.cli.chatting.past import model_of

    try:
        return model_of(past.kept), ""
    except ConfigError as error:
        return options.chosen(named), str(error)


def _is_typed(ctx: typer.Context, name: str) -> bool:
    """Whether an option was given on the command line, rather than set somewhere."""
    source = ctx.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"
