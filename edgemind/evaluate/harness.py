"""Policies side by side: every question under every policy, with the same seeds.

Reached from `edgemind eval`. A policy is a strategy's key or `auto`, the router. Strategies, router
and budgets are those of `Mind.stream`; nothing here knows how they work.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

from edgemind.defaults import AUTO
from edgemind.errors import BudgetTooSmall, ConfigError, ContextFull
from edgemind.evaluate.datasets import Problem
from edgemind.evaluate.results import Result, ResultLog, Settings
from edgemind.runtime import Mind
from edgemind.strategies import strategy_names
from edgemind.strategies.base import find_strategy
from edgemind.types import Sampling

ORACLE = "oracle"
SEEDS_APART = 1000
"""Each question has seeds of its own: one seed for all would draw the same random numbers at the
same places, and make them all right or wrong together."""


def policy_names() -> tuple[str, ...]:
    """Every policy, in the order in which tables show them: from one pass to the router."""
    others = [name for name in strategy_names() if name not in ("direct", "majority")]
    return ("direct", "majority", *others, AUTO)


def chosen_policies(names: str | None) -> tuple[str, ...]:
    """The policies of a list with commas, all for None. Raises `ConfigError`."""
    if names is None:
        return policy_names()
    chosen = tuple(dict.fromkeys(name.strip() for name in names.split(",") if name.strip()))
    if not chosen:
        raise ConfigError("no policy is named: give some of " + ", ".join(policy_names()))
    for name in chosen:
        if name == ORACLE:
            raise ConfigError("the oracle is computed from the others: leave it out of --policies")
        if name != AUTO:
            find_strategy(name)
    return chosen


def digest(problems: Sequence[Problem]) -> str:
    """Tells one set of questions from another: 16 hex digits."""
    asked = [(problem.chat, problem.gold, problem.choices) for problem in problems]
    return hashlib.sha256(repr(asked).encode()).hexdigest()[:16]


def evaluate(
    mind: Mind, problems: Sequence[Problem], settings: Settings, log: ResultLog | None = None
) -> Iterator[Result]:
    """Ask what the log does not hold yet, and yield every result, those of the log included.

    All policies answer a question before the next one comes, so that what a killed run leaves
    compares like with like. They take turns in going first: the first pays for the prompt, the
    others find it in the cache. Raises the errors of `Mind.stream`, but for a question that does
    not fit into the context or the budget, which is a wrong answer.
    """
    done = log.done if log is not None else {}
    for number, problem in enumerate(problems):
        turn = number % len(settings.policies)
        for policy in (*settings.policies[turn:], *settings.policies[:turn]):
            held = done.get((number, policy))
            if held is not None:
                yield held
                continue
            result = _ask(mind, problem, policy, number, settings)
            if log is not None:
                log.append(result)
            yield result


def _ask(mind: Mind, problem: Problem, policy: str, number: int, settings: Settings) -> Result:
    sampling = Sampling(
        seed=(settings.seed + SEEDS_APART * number) % (1 << 32),
        max_tokens=settings.max_tokens,
        temperature=settings.temperature,
    )
    try:
        answer = mind.ask(
            problem.chat,
            budget=settings.budget,
            strategy=policy,
            width=settings.width,
            sampling=sampling,
        )
    except (BudgetTooSmall, ContextFull) as error:
        return Result(number, policy, False, None, 0, 0, 0.0, 0.0, "refused", error=str(error))
    spent = answer.spent
    return Result(
        question=number,
        policy=policy,
        right=problem.right(answer),
        answer=answer.answer,
        samples=answer.samples,
        tokens=spent.tokens,
        seconds=spent.seconds,
        joules=spent.joules,
        finish=answer.finish,
        energy_source=spent.energy_source,
    )
