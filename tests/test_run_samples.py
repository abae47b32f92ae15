"""Executing for strategies: stopping, samples in waves, full caches, cleaning up."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import pytest

from edgemind.costs.model import CostModel
from edgemind.engines.scripted import Line, ScriptedEngine
from edgemind.errors import ModelError
from edgemind.run import Run
from edgemind.sample import NO_SIGNALS
from edgemind.types import Budget, Completion
from tests.helpers import (
    drain,
    indexes,
    prompt,
    running,
    still_watchdog,
    streamed,
)

pytestmark = pytest.mark.usefixtures(still_watchdog.__name__)


SUM = ["2", " + ", "2", " = ", "4", "\n", "#### ", "4"]


def slow_costs(seconds: float) -> CostModel:
    """A cost model that has learnt that a step takes `seconds`."""
    costs = CostModel(1_000_000)
    for _ in range(100):
        costs.observe_step(1, seconds)
    return costs


def test_doubts_of_both_halves() -> None:
    logprobs = tuple(math.log(p) for p in (0.9, 0.8, 0.7, 1.0, 0.5))
    with running(ScriptedEngine([Line(("2", "+", "2", "\n#### ", "4"), logprobs)])) as run:
        _, draft = drain(run.draft())
        # Six tokens, since the end is one: it is as unsure as the last piece.
        assert draft.signals.early_doubt == pytest.approx(0.1 + 0.2 + 0.3)
        assert draft.signals.late_doubt == pytest.approx(0.0 + 0.5 + 0.5)


# Stopping


def stop_at(run: list[Run], steps: int) -> Callable[[ScriptedEngine], None]:
    def on_step(engine: ScriptedEngine) -> None:
        if len(engine.step_widths) == steps:
            run[0].ledger.stop()
            engine.interrupt()

    return on_step


def test_stop_in_the_draft() -> None:
    holder: list[Run] = []
    engine = ScriptedEngine([SUM], on_step=stop_at(holder, 3))
    with running(engine) as run:
        holder.append(run)
        events, draft = drain(run.draft())
        assert draft.finish == run.cut == "interrupted"
        assert draft.text == streamed(events) == "2 + 2"
        assert drain(run.samples(3)) == ([], [])


def test_stop_in_the_draft_shows_what_was_held_back() -> None:
    holder: list[Run] = []
    engine = ScriptedEngine([["one ", "E", "N", "X"]], on_step=stop_at(holder, 3))
    with running(engine, asked=prompt(engine, stop=("END",))) as run:
        holder.append(run)
        events, draft = drain(run.draft())
    assert draft.text == streamed(events) == "one EN"


def test_stop_in_the_prefill() -> None:
    engine = ScriptedEngine([SUM])
    with running(engine) as run:
        run.ledger.stop()
        engine.interrupt()
        events, draft = drain(run.draft())
        assert (events, draft.text, draft.finish, run.cut) == ([], "", "interrupted", "interrupted")
    with running(engine) as run:
        assert drain(run.draft())[1].finish == "stop"


def test_stop_in_the_samples() -> None:
    holder: list[Run] = []
    engine = ScriptedEngine([["4"], ["5"], list("longer")], on_step=stop_at(holder, 5))
    with running(engine) as run:
        holder.append(run)
        drain(run.draft())
        events, finished = drain(run.samples(2))
        assert [completion.text for completion in finished] == ["5"]
        assert indexes(events) == [1]
        assert run.cut == "interrupted"


# Samples


def test_samples_are_decoded_together_and_told_in_their_order() -> None:
    engine = ScriptedEngine([["4"], ["a", "b", "c"], ["d"], ["e", "f"]])
    with running(engine) as run:
        drain(run.draft())
        events, finished = drain(run.samples(3))
        assert [completion.text for completion in finished] == ["abc", "d", "ef"]
        assert indexes(events) == [1, 2, 3], "who ends first is not counted first"
        assert streamed(events) == ""
        assert engine.step_widths == [1, 1, 3, 3, 2, 1]
        assert run.drawn == 4


def test_members_of_a_panel_are_told_as_they_end() -> None:
    engine = ScriptedEngine([["4"], ["a", "b", "c"], ["d"], ["e", "f"]])
    with running(engine) as run:
        drain(run.draft())
        events, _ = drain(run.samples(3, instructions=["one", "two", "three"]))
        assert indexes(events) == [2, 3, 1]


def test_those_behind_one_that_the_budget_cut_are_told_too() -> None:
    engine = ScriptedEngine([["4"], [*"abcdefgh"], ["d"], ["e", "f"]])
    with running(engine, Budget(tokens=2 + 3 + 3 + 2)) as run:
        drain(run.draft())
        events, finished = drain(run.samples(3))
        assert [completion.text for completion in finished] == ["d", "ef"]
        assert indexes(events) == [2, 3] and run.cut == "budget"


def test_every_sample_has_its_own_seed() -> None:
    seeds: list[int | None] = []

    class Watching(ScriptedEngine):
        def fork(self, branch, samplings):  # type: ignore[no-untyped-def]
            seeds.extend(sampling.seed for sampling in samplings)
            return super().fork(branch, samplings)

    engine = Watching([["4"]])
    with running(engine, asked=prompt(engine, seed=100)) as run:
        drain(run.draft())
        drain(run.samples(3))
        drain(run.samples(2))
    assert seeds == [100, 101, 102, 103, 104, 105]


def test_at_most_as_many_samples_as_the_engine_and_the_budget_have_room_for() -> None:
    engine = ScriptedEngine([list("12345678")], width=3)
    with running(engine) as run:
        drain(run.draft())
        assert len(drain(run.samples(10))[1]) == 3
    # Each sample is expected to take up to a quarter more than the draft's nine tokens.
    with running(engine, Budget(tokens=9 + 24)) as run:
        drain(run.draft())
        assert len(drain(run.samples(10))[1]) == 2
        assert run.ledger.spent().tokens == 27
        assert drain(run.samples(10)) == ([], [])
        assert run.cut == "budget"


def test_what_memory_holds_is_asked_for_before_samples_are_begun() -> None:
    asked: list[int] = []

    class Narrow(ScriptedEngine):
        def room(self, tokens: int) -> int:
            asked.append(tokens)
            return 3 if len(asked) == 1 else 0

    engine = Narrow([SUM])
    with running(engine) as run:
        drain(run.draft())
        assert len(drain(run.samples(8))[1]) == 3
        assert len(drain(run.samples(8))[1]) == 1, "one always may try"
        prompt_tokens, draft_tokens = len(prompt(engine).tokens), len(SUM) + 1
        assert min(asked) > prompt_tokens + draft_tokens


def test_a_full_cache_narrows() -> None:
    engine = ScriptedEngine([list("12345678")], cells=80)
    with running(engine) as run:
        drain(run.draft())
        _, finished = drain(run.samples(4))
        assert {completion.text for completion in finished} == {"12345678"}
        assert 1 <= len(finished) < 4
        assert run.cut is None


def test_a_sample_that_fills_the_cache_alone_is_cut_and_counts() -> None:
    engine = ScriptedEngine([list("123"), Line(tuple("4" * 50))], cells=60)
    with running(engine) as run:
        drain(run.draft())
        events, finished = drain(run.samples(1))
        assert [completion.finish for completion in finished] == ["length"]
        assert indexes(events) == [1]
        assert set(finished[0].text) == {"4"}


def test_a_draft_that_fills_the_cache_keeps_all_its_text() -> None:
    engine = ScriptedEngine([list("abcdEN" * 10)], cells=30)
    with running(engine, asked=prompt(engine, stop=("ENDING",))) as run:
        events, draft = drain(run.draft())
        assert draft.finish == "length"
        assert draft.text == streamed(events) == ("abcdEN" * 10)[: len(draft.text)]
        assert len(draft.text) == draft.signals.tokens


def test_a_released_sample_gives_its_memory_back_but_never_the_draft() -> None:
    engine = ScriptedEngine([["4"], ["5"]])
    with running(engine) as run:
        _, draft = drain(run.draft())
        _, [other] = drain(run.samples(1))
        held = len(engine.branches)
        run.release(draft)
        assert len(engine.branches) == held
        run.release(other)
        run.release(other)
        assert len(engine.branches) == held - 1


# Cleaning up


def test_the_winner_is_kept_as_the_next_prefix() -> None:
    engine = ScriptedEngine([["4"], ["55"]])
    with running(engine) as run:
        drain(run.draft())
        _, [other] = drain(run.samples(1))
        run.close(other)
        assert engine.kept is not None
        # A piece of several characters is one token: its last.
        assert engine.vocabulary.decode(engine.kept.tokens) == "What is 2+2?5<|end|>"


def test_without_a_winner_the_prompt_is_kept() -> None:
    engine = ScriptedEngine([["4"]])
    with running(engine) as run:
        drain(run.draft())
    assert engine.kept is not None
    assert engine.vocabulary.decode(engine.kept.tokens) == "What is 2+2?"


def whole(run: Run) -> Iterator[object]:
    yield from run.draft()
    yield from run.samples(3)


def test_abandoning_at_any_event_frees_everything() -> None:
    lines = [["<think>", "a", "</think>", "4"], list("555"), ["4"], list("66")]
    with running(ScriptedEngine(lines)) as run:
        events = len(list(whole(run)))
    assert events > 5
    for stop in range(events):
        engine = ScriptedEngine(lines)
        with running(engine) as run:
            generator = whole(run)
            for _ in range(stop):
                next(generator)
            generator.close()  # type: ignore[attr-defined]
        assert engine.branches == []
        engine._next_line = 0
        with running(engine) as run:
            assert drain(run.draft())[1].text == "4"


def test_an_engine_error_comes_through_and_leaves_nothing() -> None:
    for step in range(6):

        def fail(engine: ScriptedEngine, step: int = step) -> None:
            if len(engine.step_widths) == step:
                raise ModelError("broken")

        engine = ScriptedEngine([["4"], list("555")], on_step=fail)
        with running(engine) as run, pytest.raises(ModelError, match="broken"):
            list(whole(run))
        assert engine.branches == []


def test_closing_twice_and_without_a_start() -> None:
    engine = ScriptedEngine([["4"]])
    with running(engine) as run:
        run.close()
        run.close(Completion("", "", None, NO_SIGNALS, "stop"))
