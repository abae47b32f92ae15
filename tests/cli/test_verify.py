"""`--verify CMD`: a person's program judges the answers of `ask` and `chat`."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from edgemind.events import Sampled
from edgemind.types import Objection, Verdict
from edgemind.verify.constraints import MustInclude
from edgemind.verify.external import Callback
from tests.cli.conftest import Program
from tests.helpers import engine_of, scripted_mind, still_watchdog

Script = Callable[[str], str]


@pytest.fixture
def command(tmp_path: Path) -> Script:
    """Makes a script and gives the command line for it."""

    def write(script: str) -> str:
        path = tmp_path / "a verifier.py"
        path.write_text(script)
        return shlex.join([sys.executable, str(path)])

    return write


def test_the_verifier_sees_the_answer(program: Program, command: Script, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    line = command(f"import sys; open({str(seen)!r}, 'a').write(sys.stdin.read() + '.')")
    assert program("ask", "What is 2+2?", "--verify", line).exit_code == 0
    assert program("chat", "--verify", line, stdin="What is 2+2?\n").exit_code == 0
    assert seen.read_text() == "#### 4.#### 4."


def test_a_verifier_that_breaks_is_one_line(program: Program, command: Script) -> None:
    line = command("import sys; print('the reason', file=sys.stderr); sys.exit(9)")
    done = program("ask", "What is 2+2?", "--verify", line)
    assert done.exit_code == 2
    assert "ended with code 9" in done.stderr and done.stderr.endswith("the reason\n")
    assert done.stderr.splitlines()[-1].startswith("edgemind: the verifier")


@pytest.mark.parametrize("face", ["ask", "chat"])
def test_a_missing_verifier_is_said_before_a_model_loads(program: Program, face: str) -> None:
    done = program(face, "--verify", "no-such-program -x", stdin="What is 2+2?\n")
    assert done.exit_code == 2
    assert done.stderr == "edgemind: the verifier 'no-such-program' is no program that can be run\n"
    assert program.loads == []


@pytest.mark.usefixtures(still_watchdog.__name__)
def test_verifiers_of_a_mind() -> None:
    mind = scripted_mind(engine_of("2 + 2 = 5\n#### 4"))
    odd = Callback(lambda text: Verdict(0.5, (Objection(2, "odd"),)))
    events = mind.stream("What is 2+2?", strategy="direct", verify=[odd, MustInclude(("4",))])
    [sampled] = [event for event in events if isinstance(event, Sampled)]
    assert sampled.completion.score == 0
    assert [o.message for o in sampled.completion.objections] == ["2 + 2 = 4, not 5", "odd"]
    mind = scripted_mind(engine_of("#### 4"))
    assert mind.ask("What is 2+2?", verify=(MustInclude(("4",)),)).text == "#### 4"
