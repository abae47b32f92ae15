"""One answer once its prompt is ready: along its route, and further where the router wants.

`edgemind.runtime` begins and ends it; nothing here outlives an answer.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Generator

from edgemind.costs.forecast import Asked
from edgemind.engines.base import Engine, common_prefix
from edgemind.events import Escalated, Event
from edgemind.guard.lock import current_lock
from edgemind.plan import Plan
from edgemind.prompt import Prompt
from edgemind.router.router import Router
from edgemind.run import Run
from edgemind.strategies.base import Outcome, follow
from edgemind.types import Answer, Budget, Route
from edgemind.usage.entry import Entry


def asked_of(
    engine: Engine, kept: tuple[int, ...], prompt: Prompt, *, escalates: bool, verified: bool
) -> Asked:
    """What the cost of an answer depends on, besides its route. `kept` is still in the cache."""
    known = common_prefix(kept, prompt.tokens[:-1])
    room = max(1, engine.context_length - len(prompt.tokens))
    return Asked(
        new_tokens=len(prompt.tokens) - 1 - known,
        most_tokens=min(prompt.samples.max_tokens or room, room),
        engine_width=engine.max_width,
        escalates=escalates,
        verified=verified,
    )


def think(
    run: Run, router: Router, route: Route, entry: Entry | None, *, most: int, escalates: bool
) -> Generator[Event, None, tuple[Route, Outcome]]:
    """The events of answering; the route that was taken in the end, and what came of it.

    With `escalates` the router may go on from there, with `most` samples. What the answer spends is
    noted in its `entry` meanwhile.
    """
    outcome = yield from _counted(run, route, entry)
    while escalates and (further := _further(run, router, route, outcome, most)):
        if run.ledger.stopped:
            run.cut = "interrupted"
        if run.cut:
            break
        yield Escalated(further, router.confidence(outcome.winner, outcome.ballot))
        route = further
        outcome = yield from _counted(run, route, entry)
    return route, outcome


def _counted(run: Run, route: Route, entry: Entry | None) -> Generator[Event, None, Outcome]:
    """What a strategy does, noted in the record while it does it."""
    events = follow(run, route)
    return (yield from events if entry is None else entry.watch(events, run.ledger))


def _further(run: Run, router: Router, route: Route, outcome: Outcome, most: int) -> Route | None:
    """Where the router wants to go on, as wide as what is left allows now; None to stop.

    The draft's length is known by now: it may be wider than what was planned.
    """
    further = router.next(dataclasses.replace(route, width=most), outcome.winner)
    if further is None or further.strategy != "vote" or run.ledger.budget == Budget():
        return further
    if run.ledger.stopped or run.cut:
        return further  # `think` says how it ends
    width = run.affordable(most)
    if width <= 1:
        run.cut = "budget"
        return None
    return dataclasses.replace(further, width=width)


def answer_of(
    run: Run, router: Router, route: Route, outcome: Outcome, plan: Plan, *, seed: int, model: str
) -> Answer:
    """What is handed out: the winner, its receipt, and what had been expected."""
    winner = outcome.winner
    confidence = router.confidence(winner, outcome.ballot)
    return Answer(
        text=winner.text,
        answer=winner.answer,
        reasoning=winner.reasoning,
        confidence=confidence if winner.text else 0.0,
        agreement=outcome.agreement,
        route=route,
        samples=outcome.samples,
        spent=run.ledger.spent(),
        budget=run.ledger.budget,
        finish=run.cut or winner.finish,
        seed=seed,
        model=model,
        predicted=plan.forecast.prediction(),
        notes=run.notes,
        network=current_lock().label,
    )
