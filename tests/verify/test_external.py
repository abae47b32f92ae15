"""The user's own verifiers: what they may give, and what happens when they break."""

from __future__ import annotations

import math
import shlex
import sys
import time
from pathlib import Path

import pytest

from edgemind.errors import ConfigError, EdgemindError
from edgemind.types import Objection, Verdict
from edgemind.verify import external
from edgemind.verify.external import MAX_MESSAGE, MAX_OBJECTIONS, Callback, Command

PLENTY = 60.0


def has_digits(text: str) -> bool:
    return any(character.isdigit() for character in text)


class Judge:
    """A callable that is no function."""

    def __call__(self, text: str) -> float:
        return {"half": 0.5, "nan": float("nan")}[text]


def test_what_a_function_may_give() -> None:
    assert Callback(has_digits)("42", PLENTY) == Verdict()
    refused = Callback(has_digits)("none", PLENTY)
    name = f"{__name__}.has_digits"
    assert refused == Verdict(0.0, (Objection(0, f"{name} does not accept it"),))
    assert Callback(Judge())("half", 0.0) == Verdict(0.5)
    assert Callback(lambda text: 1)("x", 0.0) == Verdict(1.0)
    verdict = Verdict(0.2, (Objection(7, "odd"),))
    assert Callback(lambda text: verdict)("x", 0.0) is verdict


@pytest.mark.parametrize("text", ["other", "nan"])
def test_a_function_that_breaks_is_named(text: str) -> None:
    with pytest.raises(EdgemindError, match=r"the verifier .*\.Judge (failed: KeyError|gave nan)"):
        Callback(Judge())(text, PLENTY)


@pytest.mark.parametrize("result", [None, "yes", 2, -0.1, float("inf"), Verdict(3.0), [], b""])
def test_what_a_function_may_not_give(result: object) -> None:
    with pytest.raises(EdgemindError, match="neither a bool nor a score from 0 to 1"):
        Callback(lambda text: result)("x", PLENTY)  # type: ignore[arg-type, return-value]


def command(script: str) -> Command:
    return Command((sys.executable, "-c", script))


@pytest.mark.parametrize(
    ("script", "verdict"),
    [
        ("", Verdict()),
        ("print('all fine')", Verdict()),
        ("import sys; sys.exit('é' not in sys.stdin.read())", Verdict()),
        (
            "print('2: too long\\n\\n no number: here\\n 0 : zero'); exit(1)",
            Verdict(
                0.0,
                (Objection(2, "too long"), Objection(0, "no number: here"), Objection(0, "zero")),
            ),
        ),
        ("""print('{"score": 0.5}'); exit(1)""", Verdict(0.5)),
        ("""print('{}'); exit(1)""", Verdict(0.0)),
        ("""print('{}')""", Verdict()),
        (
            """print('{"objections": [{"line": 3, "message": "m"}, {"message": "n"}]}')""",
            Verdict(0.0, (Objection(3, "m"), Objection(0, "n"))),
        ),
    ],
)
def test_what_a_command_may_say(script: str, verdict: Verdict) -> None:
    assert command(script)("a\né", PLENTY) == verdict


def test_a_command_that_only_objects() -> None:
    [objection] = command("exit(1)")("x", PLENTY).objections
    assert objection.message.endswith("objects") and objection.line == 0


@pytest.mark.parametrize(
    ("script", "complaint"),
    [
        ("import sys; print('first\\nthe reason', file=sys.stderr); sys.exit(2)",
         "ended with code 2 .*: the reason"),
        ("import os; os.abort()", "ended with code -6"),
        ("print('{')", "printed JSON that is no verdict"),
        ("""print('{"objections": 3}')""", "printed JSON that is no verdict"),
        ("""print('{"objections": [3]}')""", "printed JSON that is no verdict"),
        ("""print('{"objections": [{"line": "x", "message": "m"}]}')""", "no verdict"),
        ("""print('{"objections": [{"line": 1}]}')""", "no verdict"),
        ("""print('{"score": 7}')""", "the score 7"),
        ("""print('{"score": true}')""", "the score True"),
        ("""print('{"score": "x"}')""", "the score x"),
        ("print('{\"a\":' * 9000)", "no verdict"),
    ],
)  # fmt: skip
def test_commands_that_break(script: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        command(script)("x", PLENTY)


def test_a_flood_of_objections() -> None:
    script = "print('9: ' + 'x' * 10_000, *range(50_000), sep='\\n'); exit(1)"
    verdict = command(script)("unread " * 1_500_000, PLENTY)
    assert len(verdict.objections) == MAX_OBJECTIONS
    assert verdict.objections[0] == Objection(9, "x" * MAX_MESSAGE)


def test_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit of the budget's says nothing about the text; the whole usual time does."""
    slow = command("import time; time.sleep(600)")
    started = time.monotonic()
    assert slow("x", 0.2) == Verdict()
    assert slow("x", 0.0) == Verdict()
    monkeypatch.setattr(external, "USUAL_SECONDS", 0.2)
    [objection] = slow("x", PLENTY).objections
    assert objection.message.endswith("did not end within 0.2 seconds")
    assert time.monotonic() - started < PLENTY


def test_a_stopped_answer_is_not_judged(tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    slow = command(f"import time; open({str(begun)!r}, 'w'); time.sleep(600)")
    started = time.monotonic()
    assert slow.judge_unless_stopped("x", math.inf, begun.exists) == Verdict()
    assert begun.exists() and time.monotonic() - started < external.USUAL_SECONDS


def test_lines_are_split_as_a_shell_does() -> None:
    line = f"{shlex.quote(sys.executable)} -c 'print(1); exit(1)'"
    [objection] = Command.parse(line)("x", PLENTY).objections
    assert objection == Objection(0, "1")
    assert Command.parse(line) == Command((sys.executable, "-c", "print(1); exit(1)"))


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("no-such-program --x", "'no-such-program' is no program"),
        ("'open", "cannot be read"),
        ("", "a program and its arguments"),
        ("/", "is no program"),
    ],
)
def test_commands_that_are_none(line: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        Command.parse(line)


def test_a_program_that_went_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: name)
    with pytest.raises(ConfigError, match="cannot be run"):
        Command(("/no-such-program",))("x", PLENTY)
    with pytest.raises(ConfigError, match="a program and its arguments"):
        Command("ls -l")  # type: ignore[arg-type]
