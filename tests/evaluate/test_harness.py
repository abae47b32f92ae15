"""Policies side by side on a scripted model, and the report."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from edgemind.catalog.fingerprint import fingerprint
from edgemind.errors import ConfigError
from edgemind.evaluate.datasets import Problem
from edgemind.evaluate.harness import chosen_policies, digest, evaluate, policy_names
from edgemind.evaluate.report import Unit, oracle, report, report_text
from edgemind.evaluate.results import Result, ResultLog, Settings
from edgemind.runtime import Mind
from edgemind.strategies import strategy_names
from edgemind.types import Budget, Message
from tests.helpers import Clock, FakeMeter, TimedEngine, still_watchdog

__all__ = ["still_watchdog"]
pytestmark = pytest.mark.usefixtures("still_watchdog")

PROBLEMS = [Problem((Message("user", f"What is {n}+{n}?"),), str(2 * n)) for n in (1, 2, 3)]
SETTINGS = Settings("", 3, "scripted", ("direct", "majority"), 3, 1)


def mind_saying(*texts: str, **options: object) -> Mind:
    """A model whose samples say these texts in turn; a step takes a second, at 2 W."""
    clock = Clock()
    engine = TimedEngine([list(text) for text in texts], clock, **options)  # type: ignore[arg-type]
    return Mind(engine, clock=clock, meter=FakeMeter(clock))


def test_every_policy_answers_every_question() -> None:
    results = list(evaluate(mind_saying("2"), PROBLEMS, SETTINGS))
    # They take turns in going first.
    assert [(each.question, each.policy) for each in results] == [
        (0, "direct"), (0, "majority"), (1, "majority"), (1, "direct"), (2, "direct"),
        (2, "majority"),
    ]  # fmt: skip
    direct, majority = results[:2]
    assert direct == Result(0, "direct", True, "2", 1, 2, 2.0, 4.0, "stop", "measured:fake")
    assert (majority.right, majority.samples, majority.tokens) == (True, 3, 6)
    assert [each.right for each in results[2:]] == [False] * 4


def test_a_vote_can_be_right_where_one_pass_is_wrong() -> None:
    mind = mind_saying("5", "5", "2", "2")
    results = list(evaluate(mind, PROBLEMS[:1], SETTINGS))
    assert [each.right for each in results] == [False, True]


def test_what_does_not_fit_is_wrong_and_the_rest_goes_on() -> None:
    long = Problem((Message("user", "x" * 300),), "1")
    mind = mind_saying("2", context=200)
    results = list(evaluate(mind, [long, PROBLEMS[0]], SETTINGS))
    assert [each.finish for each in results] == ["refused", "refused", "stop", "stop"]
    assert results[0].error is not None
    tiny = replace(SETTINGS, budget=Budget(seconds=1e-9))
    refused = list(evaluate(mind_saying("2"), PROBLEMS[:1], tiny))
    assert [each.finish for each in refused] == ["refused", "refused"]
    assert "questions that got no answer at all: direct 1, majority 1" in report_text(
        report(refused, tiny.policies)
    )


def test_a_run_goes_on_after_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    with ResultLog(path, SETTINGS) as log:
        running = evaluate(mind_saying("2"), PROBLEMS, SETTINGS, log)
        before = [next(running) for _ in range(3)]
        running.close()
    asked: list[int] = []
    mind = mind_saying("2", on_step=lambda engine: asked.append(1))
    with ResultLog(path, SETTINGS) as log:
        results = list(evaluate(mind, PROBLEMS, SETTINGS, log))
    assert results[:3] == before
    assert results == list(evaluate(mind_saying("2"), PROBLEMS, SETTINGS))
    assert len(asked) == 2 + 2 + 4  # direct twice, a draft and a wave of two: none of the first
    asked.clear()
    with ResultLog(path, SETTINGS) as log:
        assert list(evaluate(mind, PROBLEMS, SETTINGS, log)) == results
    assert asked == []


def test_policies() -> None:
    assert set(policy_names()) == {*strategy_names(), "auto"}
    assert policy_names()[:2] == ("direct", "majority")
    assert policy_names()[-1] == "auto"
    assert chosen_policies(None) == policy_names()
    assert chosen_policies("vote, direct,vote") == ("vote", "direct")
    with pytest.raises(ConfigError, match="did you mean vote"):
        chosen_policies("direct,vot")
    with pytest.raises(ConfigError, match="leave it out"):
        chosen_policies("oracle")
    with pytest.raises(ConfigError, match="no policy is named"):
        chosen_policies(" ,")


def test_the_digest_tells_questions_apart() -> None:
    assert digest(PROBLEMS) == digest(list(PROBLEMS))
    assert len({digest(PROBLEMS), digest(PROBLEMS[:2]), digest(PROBLEMS[::-1])}) == 3


def test_fingerprints(tmp_path: Path) -> None:
    model, other = tmp_path / "a" / "model.gguf", tmp_path / "other.gguf"
    model.parent.mkdir()
    model.write_bytes(b"x" * 3_000_000)
    before = fingerprint(model), fingerprint(model.parent)
    assert before == (fingerprint(model), fingerprint(model.parent))
    other.write_bytes(b"x" * 2_999_999 + b"y")
    assert len({*before, fingerprint(other), fingerprint(tmp_path / "missing")}) == 4
    model.write_bytes(b"x")
    assert fingerprint(model) != before[0]
    assert fingerprint(model.parent) != before[1]


def result(question: int, policy: str, right: bool, tokens: int, seconds: float = 1.0) -> Result:
    return Result(question, policy, right, "1", 1, tokens, seconds, 2.0 * seconds, "stop")


RESULTS = [
    result(0, "direct", True, 10),
    result(0, "majority", True, 80),
    result(0, "auto", True, 10, 0.5),
    result(1, "direct", False, 10),
    result(1, "majority", True, 80),
    result(1, "auto", True, 60),
    result(2, "direct", False, 10),
    result(2, "majority", False, 80),
    result(2, "auto", False, 60),
    result(3, "direct", True, 10),
    result(3, "majority", False, 80),
    result(3, "auto", True, 10),
]
POLICIES = ("direct", "majority", "auto")


def test_the_oracle_takes_the_cheapest_that_is_right() -> None:
    best = oracle(RESULTS)
    assert [(each.right, each.tokens) for each in best] == [
        (True, 10),
        (True, 60),
        (False, 10),
        (True, 10),
    ]
    assert {each.policy for each in best} == {"oracle"}
    assert oracle(RESULTS, Unit.seconds)[0].seconds == 0.5


def test_the_report() -> None:
    found = report(RESULTS, POLICIES)
    figures = {p.policy: (p.accuracy.value, p.tokens.value) for p in found.policies}
    assert figures == {
        "direct": (0.5, 10), "majority": (0.5, 80), "auto": (0.75, 35), "oracle": (0.75, 22.5),
    }  # fmt: skip
    pairs = {(d.policy, d.base): d.accuracy.value for d in found.differences}
    assert pairs == {
        ("majority", "direct"): 0, ("auto", "direct"): 0.25, ("oracle", "direct"): 0.25,
        ("auto", "majority"): 0.25, ("oracle", "majority"): 0.25, ("oracle", "auto"): 0,
    }  # fmt: skip
    assert json.loads(json.dumps(found.as_json()))["policies"][2]["tokens"]["value"] == 35
    text = report_text(found)
    assert "policy    right %       95 %  samples  tokens  seconds  joules\n" in text
    assert "auto         75.0  30.1–95.4     1.00      35    0.875    1.75\n" in text


def test_only_questions_that_all_have_answered_are_compared() -> None:
    found = report(RESULTS[:-1], POLICIES)
    assert {each.questions for each in found.policies} == {3}


def test_one_policy_alone_needs_no_oracle() -> None:
    found = report([each for each in RESULTS if each.policy == "auto"], ("auto",))
    assert [each.policy for each in found.policies] == ["auto"]
    assert found.differences == ()
