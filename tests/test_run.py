"""Executing for strategies: streaming, stop texts, forced answers, narrowing, cleaning up."""

from __future__ import annotations

import pytest

from edgemind.costs.model import CostModel
from edgemind.engines.base import Interrupted
from edgemind.engines.scripted import Line, ScriptedEngine
from edgemind.errors import BudgetTooSmall, ContextFull
from edgemind.events import Progress, Sampled, Text
from edgemind.plan import FORCED_TOKENS
from edgemind.sample import SHOWN_CHARACTERS
from edgemind.types import Budget
from tests.helpers import (
    Clock,
    TimedEngine,
    drain,
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
        run.close(run._samples.draft)
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


def test_samples_are_seen_while_they_grow() -> None:
    clock = Clock()
    engine = TimedEngine([SUM, Line(("a", "b"), ends=False)], clock, [0.11])
    with running(engine, asked=prompt(engine, max_tokens=150), clock=clock) as run:
        drain(run.draft())
        events, _ = drain(run.samples(2))
    seen = [event.growing for event in events if isinstance(event, Progress)]
    assert len(seen) > 50
    assert [(one.index, one.tokens, one.end) for one in seen[1]] == [
        *((1, 2, "ab"), (2, 2, "2 + "))
    ]
    assert max(len(one.end) for one in seen[-1]) == SHOWN_CHARACTERS


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
