"""`Mind` over real engines with tiny random models: stopping, budgets and abandoning for real."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import edgemind
from edgemind.budget import Watchdog
from edgemind.engines.llama import LlamaEngine
from edgemind.engines.onnx import OnnxEngine
from edgemind.events import Event, Finished, Text
from edgemind.strategies.roles import READERS, SPECIALISTS
from edgemind.types import Budget, Message, Sampling
from tests.engines.branches import before_runs, is_idle

QUESTION = "What is 2+2?"


@pytest.fixture(params=["gguf", "concatenating", "in place"])
def model(tiny: Path, tiny_onnx: dict[str, Path], request: pytest.FixtureRequest) -> Path:
    return tiny if request.param == "gguf" else tiny_onnx[request.param]


@pytest.fixture
def mind(model: Path) -> Iterator[edgemind.Mind]:
    with edgemind.load(model, context=1024, width=4, threads=1) as made:
        yield made


def is_clean(mind: edgemind.Mind) -> bool:
    return is_idle(mind._engine)


@pytest.mark.parametrize("strategy", ["direct", "vote", "majority", "best_of", "panel", "refine"])
@pytest.mark.parametrize("tokens", [1, 13, 100])
def test_token_budgets(mind: edgemind.Mind, strategy: str, tokens: int) -> None:
    budget = Budget(tokens=tokens)
    answer = mind.ask(QUESTION, strategy=strategy, width=5, budget=budget)
    assert answer.spent.tokens <= tokens
    assert answer.finish in ("budget", "stop", "length")
    assert is_clean(mind)


@pytest.mark.parametrize("question", ["What is 17 + 25?", "Write a poem."])
def test_a_panel_evaluates_what_its_members_share_once(mind: edgemind.Mind, question: str) -> None:
    """Three are told something, behind a prompt that is longer than all that they are told."""
    told = len(mind._engine.vocabulary.encode(" ".join((*SPECIALISTS, *READERS)), False))
    text = "word " * 100 + question
    whole = len(mind._engine.vocabulary.encode(text, False))
    answer = mind.ask(text, strategy="panel", width=4, sampling=Sampling(max_tokens=20))
    samples = [phase for phase in answer.spent.phases if phase.name == "samples"]
    assert samples and samples[0].tokens
    assert whole < answer.spent.prompt_tokens < min(2 * whole, whole + told + 100)
    assert is_clean(mind)


def test_an_empty_cache_and_a_seed_give_the_same_text(model: Path) -> None:
    said = set()
    for _ in range(2):
        with edgemind.load(model, context=512, width=4, threads=1) as mind:
            answer = mind.ask(
                QUESTION, strategy="vote", budget=Budget(tokens=60), sampling=Sampling(seed=4)
            )
            said.add((answer.text, answer.samples, answer.agreement))
    assert len(said) == 1


def test_stop_from_another_thread(mind: edgemind.Mind) -> None:
    events: list[Event] = []
    for event in mind.stream(QUESTION, sampling=Sampling(seed=1)):
        events.append(event)
        if isinstance(event, Text) and len(events) == 5:
            thread = threading.Thread(target=mind.stop)
            thread.start()
            thread.join()
    last = events[-1]
    assert isinstance(last, Finished)
    assert last.answer.finish == "interrupted"
    assert last.answer.text
    assert is_clean(mind)
    assert mind.ask(QUESTION, budget=Budget(tokens=5)).text


def test_abandoning_frees_the_cache(mind: edgemind.Mind) -> None:
    for stop in (1, 2, 5, 40):
        stream = mind.stream(QUESTION, strategy="vote", budget=Budget(tokens=60))
        for _ in range(stop):
            next(stream, None)
        stream.close()
        assert is_clean(mind)
    assert mind.ask(QUESTION, budget=Budget(tokens=5)).text


def test_the_watchdog_cuts_a_prefill(mind: edgemind.Mind, monkeypatch: pytest.MonkeyPatch) -> None:
    # A clock that stands still until the prompt is being evaluated, and then is far too late.
    now = [0.0]
    monkeypatch.setattr(mind, "_clock", lambda: now[0])
    monkeypatch.setattr(Watchdog, "POLL_SECONDS", 0.001)
    engine, interrupted = mind._engine, threading.Event()
    interrupt = engine.interrupt

    def late() -> None:
        now[0] = 1e6
        assert mind._run is not None
        changed = mind._run._stepper._watchdog._changed
        with changed:
            changed.notify()
        assert interrupted.wait(30)

    def note() -> None:
        interrupt()
        interrupted.set()

    before_runs(engine, monkeypatch, late)
    monkeypatch.setattr(engine, "interrupt", note)
    with pytest.raises(edgemind.BudgetTooSmall):
        mind.ask("word " * 150, budget=Budget(seconds=1000))
    monkeypatch.undo()
    assert is_clean(mind)
    assert mind.ask(QUESTION, budget=Budget(tokens=5)).text


def test_a_talk_re_uses_what_was_said(mind: edgemind.Mind) -> None:
    first = mind.ask(QUESTION, budget=Budget(tokens=30), strategy="direct")
    evaluated = first.spent.prompt_tokens
    chat = (Message("user", QUESTION), Message("assistant", "x"), Message("user", "And 3+3?"))
    second = mind.ask(chat, budget=Budget(tokens=30), strategy="direct")
    engine = mind._engine
    assert isinstance(engine, LlamaEngine | OnnxEngine)
    kept = engine._cache.kept
    assert kept is not None
    whole = len(kept.tokens)
    assert second.spent.prompt_tokens < whole - evaluated + 5


def test_a_closed_mind(model: Path) -> None:
    mind = edgemind.load(model, context=256, width=2, threads=1)
    stream = mind.stream(QUESTION)
    while not isinstance(next(stream), Text):
        pass
    mind.close()
    mind.close()
    assert list(stream) == []  # it was ended, with no `Done`
    with pytest.raises(RuntimeError, match="closed"):
        mind.ask(QUESTION)
