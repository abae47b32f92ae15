"""`edgemind ask`: where the prompt comes from, what is printed where, exit codes."""

from __future__ import annotations

import json

import pytest

from edgemind.engines.scripted import ScriptedEngine
from edgemind.errors import ModelInvalid
from tests.cli.conftest import Program

QUESTION = "What is 2+2?"


def asked(program: Program) -> str:
    """The last conversation that the engine saw, as text."""
    engine = program.minds[-1]._engine
    assert isinstance(engine, ScriptedEngine)
    assert engine.kept is not None
    return engine.vocabulary.decode(engine.kept.tokens)


def test_the_answer_goes_to_stdout_and_the_receipt_to_stderr(program: Program) -> None:
    done = program("ask", QUESTION)
    assert done.exit_code == 0
    assert done.stdout == "#### 4\n"
    assert done.stderr == "direct · 1 sample · 7 tokens · 0.00 s · 0.0 J (measured:fake)\n"


def test_words_are_one_prompt(program: Program) -> None:
    assert program("ask", "What", "is", "2+2?").exit_code == 0
    assert f"user\n{QUESTION}<|im_end|>" in asked(program)


def test_a_pipe_is_the_prompt(program: Program) -> None:
    assert program("ask", stdin=f"{QUESTION}\n").stdout == "#### 4\n"
    assert f"user\n{QUESTION}<|im_end|>" in asked(program)


def test_instructions_and_a_pipe(program: Program) -> None:
    assert program("ask", "Add", "these:", "-", stdin="1\n2\n").exit_code == 0
    assert "user\nAdd these:\n\n1\n2<|im_end|>" in asked(program)
    program.answer_cue = None  # a model of many tasks, which knows fences
    assert program("ask", "Read these:", "-", stdin="1\n2\n").exit_code == 0
    assert "user\nRead these:\n\n```\n1\n2\n```<|im_end|>" in asked(program)


def test_bytes_that_are_no_text(program: Program) -> None:
    assert program("ask", "-", stdin=b"2+2 \xff\xfe?").exit_code == 0
    assert "2+2 \ufffd\ufffd?" in asked(program)


@pytest.mark.parametrize(
    ("arguments", "stdin", "complaint"),
    [
        (["ask"], "", "the prompt is empty"),
        (["ask", " "], "", "the prompt is empty"),
        (["ask", "-"], "\n \n", "the prompt is empty"),
        (["ask", "-"], "x" * ((1 << 20) + 1), "longer than 1 MiB"),
        (["ask", QUESTION, "--tokens", "0"], "", "0 tokens"),
        (["ask", QUESTION, "--seconds", "-1"], "", "-1.0 seconds"),
        (["ask", QUESTION, "--joules", "nan"], "", "nan joules"),
        (["ask", QUESTION, "--strategy", "vot"], "", "did you mean vote"),
        (["ask", QUESTION, "--width", "0"], "", "width"),
        (["ask", QUESTION, "--width", "257"], "", "width"),
        (["ask", QUESTION, "--threads", "0"], "", "threads"),
        (["ask", QUESTION, "--threads", "-3"], "", "threads"),
        (["ask", QUESTION, "--seconds", "many"], "", "seconds"),
        (["ask", QUESTION, "--secnods", "1"], "", "--seconds"),
    ],
)
def test_wrong_options_are_told_before_the_model_is_loaded(
    program: Program, arguments: list[str], stdin: str, complaint: str
) -> None:
    done = program(*arguments, stdin=stdin)
    assert done.exit_code == 2
    assert done.stdout == ""
    assert complaint in " ".join(done.stderr.replace("│", " ").split())
    assert program.loads == []


