"""Decides what a run may begin: which route, how much to hold back, how many samples.

The run executes; this only computes, from what is left and from what things cost.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from math import ceil, floor, log10

from edgemind.budget import Cost, Ledger
from edgemind.costs.forecast import Asked, Forecast
from edgemind.costs.model import CostModel
from edgemind.errors import BudgetTooSmall
from edgemind.types import Budget, Route

FORCED_TOKENS = 12
"""Length of a forced answer: enough for a number with a unit, or a few words."""
RESERVE_SHARE = 0.4
"""Most of a budget that may be held back; more would leave a short one nothing to think with."""
LENGTH_MARGIN = 1.25
"""A sample is expected to take up to so many times the draft's tokens."""
THROTTLED_FACTOR = 1.5
"""Steps are planned to take so much longer while the processor is too hot."""


def answer_reserve(ledger: Ledger, costs: CostModel, context: float = 0.0) -> Cost:
    """What forcing an answer costs: the cue evaluated, a few steps at width 1."""
    full = costs.prefill(FORCED_TOKENS, int(context)) + costs.step(1, context).times(FORCED_TOKENS)
    budget = ledger.budget
    return Cost(
        min(full.seconds, RESERVE_SHARE * (budget.seconds or full.seconds)),
        min(full.joules, RESERVE_SHARE * (budget.joules or full.joules)),
        min(full.tokens, int(RESERVE_SHARE * (budget.tokens or full.tokens))),
    )


def affordable_width(
    ledger: Ledger,
    costs: CostModel,
    most: int,
    draft_tokens: int,
    context: float = 0.0,
    known: int = 0,
) -> int:
    """Most samples, at most `most`, whose predicted cost fits what is left; 0 for none.

    `context` is the prompt's length: samples grow from there, each by `known` tokens of text first.
    """
    length = max(1, draft_tokens) * LENGTH_MARGIN
    middle = context + length / 2

    def cost(width: int) -> Cost:
        steps = costs.step(width, middle).times(length)
        return steps + costs.prefill(width * known, int(context)) if known else steps

    return next((width for width in range(most, 0, -1) if ledger.fits(cost(width), Cost())), 0)


def narrowed(width: int, shortage: float) -> int:
    """Samples to draw at once where memory is short: half as many, a quarter, …, at least one."""
    while shortage >= 1 and width > 1:
        width, shortage = width // 2, shortage / 2
    return width


@dataclass(frozen=True, slots=True)
class Plan:
    """How a prompt will be answered, what that was expected to cost, and of what."""

    route: Route
    forecast: Forecast
    asked: Asked


def admit(
    ledger: Ledger,
    costs: CostModel,
    route: Route,
    prompt_tokens: int,
    asked: Asked,
    best_effort: bool = False,
) -> Plan:
    """The widest variant of `route` whose 90 % quantile fits what is left, at least one pass.

    Raises `BudgetTooSmall`, with the least budget that would do, where not even a forced answer
    fits; with `best_effort` never. While nothing has been measured on this machine, nothing is
    refused and nothing narrowed: a guess from the file's size may be ten times off.
    """
    budget = ledger.budget
    if costs.measured and (budget.seconds is not None or budget.joules is not None):
        least = costs.least(prompt_tokens, asked.new_tokens, FORCED_TOKENS)
        enough = Cost(least.seconds, least.joules, min(1, least.tokens))
        if not best_effort and not ledger.stopped and not ledger.fits(enough, Cost()):
            spent = ledger.spent()
            least += Cost(spent.seconds, spent.joules)
            raise BudgetTooSmall(
                "the budget is too small for any answer: " + _at_least(prompt_tokens, least),
                seconds=least.seconds,
                joules=least.joules,
            )
        width = widest(ledger, costs, route, prompt_tokens, asked)
        if width < route.width:
            reason = f"{route.reason}; {width} of {route.width} fit the budget"
            route = dataclasses.replace(route, width=width, reason=reason)
    return Plan(route, costs.predict(route, prompt_tokens, asked, budget), asked)


def widest(ledger: Ledger, costs: CostModel, route: Route, prompt_tokens: int, asked: Asked) -> int:
    """Most samples, at most `route.width`, whose predicted 90 % quantile fits; at least 1.

    A limit in tokens narrows nothing here: each wave keeps to it exactly by itself, and what was
    learned on this machine must not change the text that a seed gives.
    """
    cost = ledger.left()
    budget = ledger.budget
    left = Budget(
        None if budget.seconds is None else cost.seconds,
        None if budget.joules is None else cost.joules,
    )

    def fits(width: int) -> bool:
        variant = dataclasses.replace(route, width=width)
        return costs.predict(variant, prompt_tokens, asked).fits(left)

    low, high = 1, route.width
    while low < high:  # costs grow with the width, so the widest is found by halving
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return low


def too_small(costs: CostModel, prompt_tokens: int) -> BudgetTooSmall:
    """The error for a person whose budget ended before the first word."""
    least = costs.least(prompt_tokens, prompt_tokens, FORCED_TOKENS)
    return BudgetTooSmall(
        "the budget ended before the first word: " + _at_least(prompt_tokens, least),
        seconds=least.seconds,
        joules=least.joules,
    )


def _at_least(prompt_tokens: int, least: Cost) -> str:
    return (
        f"a prompt of {prompt_tokens} tokens and a few words of answer take about "
        f"{_figure(least.seconds)} s and {_figure(least.joules)} J here; allow at least that, "
        "or take whatever fits (--best-effort)"
    )


def _figure(value: float) -> str:
    """Rounded up to two figures: a person who types it back has to be let in."""
    if value <= 0:
        return "0"
    unit = 10.0 ** (floor(log10(value)) - 1)
    return f"{ceil(value / unit * (1 - 1e-12)) * unit:.10g}"
