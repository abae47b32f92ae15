"""A loaded model that can be asked; `edgemind.loading` opens one.

`Mind.stream` is the one generator that everything else drains: it renders the chat, routes, lets a
strategy run, and ends with `Finished`.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Generator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

from edgemind.answering import answer_of, asked_of, think
from edgemind.budget import Ledger, Meter
from edgemind.chat import ChatTemplate
from edgemind.clock import steady_clock
from edgemind.conditions import Conditions, Machine
from edgemind.costs.store import Shelf
from edgemind.defaults import AUTO, MAX_SAMPLES, WIDTH
from edgemind.engines.base import Engine
from edgemind.errors import BudgetTooSmall, ConfigError
from edgemind.events import Event, Finished, Routed
from edgemind.learning import Learning
from edgemind.meters.base import Place
from edgemind.meters.choose import BestMeter, for_answer
from edgemind.plan import admit
from edgemind.prompt import as_chat, check_sampling, prepare
from edgemind.router.router import Router
from edgemind.router.signals import wants_steps
from edgemind.run import Run
from edgemind.strategies.base import find_strategy
from edgemind.streams import Streams, close_at_exit, remembered
from edgemind.structured import Schema, structure_of
from edgemind.types import Answer, Budget, Chat, Completion, Sampling
from edgemind.usage.account import Usage
from edgemind.usage.entry import Entry
from edgemind.verify.base import Verifier

if TYPE_CHECKING:
    from edgemind.rendering import Renderer


class Mind:
    """A loaded model that answers prompts within budgets. Close it, or use it in `with`.

    One prompt at a time; `stop` may be called from any thread or signal handler. `costs` keeps
    what is learned of costs; without it that is forgotten. `renderer` renders the chat template in
    a child, and is closed with the model; without it this process does.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        router: Router | None = None,
        clock: Callable[[], float] | None = None,
        meter: Meter | None = None,
        usage: Usage | None = None,
        weights: str = "",
        costs: Shelf | None = None,
        conditions: Conditions | None = None,
        notices: tuple[str, ...] = (),
        renderer: Renderer | None = None,
    ) -> None:
        self.notices = notices
        """What is not as it was asked for (a provider that is not there), a line each."""
        self._engine = engine
        self._router = router or Router()
        self._clock = clock or steady_clock()
        self._meter = meter or BestMeter(Place(gpu=not engine.device.startswith("cpu")))
        self._usage = usage
        self._weights = weights
        self._conditions = conditions or Machine()
        self._learning = Learning(engine.info.bytes, costs, self._conditions, self._clock)
        self._kept: tuple[int, ...] = ()
        info = engine.info
        self._template = ChatTemplate(
            info.template,
            bos_text=info.bos_text,
            eos_text=info.eos_text,
            specials=engine.vocabulary.specials,
            compiler=renderer.compile if renderer else None,
        )
        self._renderer = renderer
        self._run: Run | None = None
        self._ledger: Ledger | None = None
        self._answering = False
        self._streams = Streams()
        self._stay = close_at_exit(self)

    @property
    def model(self) -> str:
        """The model's name, as its file gives it."""
        return self._engine.info.name

    @property
    def engine(self) -> Engine:
        """What runs the model, for tools that judge it. Leave it alone while an answer is made."""
        return self._engine

    @property
    def model_bytes(self) -> int:
        """Size of the model's file."""
        return self._engine.info.bytes

    @property
    def knows_fences(self) -> bool:
        """Whether documents should be fenced; a model of one task was trained on bare text."""
        return self._engine.info.answer_cue is None

    def ask(
        self,
        prompt: str | Chat,
        *,
        budget: Budget = Budget(),  # noqa: B008 (frozen)
        strategy: str = AUTO,
        width: int = WIDTH,
        system: str | None = None,
        sampling: Sampling = Sampling(),  # noqa: B008 (frozen)
        thinking: bool | None = None,
        verify: Sequence[Verifier] = (),
        schema: Schema | None = None,
        worth: float | None = None,
        best_effort: bool = False,
    ) -> Answer:
        """The answer to a prompt or a whole chat; arguments and errors as those of `stream`."""
        for event in self.stream(
            prompt,
            budget=budget,
            strategy=strategy,
            width=width,
            system=system,
            sampling=sampling,
            thinking=thinking,
            verify=verify,
            schema=schema,
            worth=worth,
            best_effort=best_effort,
        ):
            if isinstance(event, Finished):
                return event.answer
        raise AssertionError("a stream ends with Finished")

    @remembered
    def stream(
        self,
        prompt: str | Chat,
        *,
        budget: Budget = Budget(),  # noqa: B008 (frozen)
        strategy: str = AUTO,
        width: int = WIDTH,
        system: str | None = None,
        sampling: Sampling = Sampling(),  # noqa: B008 (frozen)
        thinking: bool | None = None,
        verify: Sequence[Verifier] = (),
        schema: Schema | None = None,
        worth: float | None = None,
        best_effort: bool = False,
    ) -> Generator[Event, None, None]:
        """The events of answering; the last one is `Finished`. Closing it early is always safe.

        `strategy` is a key (`direct`, `vote`) or `auto`, which lets the router decide; `width` the
        most samples. What `sampling` leaves open is the model's own default, but that a first
        answer which can be voted on is drawn greedily. `thinking` switches a model's thought where
        its template knows `enable_thinking`. `verify` are verifiers (`edgemind.verify`) that judge
        every sample, beside the one for arithmetic, in what is left of the budget. With a `schema`
        (a JSON schema, or a class with `model_json_schema()`, as Pydantic's) the answer is JSON
        that fits it, cut short or not. The model is held to it but not told of it: the prompt
        should say what is wanted. `worth` is how many seconds a better answer is worth waiting for:
        a vote ends where its chance to change is worth less than another sample takes.

        Before the first token the route is narrowed to what the budget will hold with 90 %
        probability. Raises `BudgetTooSmall`, with the least budget that would do, where not even a
        short answer fits; with `best_effort` whatever fits is the answer, an empty one too. Raises
        `ContextFull` where the chat is too long, `ConfigError` for wrong options.
        """
        find = None if strategy == AUTO else find_strategy(strategy)
        if not 1 <= width <= MAX_SAMPLES:
            raise ConfigError(f"a width of {width} is outside 1 to {MAX_SAMPLES}")
        if check_sampling(sampling).temperature == 0:
            width = 1  # every sample would be the same
        structure = structure_of(schema, sampling.grammar)
        if worth is not None and not 0 <= worth < math.inf:
            raise ConfigError(f"an answer worth {worth} seconds is not a number from 0")
        if self._answering:
            raise ConfigError("one prompt at a time: finish or close the other stream first")
        self._answering = True
        winner: Completion | None = None
        answer: Answer | None = None
        entry: Entry | None = None
        try:
            ledger = self._ledger = Ledger(budget, self._clock, for_answer(self._meter))
            if self._usage is not None:
                entry = self._usage.begin(budget, self.model, self._weights)
                ledger.tighten(entry.budget)
            costs = self._learning.begin()
            chat = as_chat(prompt, system)
            route = dataclasses.replace(self._router.first(chat[-1].content, width), worth=worth)
            votes = route.width > 1
            if find is not None:
                route = dataclasses.replace(
                    route, strategy=strategy, width=width, reason="asked for"
                )
            prepared = prepare(
                self._engine,
                self._template,
                chat,
                sampling,
                greedy_draft=votes,
                thinking=thinking,
                wants_steps=wants_steps,
                verify=verify,
                structure=structure,
            )
            most = route.width
            asked = asked_of(
                self._engine, self._kept, prepared, escalates=find is None, verified=bool(verify)
            )
            plan = admit(ledger, costs, route, len(prepared.tokens), asked, best_effort)
            route = plan.route
            yield Routed(route)
            run = self._run = Run(
                self._engine,
                ledger,
                costs,
                prepared,
                conditions=self._conditions,
                best_effort=best_effort,
            )
            if entry is not None:
                entry.expect(costs.prefill(len(prepared.tokens)))
            route, outcome = yield from think(
                run, self._router, route, entry, most=most, escalates=find is None
            )
            winner = outcome.winner
            seed = prepared.samples.seed or 0
            answer = answer_of(run, self._router, route, outcome, plan, seed=seed, model=self.model)
        except BudgetTooSmall as error:
            if self._usage is None or entry is None:
                raise
            raise self._usage.explain(error, entry) from None
        finally:
            try:
                if self._run is not None:
                    self._kept = self._run.close(winner)
                if entry is not None:
                    entry.settle(ledger.spent() if answer is None else answer.spent, answer)
            finally:
                self._run = self._ledger = None
                self._answering = False
        self._learning.learn(answer, run, plan)
        yield Finished(answer)

    def stop(self) -> None:
        """Make the running answer's budget zero: its stream goes on to the best answer so far."""
        ledger = self._ledger
        if ledger is not None:
            ledger.stop()
            self._engine.interrupt()

    def close(self) -> None:
        """End open streams, keep what was learned of costs, free the model. Safe to call twice."""
        self._stay()
        self._streams.close()
        self._learning.save()
        self._engine.close()
        if self._renderer is not None:
            self._renderer.close()
        if isinstance(self._meter, BestMeter):
            self._meter.close()
        if self._usage is not None:
            self._usage.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