def test_a_model_problem(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(*_arguments: object, **_options: object) -> object:
        raise ModelInvalid("x.gguf is not a GGUF file")

    monkeypatch.setattr("edgemind.cli.ask.load", load)
    done = program("ask", QUESTION)
    assert (done.exit_code, done.stdout) == (3, "")
    assert done.stderr == "edgemind: x.gguf is not a GGUF file\n"


def test_a_budget_too_small(program: Program) -> None:
    done = program("ask", QUESTION, "--seconds", "0.0000001")
    assert (done.exit_code, done.stdout) == (4, "")
    assert done.stderr.startswith("edgemind: the budget ended before the first word")
    assert done.stderr.count("\n") == 1


def test_a_prompt_too_long(program: Program) -> None:
    program.context = 20
    done = program("ask", QUESTION)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1


def test_stopped_before_the_first_word(program: Program) -> None:
    program.on_step = lambda _engine: program.minds[-1].stop()
    done = program("ask", QUESTION)
    assert done.exit_code == 130


def test_stopped_later_is_an_answer(program: Program) -> None:
    def on_step(engine: ScriptedEngine) -> None:
        if len(engine.step_widths) == 3:
            program.minds[-1].stop()

    program.on_step = on_step
    done = program("ask", QUESTION)
    assert (done.exit_code, done.stdout) == (0, "###\n")
    assert done.stderr.endswith("stopped\n")


def test_a_second_interrupt_leaves_at_once(program: Program) -> None:
    def on_step(_engine: ScriptedEngine) -> None:
        raise KeyboardInterrupt

    program.on_step = on_step
    done = program("ask", QUESTION)
    assert done.exit_code == 130
    assert done.stdout == ""


def test_json(program: Program) -> None:
    done = program("ask", QUESTION, "--json", "--tokens", "50", "--seed", "9")
    read = json.loads(done.stdout)
    assert (read["text"], read["answer"], read["seed"]) == ("#### 4", "4", 9)
    assert read["budget"]["tokens"] == 50
    assert done.stderr == ""


def test_quiet(program: Program) -> None:
    program.says, program.logprob = ["<think>hm</think>4", "5", "4"], -2.0
    done = program("ask", QUESTION, "--quiet")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "4\n", "")


def test_explain(program: Program) -> None:
    program.says, program.logprob = ["4"], -2.0
    done = program("ask", QUESTION, "--explain")
    assert "before the first word: P(hard) = " in done.stderr
    assert "after the draft: P(right) = " in done.stderr
    assert "→ vote" in done.stderr
    assert "answer_logprob" in done.stderr
    assert "100% agree" in done.stderr
    assert done.stdout == "4\n"


def test_options_reach_the_mind(program: Program) -> None:
    done = program(
        *("ask", QUESTION, "--model", "some.gguf", "--threads", "3", "--gpu-layers", "-1"),
        *("--strategy", "vote", "--width", "3", "--system", "Be brief."),
    )
    assert done.exit_code == 0
    [(model, options)] = program.loads
    assert (model, options["threads"], options["gpu_layers"]) == ("some.gguf", 3, -1)
    assert done.stderr.startswith("vote · 2 samples")
    assert "system\nBe brief.<|im_end|>" in asked(program)


def test_the_model_from_the_environment(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEMIND_MODEL", "other.gguf")
    program("ask", QUESTION)
    assert program.loads[0][0] == "other.gguf"


def test_version_and_help(program: Program) -> None:
    assert program("--version").stdout.startswith("edgemind 0.")
    assert "ask" in program("--help").stdout
    assert "--seconds" in program("ask", "-h").stdout
    assert program.loads == []


def test_explain_tells_phases_and_the_prediction(program: Program) -> None:
    done = program("ask", QUESTION, "--explain")
    assert "where it went:" in done.stderr
    assert "  prefill " in done.stderr or "  draft " in done.stderr
    assert "predicted" in done.stderr


def test_best_effort_is_an_answer_whatever_fits(program: Program) -> None:
    done = program("ask", QUESTION, "--seconds", "0.0000001", "--best-effort")
    assert done.exit_code == 0
    assert "cut by the budget" in done.stderr
