"""`Mind` stopped, abandoned, broken in the middle: the next prompt is answered all the same."""

from __future__ import annotations

import threading

import pytest

from edgemind.engines.scripted import ScriptedEngine
from edgemind.errors import (
    ConfigError,
    ModelError,
)
from edgemind.runtime import Mind
from edgemind.types import (
    Event,
    Finished,
    Routed,
    Text,
)
from tests.helpers import PROMPT, UNSURE, engine_of, finished, scripted_mind, still_watchdog

pytestmark = pytest.mark.usefixtures(still_watchdog.__name__)


# One prompt at a time, and abandoning it


def test_one_prompt_at_a_time() -> None:
    engine = engine_of("#### 4")
    mind = scripted_mind(engine)
    first = mind.stream(PROMPT)
    next(first)
    with pytest.raises(ConfigError, match="one prompt at a time"):
        mind.ask(PROMPT)
    assert finished([*first]).text == "#### 4"
    assert mind.ask(PROMPT).text == "#### 4"


def test_a_stream_that_was_never_started_blocks_nothing() -> None:
    mind = scripted_mind(engine_of("4"))
    mind.stream(PROMPT)
    assert mind.ask(PROMPT).text == "4"


def test_the_next_prompt_may_start_when_finished_is_told() -> None:
    mind = scripted_mind(engine_of("4"))
    for event in mind.stream(PROMPT):
        if isinstance(event, Finished):
            assert mind.ask(PROMPT).text == "4"


def test_abandoning_the_stream_at_any_event() -> None:
    def fresh() -> ScriptedEngine:
        return engine_of("<think>a</think>5", "4", "66", "4", "4", logprob=UNSURE)

    total = len([*scripted_mind(fresh()).stream(PROMPT)])
    for stop in range(total + 1):
        engine = fresh()
        mind = scripted_mind(engine)
        stream = mind.stream(PROMPT)
        for _ in range(stop):
            next(stream)
        stream.close()
        assert engine.branches == []
        assert mind.ask("Write a poem.").finish == "stop"


def test_an_engine_error_comes_through() -> None:
    def fail(engine: ScriptedEngine) -> None:
        if len(engine.step_widths) == 3 and not failed:
            failed.append(True)
            raise ModelError("broken")

    failed: list[bool] = []
    engine = engine_of("#### 4", on_step=fail)
    mind = scripted_mind(engine)
    with pytest.raises(ModelError, match="broken"):
        mind.ask(PROMPT)
    assert engine.branches == []
    assert mind.ask(PROMPT).text == "#### 4"


# Stopping


def test_stop_before_and_after_does_nothing() -> None:
    engine = engine_of("#### 4")
    mind = scripted_mind(engine)
    mind.stop()
    assert mind.ask(PROMPT).finish == "stop"
    mind.stop()
    assert mind.ask(PROMPT).finish == "stop"
    stream = mind.stream(PROMPT)
    mind.stop()
    assert finished([*stream]).finish == "stop"


def test_stop_at_any_event_goes_on_to_the_best_answer_so_far() -> None:
    def fresh() -> Mind:
        return scripted_mind(engine_of("5", "4", "66", "4", "4", logprob=UNSURE))

    total = len([*fresh().stream(PROMPT)])
    for stop in range(total - 1):
        mind = fresh()
        events: list[Event] = []
        for index, event in enumerate(mind.stream(PROMPT)):
            events.append(event)
            if index == stop:
                mind.stop()
        answer = finished(events)
        # The four samples of the wave that decides the vote end in one step: from the first one's
        # end on there is nothing left to stop.
        assert answer.finish == "interrupted" or stop >= total - 9
        if any(isinstance(event, Text) for event in events[: stop + 1]):
            assert answer.text
        assert len(events) <= total
        assert mind.ask("Write a poem.").finish == "stop"


def test_stop_at_the_first_event_is_not_lost() -> None:
    engine = engine_of("#### 4")
    mind = scripted_mind(engine)
    stream = mind.stream(PROMPT)
    assert isinstance(next(stream), Routed)
    mind.stop()
    answer = finished([*stream])
    assert (answer.text, answer.finish) == ("", "interrupted")
    assert mind.ask(PROMPT).finish == "stop"


def test_stop_from_another_thread() -> None:
    holder: list[Mind] = []

    def press(engine: ScriptedEngine) -> None:
        if len(engine.step_widths) == 3:
            thread = threading.Thread(target=holder[0].stop)
            thread.start()
            thread.join()

    holder.append(scripted_mind(engine_of("#### 4", on_step=press)))
    answer = holder[0].ask(PROMPT)
    assert (answer.text, answer.finish) == ("###", "interrupted")
