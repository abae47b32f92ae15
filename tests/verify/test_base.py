"""Several verifiers as one: each in what is left of the time; those that run something end."""

from __future__ import annotations

from dataclasses import dataclass

from edgemind.types import Objection, Verdict
from edgemind.verify.base import Stoppable, Stopped, judge, never
from edgemind.verify.constraints import MustInclude
from edgemind.verify.external import Callback, Command
from edgemind.verify.python_code import PythonCode


@dataclass
class Slow:
    """Takes a second of a clock that only it moves, and notes how much it was given."""

    clock: list[float]

    def __call__(self, text: str, seconds: float) -> Verdict:
        return self.judge_unless_stopped(text, seconds, never)

    def judge_unless_stopped(self, text: str, seconds: float, stopped: Stopped) -> Verdict:
        if stopped():
            return Verdict()
        self.clock.append(self.clock[-1] - 1.0)
        return Verdict(0.5, (Objection(1, f"{seconds:g}"),))


def test_what_one_verifier_takes_the_next_has_not() -> None:
    clock = [3.0]
    verdict = judge([Slow(clock), Slow(clock), lambda text, seconds: Verdict(seconds)], "x",
                    lambda: clock[-1])  # fmt: skip
    assert [objection.message for objection in verdict.objections] == ["3", "2"]
    assert (verdict.score, clock) == (0.5, [3.0, 2.0, 1.0])


def test_once_stopped_nothing_more_is_run() -> None:
    clock = [3.0]
    verdict = judge([Slow(clock), Slow(clock)], "x", lambda: clock[-1], lambda: clock[-1] < 3)
    assert [objection.message for objection in verdict.objections] == ["3"]
    assert clock == [3.0, 2.0]


def test_without_verifiers_everything_passes() -> None:
    assert judge((), "x") == Verdict()


def test_those_that_start_processes_can_be_stopped() -> None:
    assert isinstance(PythonCode(), Stoppable)
    assert isinstance(Command.parse("true"), Stoppable)
    assert not isinstance(MustInclude(("x",)), Stoppable)
    assert not isinstance(Callback(bool), Stoppable)
