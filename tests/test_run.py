"""Executing for strategies: streaming, stop texts, forced answers, narrowing, cleaning up."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from edgemind.budget import CostModel
from edgemind.engines.base import Interrupted
from edgemind.engines.scripted import Line, ScriptedEngine
from edgemind.errors import BudgetTooSmall, ContextFull, ModelError
from edgemind.run import FORCED_TOKENS, Run
from edgemind.sample import NO_SIGNALS
from edgemind.types import Budget, Completion, Progress, Sampled, Text
from tests.helpers import (
    Clock,
    StillWatchdog,
    TimedEngine,
    drain,
    indexes,
    prompt,
    running,
    streamed,
)

SUM = ["2", " + ", "2", " = ", "4", "\n", "#### ", "4"]


@pytest.fixture(autouse=True)
def _still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgemind.run.Watchdog", StillWatchdog)


def slow_costs(seconds: float) -> CostModel:
    """A cost model that has learnt that a step takes `seconds`."""
    costs = CostModel(1_000_000)
    for _ in range(100):
        costs.observe_step(1, seconds)
    return costs


# Drafts


def test_the_stream_is_the_completion() -> None:
    engine = ScriptedEngine([SUM])
    with running(engine) as run:
        events, draft = drain(run.draft())
        assert streamed(events) == draft.text == "".join(SUM)
        assert (draft.answer, draft.finish, draft.reasoning) == ("4", "stop", "")
        assert events[-1] == Sampled(0, draft)
        assert draft.signals.tokens == len(SUM) + 1 == run.ledger.spent().tokens
        assert run.cut is None


def test_asking_again_gives_the_same_draft_for_nothing() -> None:
    engine = ScriptedEngine([SUM])
    with running(engine) as run:
        _, draft = drain(run.draft())
        steps = len(engine.step_widths)
        assert drain(run.draft()) == ([], draft)
        assert len(engine.step_widths) == steps


def test_the_prompt_is_charged_once_and_only_what_was_evaluated() -> None:
    engine = ScriptedEngine([SUM])
    with running(engine) as run:
        drain(run.draft())
        assert run.ledger.spent().prompt_tokens == len("What is 2+2?") - 1
        run.close(run._draft)
    with running(engine) as run:
        drain(run.draft())
        assert run.ledger.spent().prompt_tokens == 0


@pytest.mark.parametrize(
    ("pieces", "stop", "text"),
    [
        (["one ", "END", " two"], ("END",), "one"),
        (["one E", "N", "D two"], ("END",), "one"),
        (["one E", "N", "F two"], ("END",), "one ENF two"),
        (["on", "e EN"], ("END",), "one EN"),
        (["a", "b", "c", "d"], ("cd", "bc"), "a"),
        (["abcd"], ("cd", "bc"), "a"),
        (["END"], ("END",), ""),
        (["a\n", "\nb"], ("\n\n",), "a"),
        (["a", "b"], ("",), "ab"),
        (["aXbX"], ("X",), "a"),
    ],
)
def test_stop_texts(pieces: list[str], stop: tuple[str, ...], text: str) -> None:
    engine = ScriptedEngine([pieces])
    with running(engine, asked=prompt(engine, stop=stop)) as run:
        events, draft = drain(run.draft())
    assert draft.text == streamed(events).strip() == text
    assert draft.finish == "stop"
    assert all(event.text for event in events if isinstance(event, Text))


def test_nothing_that_may_become_a_stop_text_is_shown_early() -> None:
    engine = ScriptedEngine([["a", "E", "N", "D", "never"]])
    with running(engine, asked=prompt(engine, stop=("END",))) as run:
        shown = [event.text for event in drain(run.draft())[0] if isinstance(event, Text)]
    assert "".join(shown) == "a"


def test_a_stop_text_inside_a_thought_is_a_thought() -> None:
    engine = ScriptedEngine([["<think>", "END", "</think>", "fine", "END"]])
    with running(engine, asked=prompt(engine, stop=("END",))) as run:
        _, draft = drain(run.draft())
    assert (draft.reasoning, draft.text) == ("END", "fine")


@pytest.mark.parametrize("opened", [False, True])
@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_thoughts_are_kept_apart(opened: bool, size: int) -> None:
    said = ("" if opened else "<think>") + "2 and 2\n</think>\n\nIt is 4."
    pieces = [said[i : i + size] for i in range(0, len(said), size)]
    engine = ScriptedEngine([pieces])
    with running(engine, asked=prompt(engine, opened=opened)) as run:
        events, draft = drain(run.draft())
    assert draft.text == streamed(events) == "It is 4."
    assert draft.reasoning == streamed(events, "reasoning").strip() == "2 and 2"
    assert draft.answer == "4"


def test_length_limits() -> None:
    engine = ScriptedEngine([Line(("a",), ends=False)])
    with running(engine, asked=prompt(engine, max_tokens=5)) as run:
        _, draft = drain(run.draft())
        assert (draft.finish, draft.signals.tokens, run.cut) == ("length", 5, None)


def test_the_end_of_the_context_is_a_length_limit() -> None:
    engine = ScriptedEngine([Line(("abc",), ends=False)], context=30)
    with running(engine) as run:
        events, draft = drain(run.draft())
        assert draft.finish == "length"
        assert draft.signals.tokens == 30 - len("What is 2+2?")
        assert streamed(events).strip() == draft.text


def test_a_prompt_longer_than_the_context() -> None:
    engine = ScriptedEngine([SUM], context=12)
    with running(engine) as run, pytest.raises(ContextFull):
        drain(run.draft())


def test_progress_is_told_as_time_passes() -> None:
    clock = Clock()
    engine = TimedEngine([Line(("a",), ends=False)], clock, [0.06])
    with running(engine, asked=prompt(engine, max_tokens=20), clock=clock) as run:
        events, _ = drain(run.draft())
    told = [event.spent.seconds for event in events if isinstance(event, Progress)]
    assert 8 <= len(told) <= 10
    assert told == sorted(told)


# The budget ends


def test_an_open_thought_is_closed_and_an_answer_forced() -> None:
    engine = ScriptedEngine([Line(("hm",), ends=False)], answer_cue="\n#### ")
    with running(engine, Budget(tokens=40), prompt(engine, opened=True)) as run:
        events, draft = drain(run.draft())
        assert run.cut == draft.finish == "budget"
        assert draft.reasoning == "hm".ljust(len(draft.reasoning)).strip()
        assert draft.text.startswith("####")
        assert streamed(events).strip() == draft.text
        assert run.ledger.spent().tokens == 40
        [branch] = [b for b in engine.branches if len(b.tokens) > len("What is 2+2?")]
        said = engine.vocabulary.decode(branch.tokens)
        assert "</think>\n#### " in said
        assert len(said.partition("####")[2]) <= FORCED_TOKENS + 1


def test_a_forced_answer_counts() -> None:
    engine = ScriptedEngine([[*("x" * 28), "4", "2"]])
    with running(engine, Budget(tokens=40)) as run:
        events, draft = drain(run.draft())
    assert draft.text == streamed(events) == "x" * 28 + "\n\nThe answer is42"
    assert draft.finish == "budget"


def test_a_cue_that_stands_there_already_is_not_repeated() -> None:
    text = "x" * 10 + "\n\nThe answer is"
    engine = ScriptedEngine([Line((*text, " ", "4"))])
    with running(engine, Budget(tokens=len(text) + FORCED_TOKENS)) as run:
        _, draft = drain(run.draft())
    assert draft.text.count("The answer is") == 1
    assert draft.answer == "4"


def test_a_stop_text_in_the_cue_ends_the_answer_there() -> None:
    engine = ScriptedEngine([[*("x" * 28), "4", "2"]])
    with running(engine, Budget(tokens=40), prompt(engine, stop=("\n\n",))) as run:
        events, draft = drain(run.draft())
    assert draft.text == streamed(events) == "x" * 28
    assert draft.finish == "budget"


@pytest.mark.parametrize("tokens", range(1, 50))
def test_token_budgets_are_exact(tokens: int) -> None:
    engine = ScriptedEngine([Line(("x",), ends=False)])
    with running(engine, Budget(tokens=tokens)) as run:
        events, draft = drain(run.draft())
        assert run.ledger.spent().tokens == tokens
    assert draft.finish == "budget"
    assert streamed(events).strip() == draft.text
    assert draft.signals.tokens == tokens


def test_no_cue_where_no_token_could_follow_it() -> None:
    engine = ScriptedEngine([Line(("x",), ends=False)])
    with running(engine, Budget(tokens=1)) as run:
        _, draft = drain(run.draft())
    assert draft.text == "x"


def test_a_budget_that_ends_before_the_first_word() -> None:
    engine = ScriptedEngine([SUM])
    with running(engine, Budget(seconds=1), costs=slow_costs(2.0)) as run:
        seen = []
        with pytest.raises(BudgetTooSmall, match="12 tokens"):
            for event in run.draft():
                seen.append(event)
        assert seen == []


def test_a_prefill_that_the_watchdog_cuts_is_a_budget_too_small() -> None:
    clock = Clock()

    class SlowPrompt(ScriptedEngine):
        def prefill(self, *arguments: object) -> object:  # type: ignore[override]
            clock.now += 10
            raise Interrupted

    with (
        running(SlowPrompt([SUM]), Budget(seconds=5), clock=clock) as run,
        pytest.raises(BudgetTooSmall),
    ):
        drain(run.draft())


def test_an_interruption_out_of_nowhere_is_repeated() -> None:
    calls = iter(range(1000))

    def sometimes(engine: ScriptedEngine) -> None:
        if next(calls) % 2:
            engine.interrupt()

    engine = ScriptedEngine([SUM], on_step=sometimes)
    with running(engine) as run:
        _, draft = drain(run.draft())
    assert (draft.text, draft.finish) == ("".join(SUM), "stop")


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


def test_samples_are_decoded_together_and_told_as_they_end() -> None:
    engine = ScriptedEngine([["4"], ["a", "b", "c"], ["d"], ["e", "f"]])
    with running(engine) as run:
        drain(run.draft())
        events, finished = drain(run.samples(3))
        assert [completion.text for completion in finished] == ["d", "ef", "abc"]
        assert indexes(events) == [2, 3, 1]
        assert streamed(events) == ""
        assert engine.step_widths == [1, 1, 3, 3, 2, 1]
        assert run.drawn == 4


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
