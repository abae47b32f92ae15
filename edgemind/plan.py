"""Decides what a run may begin: how much to hold back, how many samples, what would be enough.

The run executes; this only computes, from what is left and from what steps cost.
"""

from __future__ import annotations

from edgemind.budget import Cost, CostModel, Ledger

FORCED_TOKENS = 12
"""Length of a forced answer: enough for a number with a unit, or a few words."""
RESERVE_SHARE = 0.4
"""Most of a budget that may be held back; more would leave a short one nothing to think with."""
LENGTH_MARGIN = 1.25
"""A sample is expected to take up to so many times the draft's tokens."""


def answer_reserve(ledger: Ledger, costs: CostModel) -> Cost:
    """What forcing an answer costs: the cue evaluated, a few steps at width 1."""
    full = costs.prefill(FORCED_TOKENS) + costs.step(1).times(FORCED_TOKENS)
    budget = ledger.budget
    return Cost(
        min(full.seconds, RESERVE_SHARE * (budget.seconds or full.seconds)),
        min(full.joules, RESERVE_SHARE * (budget.joules or full.joules)),
        min(full.tokens, int(RESERVE_SHARE * (budget.tokens or full.tokens))),
    )


def affordable_width(ledger: Ledger, costs: CostModel, most: int, draft_tokens: int) -> int:
    """Most samples, at most `most`, whose predicted cost fits what is left; 0 for none."""
    length = max(1, draft_tokens) * LENGTH_MARGIN
    fitting = (
        width
        for width in range(most, 0, -1)
        if ledger.fits(costs.step(width).times(length), Cost())
    )
    return next(fitting, 0)


def too_small(costs: CostModel, prompt_tokens: int) -> str:
    """What to tell a person whose budget ended before the first word."""
    needed = costs.prefill(prompt_tokens) + costs.step(1).times(FORCED_TOKENS)
    return (
        f"the budget ended before the first word: a prompt of {prompt_tokens} tokens takes about "
        f"{needed.seconds:.1f} s and {needed.joules:.0f} J here; allow at least that"
    )
