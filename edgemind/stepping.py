"""One engine behind one ledger: every verb that costs is asked for, charged and learned from here.

`Run` says which samples to grow; this grows them by a token, or says that no further one fits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from edgemind.budget import Cost, Ledger, Watchdog
from edgemind.conditions import Conditions
from edgemind.costs.model import CostModel
from edgemind.engines.base import Branch, BranchesFailed, Engine, Interrupted
from edgemind.engines.trails import twins
from edgemind.errors import ContextFull
from edgemind.plan import THROTTLED_FACTOR, answer_reserve, too_small
from edgemind.sample import Sample
from edgemind.types import Sampling, Token

LOOK_SECONDS = 1.0
"""How often the processor's throttling is looked at."""

FIRST_STEPS, RECKON_STEPS = 16, 4
"""The reserve is reckoned anew at each of the first steps, and then at every fourth."""

CUT_PROMPT = 256
"""Evaluated tokens from which on a prompt that was cut says what a token takes."""


class Stepper:
    """Prefill and steps within a budget. `abandon` is told of a sample that had to make room.

    `steps` were made so far, and `step_seconds` is what the cost model expected of them and of
    prompts. `throttled` if the processor was too hot in between.
    """

    def __init__(
        self,
        engine: Engine,
        ledger: Ledger,
        costs: CostModel,
        abandon: Callable[[Sample], None],
        conditions: Conditions | None = None,
    ) -> None:
        self._engine = engine
        self._ledger = ledger
        self._costs = costs
        self._abandon = abandon
        self._conditions = conditions
        self._next_look = 0.0
        self._context = 0.0
        self.steps = 0
        self.step_seconds = 0.0
        self.throttled = False
        self._reserve: Callable[[], Cost] = Cost
        self._reserved = Cost()
        self._reckon_at = 0
        self._watchdog = Watchdog(ledger, engine.interrupt, engine.resume)

    def close(self) -> None:
        """End the watchdog and leave the engine ready."""
        self._watchdog.close()

    def hold_back(self) -> None:
        """From here on keep what forcing an answer costs.

        Reckoned anew as steps are made, since these teach what a step costs here.
        """
        self._reckon_at = 0
        self._reserve = self._answer_reserve
        self._watchdog.arm(self._reserve())

    def _answer_reserve(self) -> Cost:
        if self.steps >= self._reckon_at:
            self._reserved = answer_reserve(self._ledger, self._costs, self._context)
            self._reckon_at = self.steps + (1 if self.steps < FIRST_STEPS else RECKON_STEPS)
        return self._reserved

    def spend_all(self) -> None:
        """Let everything that is left be used."""
        self._reserve = Cost
        self._watchdog.arm(Cost())

    def prefill(self, tokens: Sequence[int], sampling: Sampling) -> Branch | None:
        """A prompt's branch, None if stopped. May use the whole budget but for one step.

        Raises `BudgetTooSmall` where the prompt could not be evaluated in time.
        """
        engine, before = self._engine, self._engine.evaluated_tokens
        self._context = float(len(tokens))
        self.look()
        started = self._ledger.elapsed()
        self._watchdog.arm(self._costs.step(1))
        branch = None
        try:
            while branch is None:
                try:
                    branch = engine.prefill(tokens, sampling)
                except Interrupted:
                    if self._ledger.stopped:
                        return None
                    if not self._ledger.fits(Cost(), self._costs.step(1)):
                        raise too_small(self._costs, len(tokens)) from None
                    self._watchdog.arm(self._costs.step(1))
        finally:
            evaluated = engine.evaluated_tokens - before
            self._ledger.charge(0, evaluated)
            held = max(0, len(tokens) - 1 - evaluated)
            if branch is not None or evaluated >= CUT_PROMPT:
                self._costs.observe_prefill(evaluated, self._ledger.elapsed() - started, held)
            # Once it was observed: what a guess expects says nothing about this answer's speed.
            self.step_seconds += self._costs.expected_prefill(evaluated, held)
        return branch

    def fits(self, live: Sequence[Sample], known: int = 0) -> bool:
        """Whether one more step of these samples fits, with the reserve kept.

        `known` tokens are about to be put into their mouths.
        """
        self._context = context = _context(live)
        if not self._ledger.limited:
            return not self._ledger.stopped
        apart = self._apart(live)
        cost = self._costs.step(len(apart), context) if apart else Cost()
        if extra := known + _known_before(apart):
            cost += self._costs.prefill(extra, int(context))
        return self._ledger.fits(cost, self._reserve())

    def step(self, live: list[Sample]) -> Sequence[Token | None] | None:
        """One batched step, narrowed where the cache is full; None when no further one is.

        None in place of a token: the engine cannot go on with that sample. Where it is the draft,
        there is no answer, and its `ModelError` is raised.
        """
        self.look()
        while True:
            apart = self._apart(live)
            started, extra, context = self._ledger.elapsed(), _known_before(apart), _context(live)
            tokens: Sequence[Token | None]
            try:
                tokens = self._engine.step([sample.branch for sample in live])
            except BranchesFailed as failure:
                tokens = failure.tokens
                if live[0].index == 0:  # the draft is decoded alone
                    raise failure.reason from None
            except Interrupted:
                if self._ledger.stopped or not self._ledger.fits(Cost(), self._reserve()):
                    return None
                self._watchdog.arm(self._reserve())
                continue
            except ContextFull:
                if len(live) == 1:
                    live[0].finish = "length"
                    return None
                self._abandon(live.pop())
                continue
            self._ledger.charge(min(len(apart), sum(token is not None for token in tokens)), extra)
            if not apart:  # nothing was evaluated: it tells nothing of what a step takes
                return tokens
            self.steps += 1
            if extra:  # one that evaluates a text besides says little about a step
                self.step_seconds += self._costs.expected_prefill(extra, int(context))
            else:
                self._costs.observe_step(len(apart), self._ledger.elapsed() - started, context)
            self.step_seconds += self._costs.expected(len(apart), context)
            return tokens

    def foreseen(self, live: Sequence[Sample]) -> list[Sample]:
        """Those whose next tokens cost nothing: they go first, by themselves."""
        known = self._engine.foreseen([sample.branch for sample in live])
        return [sample for sample in live if sample.branch in known] if known else []

    def _apart(self, live: Sequence[Sample]) -> list[Branch]:
        """One branch of each group that a step evaluates as one; none of foreseen ones.

        Those are stepped by themselves, so that one of them tells of all.
        """
        branches = [sample.branch for sample in live]
        if self._engine.foreseen(branches[:1]):
            return []
        return [group[0] for group in twins(branches)]

    def look(self) -> None:
        """Look, now and then, whether the processor is too hot, and plan with longer steps then."""
        now = self._ledger.elapsed()
        if self._conditions is None or now < self._next_look:
            return
        self._next_look = now + LOOK_SECONDS
        if self._conditions.throttled():
            self.throttled = True
            self._costs.slow_down(THROTTLED_FACTOR)


def _known_before(apart: Sequence[Branch]) -> int:
    """Pending tokens beyond one for each branch: text that was put into a mouth, not drawn."""
    return sum(len(branch.pending) - 1 for branch in apart)


def _context(live: Sequence[Sample]) -> float:
    """Tokens of context, the mean over branches."""
    return sum(len(sample.branch.tokens) for sample in live) / max(1, len(live))
