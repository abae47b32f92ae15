"""Every strategy, and trees of them, over both engines with the bundled models: what ends them.

`tests/test_strategy_matrix.py` says what exactly a strategy does, on the scripted engine. Here the
same ends come to a real cache: an early stop, a budget in the middle, an interrupt at any step, a
context that is full. Whatever happens there is an answer, and no branch is left.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from edgemind.budget import Ledger
from edgemind.chat import ChatTemplate
from edgemind.costs.model import CostModel
from edgemind.engines.base import Branch, Engine
from edgemind.engines.llama import LlamaEngine
from edgemind.engines.onnx import OnnxEngine
from edgemind.events import Event, Sampled
from edgemind.prompt import Prompt, prepare
from edgemind.run import Run
from edgemind.strategies import strategy_names
from edgemind.strategies.base import Outcome, follow
from edgemind.types import Budget, Finish, Message, Objection, Route, Sampling, Token, Verdict
from tests.engines.branches import is_idle
from tests.helpers import Clock, FakeMeter, drain, still_watchdog, streamed

pytestmark = pytest.mark.usefixtures(still_watchdog.__name__)

NANO = Path(__file__).parents[2] / "models" / "edgemind-nano.gguf"
WIDTH = 4
RESERVE = 16
"""Tokens held back for an answer, and a little more."""
QUESTION = "Ada has 17 pens and buys 25 more, then gives 9 away. How many pens does she have?"
EASY = "What is 2 + 2?"


def route(strategy: str, inner: Route | None = None, width: int = WIDTH) -> Route:
    width = 1 if strategy in ("direct", "refine") else width
    return Route(strategy, width, "", 0.5, inner=inner)


ROUTES = {
    **{name: route(name) for name in strategy_names()},
    "refine(vote)": route("refine", route("vote")),
    "vote(refine)": route("vote", route("refine")),
    "refine(best_of)": route("refine", route("best_of")),
    "best_of(majority)": route("best_of", route("majority")),
}
PASSES = [name for name in ROUTES if name != "direct"]
"""Those that go on after the draft."""


def objects(text: str, _seconds: float) -> Verdict:
    """No answer is good enough for it: so `refine` revises for as long as it may."""
    return Verdict(0.5, (Objection(0, "this could be shorter"),))


class Bundled:
    """The bundled model on one engine, opened once for each size of context."""

    def __init__(self, kind: type[LlamaEngine] | type[OnnxEngine], path: Path) -> None:
        self._kind, self._path = kind, path
        self._opened: dict[int, LlamaEngine | OnnxEngine] = {}
        self._whole: dict[str, Done] = {}

    def engine(self, context: int = 512) -> LlamaEngine | OnnxEngine:
        if context not in self._opened:
            self._opened[context] = self._kind(self._path, context=context, width=WIDTH, threads=1)
        return self._opened[context]

    def whole(self, name: str) -> Done:
        """A route that nothing disturbs."""
        if name not in self._whole:
            self._whole[name] = Done(self.engine(), name)
        return self._whole[name]

    def close(self) -> None:
        for engine in self._opened.values():
            engine.close()


@pytest.fixture(scope="module", params=["gguf", "onnx"])
def bundled(request: pytest.FixtureRequest) -> Iterator[Bundled]:
    if request.param == "gguf":
        made = Bundled(LlamaEngine, NANO)
    else:
        made = Bundled(OnnxEngine, NANO.parent / "edgemind-nano-onnx")
    yield made
    made.close()


def asked(engine: Engine, question: str) -> Prompt:
    info = engine.info
    template = ChatTemplate(
        info.template,
        bos_text=info.bos_text,
        eos_text=info.eos_text,
        specials=engine.vocabulary.specials,
    )
    return prepare(
        engine,
        template,
        (Message("user", question),),
        Sampling(seed=5),
        greedy_draft=True,
        thinking=None,
        verify=(objects,),
    )


class Done:
    """One route followed to its end on a real engine; what was left behind was looked for."""

    def __init__(
        self,
        engine: Engine,
        route: str | Route,
        question: str = QUESTION,
        budget: Budget = Budget(),  # noqa: B008 (frozen)
        stop_at: int | None = None,
    ) -> None:
        clock = Clock()
        ledger = Ledger(budget, clock, FakeMeter(clock))
        run = Run(engine, ledger, CostModel(engine.info.bytes), asked(engine, question))
        tree = ROUTES[route] if isinstance(route, str) else route
        self.steps = 0
        step = engine.step

        def counted(branches: list[Branch]) -> list[Token]:
            self.steps += 1
            if self.steps == stop_at:
                ledger.stop()
                engine.interrupt()
            return step(branches)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(engine, "step", counted)
            try:
                result: tuple[list[Event], Outcome] = drain(follow(run, tree))
                self.events, self.outcome = result
                self.cut: Finish | None = run.cut
                self.spent = ledger.spent()
            finally:
                run.close()
        assert is_idle(engine), "a branch was left behind, or the engine is still interrupted"
        sampled = [event for event in self.events if isinstance(event, Sampled)]
        self.draft = sampled[0].completion
        self.finishes = [event.completion.finish for event in sampled]
        self.winner = self.outcome.winner
        assert streamed(self.events).strip() == self.draft.text


@pytest.mark.parametrize("name", ROUTES)
def test_undisturbed(bundled: Bundled, name: str) -> None:
    done = bundled.whole(name)
    assert done.cut is None
    assert set(done.finishes) == {"stop"}
    assert done.winner.text and done.winner.answer is not None
    assert (len(done.finishes) > 1) == (name in PASSES)


@pytest.mark.parametrize(
    "asked_for",
    [
        route("vote", width=8),
        route("refine", route("vote", width=8)),
    ],
    ids=Route.describe,
)
def test_early_stop(bundled: Bundled, asked_for: Route) -> None:
    """All say the same: a vote of eight is over before."""
    done = Done(bundled.engine(), asked_for, EASY)
    assert (done.winner.answer, done.cut) == ("4", None)
    assert done.outcome.ballot is not None and done.outcome.ballot.drawn < 8


@pytest.mark.parametrize("name", ["majority", "best_of"])
def test_who_never_stops_early(bundled: Bundled, name: str) -> None:
    assert len(Done(bundled.engine(), name, EASY).finishes) == WIDTH


@pytest.mark.parametrize("name", ROUTES)
def test_budget_hit_in_the_draft(bundled: Bundled, name: str) -> None:
    tokens = bundled.whole("direct").spent.tokens - 2
    done = Done(bundled.engine(), name, budget=Budget(tokens=tokens))
    assert done.spent.tokens <= tokens
    assert done.winner.text
    assert (done.winner.finish, done.cut, done.finishes) == ("budget", "budget", ["budget"])


@pytest.mark.parametrize("name", PASSES)
def test_budget_hit_after_the_draft(bundled: Bundled, name: str) -> None:
    draft, whole = bundled.whole("direct"), bundled.whole(name)
    tokens = max((draft.spent.tokens + whole.spent.tokens) // 2, draft.spent.tokens + RESERVE)
    done = Done(bundled.engine(), name, budget=Budget(tokens=tokens))
    assert done.spent.tokens <= tokens < whole.spent.tokens
    assert done.draft == draft.draft
    assert done.winner.text and done.winner.finish == "stop"
    assert len(done.finishes) < len(whole.finishes)


@pytest.mark.parametrize("name", ROUTES)
def test_interrupted_in_the_draft(bundled: Bundled, name: str) -> None:
    draft = bundled.whole("direct")
    for step in (1, draft.steps // 2):
        done = Done(bundled.engine(), name, stop_at=step)
        assert (done.cut, done.winner.finish) == ("interrupted", "interrupted")
        assert done.spent.tokens == step - 1 and done.steps == step
        assert draft.draft.text.startswith(done.winner.text)


@pytest.mark.parametrize("name", PASSES)
def test_interrupted_after_the_draft(bundled: Bundled, name: str) -> None:
    draft, whole = bundled.whole("direct"), bundled.whole(name)
    step = (draft.steps + whole.steps) // 2 + 1
    done = Done(bundled.engine(), name, stop_at=step)
    assert (done.cut, done.winner.finish, done.steps) == ("interrupted", "stop", step)
    assert done.draft == draft.draft


def test_nothing_of_an_interrupt_is_seen_in_the_next_answer(bundled: Bundled) -> None:
    Done(bundled.engine(), "vote", stop_at=3)
    assert Done(bundled.engine(), "direct").winner == bundled.whole("direct").winner


@pytest.mark.parametrize("name", ROUTES)
def test_context_full(bundled: Bundled, name: str) -> None:
    draft = bundled.whole("direct")
    prompt = len(asked(bundled.engine(), QUESTION).tokens)
    middle = Done(bundled.engine(prompt + draft.steps // 2), name)
    assert middle.draft.finish == "length" and middle.winner.text
    assert set(middle.finishes) == {"length"} and middle.cut is None


def test_context_full_before_a_revision(bundled: Bundled) -> None:
    """The draft fits, an objection and another answer after it do not."""
    draft = bundled.whole("direct")
    prompt = len(asked(bundled.engine(), QUESTION).tokens)
    done = Done(bundled.engine(prompt + draft.steps + 4), "refine")
    assert done.draft.text == done.winner.text == draft.draft.text
    assert (done.finishes, done.cut) == (["stop"], None)
