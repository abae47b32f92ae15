"""`edgemind chat`: turns, their history, a context that fills up."""

from __future__ import annotations

from typing import Any

import pytest

from edgemind.engines.scripted import ScriptedEngine
from edgemind.errors import ModelUnsupported
from edgemind.prompt import Prompt, prepare
from tests.cli.conftest import Program


def engine_of(program: Program) -> ScriptedEngine:
    engine = program.minds[-1]._engine
    assert isinstance(engine, ScriptedEngine)
    return engine


def conversation(program: Program) -> str:
    engine = engine_of(program)
    assert engine.kept is not None
    return engine.vocabulary.decode(engine.kept.tokens)


def test_turns(program: Program) -> None:
    program.says = ["one", "two", "three"]
    done = program("chat", stdin="Say a\nSay b\nSay c\n")
    assert done.exit_code == 0
    assert done.stdout == "one\ntwo\nthree\n"
    assert done.stderr.count("tokens") == 3
    said = conversation(program)
    assert said.startswith(
        "<|im_start|>user\nSay a<|im_end|>\n<|im_start|>assistant\none<|im_end|>"
    )
    assert said.endswith("user\nSay c<|im_end|>\n<|im_start|>assistant\nthree<|end|>")


def test_a_blank_line_is_not_the_end(program: Program) -> None:
    done = program("chat", stdin="Say a\n\n   \nSay b\n")
    assert done.stdout == "#### 4\n#### 4\n"


@pytest.mark.parametrize("stdin", ["", "\n", "\n\n"])
def test_nothing_said(program: Program, stdin: str) -> None:
    done = program("chat", stdin=stdin)
    assert (done.exit_code, done.stdout) == (0, "")


def test_a_last_line_without_its_end(program: Program) -> None:
    assert program("chat", stdin="Say a").stdout == "#### 4\n"


def test_quiet_and_system(program: Program) -> None:
    done = program("chat", "--quiet", "--system", "Be brief.", stdin="Say a\n")
    assert (done.stdout, done.stderr) == ("#### 4\n", "")
    assert "system\nBe brief.<|im_end|>" in conversation(program)


def test_a_full_context_drops_the_oldest_turns(program: Program) -> None:
    program.context = 200
    turns = 6
    done = program("chat", "--system", "S", stdin="Say something\n" * turns)
    assert done.exit_code == 0
    assert done.stdout == "#### 4\n" * turns
    assert "the oldest turn was dropped" in done.stderr
    assert conversation(program).startswith("<|im_start|>system\nS<|im_end|>")


def test_a_line_too_long_is_told_and_the_talk_goes_on(program: Program) -> None:
    program.context = 200
    done = program("chat", stdin="Say a\n" + "x" * 300 + "\nSay b\n")
    assert done.exit_code == 0
    assert done.stdout == "#### 4\n#### 4\n"
    assert "shorten it" in done.stderr


def test_a_budget_too_small_is_told_and_the_turn_forgotten(program: Program) -> None:
    done = program("chat", "--seconds", "0.0000001", stdin="Say a\nSay b\n")
    assert done.exit_code == 0
    assert done.stderr.count("the budget ended before the first word") == 2
    assert engine_of(program).branches == []


def test_wrong_options_are_told_before_the_model_is_loaded(program: Program) -> None:
    for arguments in (["--strategy", "vot"], ["--tokens", "0"], ["--width", "0"]):
        done = program("chat", *arguments, stdin="Say a\n")
        assert done.exit_code == 2
    assert program.loads == []


def test_an_interrupted_answer_does_not_end_the_talk(program: Program) -> None:
    pressed: list[bool] = []

    def on_step(engine: ScriptedEngine) -> None:
        if len(engine.step_widths) == 3 and not pressed:
            pressed.append(True)
            program.minds[-1].stop()

    program.on_step = on_step
    done = program("chat", stdin="Say a\nSay b\n")
    assert done.exit_code == 0
    assert done.stdout == "###\n#### 4\n"


def test_an_answer_without_a_word_is_forgotten(program: Program) -> None:
    program.says = ["", "fine"]
    program("chat", stdin="Say a\nSay b\n")
    assert "Say a" not in conversation(program)


def test_a_template_that_refuses_a_later_turn_does_not_cost_the_conversation(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    program.says = ["one", "two"]

    def refusing(*arguments: Any, **options: Any) -> Prompt:
        if arguments[2][-1].content == "Refuse":
            raise ModelUnsupported("The chat template refuses this chat: no")
        return prepare(*arguments, **options)

    monkeypatch.setattr("edgemind.runtime.prepare", refusing)
    done = program("chat", stdin="Say a\nRefuse\nSay b\n")
    assert (done.exit_code, done.stdout) == (0, "one\ntwo\n")
    assert "edgemind: The chat template refuses this chat: no\n" in done.stderr
    assert "Refuse" not in conversation(program)
    assert program("chat", stdin="Refuse\n").exit_code == 3
