"""`Mind` stopped, abandoned, broken in the middle: the next prompt is answered all the same."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest

from edgemind.engines.scripted import ScriptedEngine
from edgemind.errors import (
    ConfigError,
    ModelError,
)
from edgemind.events import Event, Finished, Routed, Text
from edgemind.growing import VERIFY_MARGIN_SECONDS
from edgemind.runtime import Mind
from edgemind.types import Budget, Verdict
from edgemind.verify.base import Stopped
from edgemind.verify.external import Command
from tests.helpers import (
    PROMPT,
    UNSURE,
    Clock,
    engine_of,
    finished,
    scripted_mind,
    still_watchdog,
)

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


def test_closing_the_mind_ends_its_streams() -> None:
    engine = engine_of("#### 4")
    mind = scripted_mind(engine)
    stream = mind.stream(PROMPT)
    next(stream)
    next(stream)
    assert engine.branches
    mind.close()
    assert engine.branches == []
    assert [*stream] == []


def test_closing_the_mind_within_its_stream() -> None:
    mind = scripted_mind(engine_of("#### 4", on_step=lambda _: mind.close()))
    assert mind.ask(PROMPT).text == "#### 4"


def test_a_stream_left_open_does_not_keep_the_program(nano: Path) -> None:
    script = (
        "import edgemind, sys\n"
        "stream = edgemind.load(sys.argv[1]).stream('What is 17 * 23?', budget=BUDGET)\n"
        "next(stream), next(stream)\n"
    ).replace("BUDGET", "edgemind.Budget(seconds=60)")
    done = subprocess.run(
        [sys.executable, "-c", script, nano], capture_output=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")


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


# Verifiers that run when it happens


def test_stop_ends_a_program_that_judges(tmp_path: Path) -> None:
    """The program would run for ten seconds; it tells by a pipe that it has begun."""
    begun = tmp_path / "begun"
    os.mkfifo(begun)
    script = f"import time; open({str(begun)!r}, 'w').close(); time.sleep(600)"
    mind = scripted_mind(engine_of("#### 4", "#### 5"))

    def press() -> None:
        begun.read_text()
        mind.stop()

    thread = threading.Thread(target=press)
    thread.start()
    verify = [Command((sys.executable, "-S", "-c", script))]
    answer = mind.ask(PROMPT, strategy="vote", verify=verify)
    thread.join()
    assert (answer.text, answer.finish, answer.samples) == ("#### 4", "interrupted", 1)
    assert mind.ask(PROMPT).finish == "stop"


@dataclass
class Waiting:
    """A verifier that waits, a second at a time, until it is told to stop or its time is up."""

    clock: Clock
    given: float = 0.0
    waited: int = 0

    def __call__(self, text: str, seconds: float) -> Verdict:
        raise AssertionError("it would not hear of a stop")

    def judge_unless_stopped(self, text: str, seconds: float, stopped: Stopped) -> Verdict:
        self.given = seconds
        while not stopped() and self.waited < min(seconds, 100):
            self.waited += 1
            self.clock.now += 1.0
        return Verdict()


@pytest.mark.parametrize(
    ("budget", "given", "waited"),
    [
        (Budget(seconds=7.0), 7.0 - VERIFY_MARGIN_SECONDS, 7),
        # Two watts.
        (Budget(joules=9.0), float("inf"), 5),
        (Budget(tokens=50), float("inf"), 100),
    ],
)
def test_limits_end_a_verifier(budget: Budget, given: float, waited: int) -> None:
    clock = Clock()
    waiting = Waiting(clock)
    mind = scripted_mind(engine_of("#### 4"), clock)
    answer = mind.ask(PROMPT, strategy="direct", budget=budget, verify=[waiting])
    assert (waiting.given, waiting.waited) == (pytest.approx(given), waited)
    assert (answer.text, answer.finish) == ("#### 4", "stop")


def test_a_verifier_that_used_up_the_time_leaves_none_for_more() -> None:
    clock = Clock()
    mind = scripted_mind(engine_of("#### 4", "#### 5"), clock)
    budget = Budget(seconds=6.5)
    answer = mind.ask(PROMPT, strategy="vote", budget=budget, verify=[Waiting(clock)])
    assert (answer.text, answer.finish, answer.samples) == ("#### 4", "budget", 1)
    assert answer.spent.seconds == 7.0
