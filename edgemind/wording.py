"""What every face says in the same words: receipts, limits, routes, sizes. Values in, text out.

Texts that a model or a file had a hand in go through `printable` before a person sees them.
"""

from __future__ import annotations

import re

from edgemind.receipts import Receipt
from edgemind.types import Answer, Budget, Route, Spent

# Controls (C0 but for newline and tab, C1) and the marks that turn the direction of writing.
UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def printable(text: str) -> str:
    """`text` without characters that a model could steer the terminal with."""
    return UNPRINTABLE.sub("", text)


def limits_left(budget: Budget, spent: Spent) -> str:
    """What is left of each limit, or what was spent where there is none."""
    parts = []
    if budget.seconds is None:
        parts.append(f"{spent.seconds:.1f} s")
    else:
        parts.append(f"{max(0.0, budget.seconds - spent.seconds):.1f} s left")
    if budget.joules is not None:
        parts.append(f"{max(0.0, budget.joules - spent.joules):.0f} J left")
    if budget.tokens is not None:
        parts.append(f"{max(0, budget.tokens - spent.tokens)} tokens left")
    return ", ".join(parts)


def amounts(budget: Budget, spent: Spent) -> list[tuple[str, float | None, str]]:
    """What was spent of time, energy and tokens: a name, the share of its limit, and in words."""
    return [
        (
            name,
            None if limit is None else used / limit,
            f"{used:{form}}{_of(limit)} {unit}",
        )
        for name, used, limit, form, unit in (
            ("time", spent.seconds, budget.seconds, ".1f", "s"),
            ("energy", spent.joules, budget.joules, ".1f", "J"),
            ("tokens", spent.tokens, budget.tokens, "d", "tokens"),
        )
    ]


def receipt(of: Answer | Receipt) -> str:
    """The one-line receipt: route, samples, tokens, seconds and joules of budget, agreement."""
    one = Receipt.of(of) if isinstance(of, Answer) else of
    parts = [
        one.route,
        f"{one.samples} sample{'s' if one.samples != 1 else ''}",
        f"{one.tokens}{_of(one.budget.tokens)} tokens",
        f"{one.seconds:.2f}{_of(one.budget.seconds)} s",
        f"{one.joules:.1f}{_of(one.budget.joules)} J ({one.energy_source})",
    ]
    if one.samples > 1:
        parts.append(f"{one.agreement:.0%} agree")
    if one.finish != "stop":
        parts.append(FINISH_WORDS[one.finish])
    return " · ".join(parts)


def costs(answer: Answer) -> str:
    """Where the budget went, phase by phase, and what was predicted against what it took."""
    lines = [
        f"  {phase.name:<15} {phase.seconds:8.3f} s {phase.joules:8.2f} J {phase.tokens:6} tokens"
        for phase in answer.spent.phases
    ]
    if (predicted := answer.predicted) is not None:
        for name in ("seconds", "joules", "tokens"):
            expected, actual = getattr(predicted, name), getattr(answer.spent, name)
            inside = expected.p5 <= actual <= expected.p95
            lines.append(
                f"  {name:<15} {actual:8.3g}, predicted {expected.p50:.3g} "
                f"({expected.p5:.3g} to {expected.p95:.3g} with 90 %)"
                f"{'' if inside else ': outside'}"
            )
    return "\n".join(["where it went:", *lines])


FINISH_WORDS = {
    "budget": "cut by the budget",
    "dropped": "given up",
    "length": "cut at the length limit",
    "interrupted": "stopped",
}


NETWORK_WORDS = {
    "locked:seccomp": "locked by the kernel (seccomp); an IP socket was tried and refused",
    "locked:sandbox": "locked by the kernel (sandbox); a connection was tried and refused",
    "open": "open: this process is not locked",
}


def _of(limit: float | None) -> str:
    if limit is None:
        return ""
    # What is left of a day's budget is no round number.
    return f" of {limit if isinstance(limit, int) else float(f'{limit:.4g}'):g}"


def explanation(moment: str, route: Route, name: str, probability: float) -> str:
    """Why a route was taken: one line for the decision, one for each signal."""
    lines = [f"{moment}: {name} = {probability:.2f} → {route.strategy} ({route.reason})"]
    lines += [
        f"  {reason.signal:<15} {reason.value:8.2f}  contributes {reason.contribution:+.2f}"
        for reason in route.reasons
    ]
    return "\n".join(lines)


def count(number: int) -> str:
    """`4.5 M`, `7.6 B` parameters."""
    if not number:
        return "–"
    for factor, unit in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")):
        if number >= factor:
            return f"{number / factor:.3g} {unit}"
    return str(number)
