"""`edgemind eval`: what it prints and writes, and what it refuses."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from edgemind.catalog.fingerprint import fingerprint
from edgemind.engines.scripted import ScriptedEngine
from tests.cli.conftest import Program
from tests.evaluate.synthetic import record, write

ROWS = [
    {"prompt": "What is 2+2?", "answer": "4", "level": "easy"},
    {"question": "What is 3+3?", "answer": "3+3 is\n#### 6", "level": "hard"},
]


@pytest.fixture
def questions(tmp_path: Path, program: Program, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr("edgemind.cli.eval.load", program.load)
    return str(write(tmp_path / "q.jsonl", ROWS))


def test_the_report_and_its_files(program: Program, questions: str, tmp_path: Path) -> None:
    report, plot = tmp_path / "report.json", tmp_path / "plot"
    done = program(
        *("eval", questions, "--policies", "direct,majority", "--width", "3", "--by", "level"),
        *("--json", str(report), "--plot", str(plot), "--threads", "2"),
    )
    assert done.exit_code == 0, done.stderr
    assert "q.jsonl: 2 questions, scripted, width 3" in done.stdout
    assert "direct       50.0" in done.stdout
    assert "majority − direct" in done.stdout
    assert "easy: 1 of the questions" in done.stdout
    assert "A direct" in done.stdout
    assert program.loads == [
        (None, {"threads": 2, "gpu_layers": 0, "variant": None, "provider": "cpu"})
    ]
    written = json.loads(report.read_text())
    assert written["settings"]["policies"] == ["direct", "majority"]
    assert written["policies"][0]["accuracy"]["value"] == 0.5
    assert written["groups"]["easy"]["policies"][0]["accuracy"]["value"] == 1
    assert (tmp_path / "plot.png").exists()
    assert (tmp_path / "plot.svg").exists()


def test_all_policies_and_the_oracle(program: Program, questions: str) -> None:
    done = program("eval", questions, "--limit", "1")
    assert done.exit_code == 0, done.stderr
    for policy in ("direct", "majority", "vote", "auto", "oracle"):
        assert f"\n{policy}" in done.stdout
    assert done.stderr == ""  # no bar where nobody looks


def test_it_goes_on_after_an_interrupt(program: Program, questions: str, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    arguments = ("eval", questions, "--policies", "direct", "--out", str(out))

    def interrupt(engine: ScriptedEngine) -> None:
        if len(engine.step_widths) == 10:
            raise KeyboardInterrupt

    program.on_step = interrupt
    done = program(*arguments)
    assert done.exit_code == 130
    assert done.stderr == f"stopped: the same command goes on from {out}\n"
    assert len(out.read_text().splitlines()) == 2  # the header, and the first question
    program.on_step = None
    assert program(*arguments).exit_code == 0
    assert len(out.read_text().splitlines()) == 3
    refused = program(*arguments, "--width", "2")
    assert refused.exit_code == 2
    assert "holds results for width 8, not 2" in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_results_belong_to_the_weights_that_a_name_stands_for(
    program: Program, questions: str, tmp_path: Path, nano: Path
) -> None:
    out = tmp_path / "out.jsonl"
    arguments = ("eval", questions, "--policies", "direct", "--out", str(out), "--model")
    assert program(*arguments, "edgemind-nano").exit_code == 0
    [header, *_] = out.read_text().splitlines()
    assert json.loads(header)["settings"]["weights"] == fingerprint(nano)
    assert program(*arguments, str(nano)).exit_code == 0  # the same file
    other = tmp_path / "edgemind-nano.gguf"
    other.write_bytes(nano.read_bytes() + b"\0")
    assert program(*arguments, str(other)).exit_code == 2


def test_replay(program: Program, tmp_path: Path) -> None:
    recorded = str(record(tmp_path / "r.jsonl", 40))
    report = tmp_path / "report.json"
    done = program("eval", recorded, "--replay", "--shuffles", "3", "--json", str(report))
    assert done.exit_code == 0, done.stderr
    assert "r.jsonl: 40 questions, 3 shuffles, seed 1" in done.stdout
    assert "the cheapest Beta threshold that loses no more than worth" in done.stdout
    assert "8 samples" in done.stdout
    assert program.loads == []
    written = json.loads(report.read_text())
    assert [rule["policy"] for rule in written["rules"]][:2] == ["majority", "certain"]
    half = program("eval", recorded, "--replay", "--shuffles", "1", "--half", "0", "--limit", "5")
    assert "r.jsonl: 5 questions" in half.stdout


@pytest.mark.parametrize(
    ("line", "arguments", "complaint"),
    [
        ("{", (), "q.jsonl:1 is no JSON"),
        ('{"prompt": "?"}', (), 'q.jsonl:1 has no "answer"'),
        ("", (), "q.jsonl holds no questions"),
        ("", ("--replay",), "q.jsonl holds no recordings"),
        ('{"prompt": "?", "answer": "1"}', ("--replay",), 'q.jsonl:1 has no "gold"'),
        ('{"prompt": "?", "answer": "1"}', ("--policies", "vot"), "did you mean vote"),
        ('{"prompt": "?", "answer": "1"}', ("--seconds", "-1"), "-1.0 seconds"),
        ('{"prompt": "?", "answer": "1"}', ("--temperature", "-1"), "temperature"),
        ('{"prompt": "?", "answer": "1"}', ("--by", "level"), 'no "level"'),
    ],
)
def test_mistakes_are_one_line_and_no_model_is_loaded(
    program: Program, questions: str, line: str, arguments: tuple[str, ...], complaint: str
) -> None:
    write(Path(questions), [line])
    done = program("eval", questions, *arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert complaint in done.stderr
    assert done.stderr.count("\n") == 1
    assert program.loads == []


def test_files_that_cannot_be(program: Program, questions: str, tmp_path: Path) -> None:
    missing = program("eval", str(tmp_path / "missing.jsonl"))
    assert (missing.exit_code, missing.stderr.count("\n")) == (2, 1)
    done = program("eval", questions, "--policies", "direct", "--json", str(tmp_path))
    assert done.exit_code == 2
    assert "cannot be written" in done.stderr
    assert program.loads == []
    (tmp_path / "file").write_text("")
    late = program(
        *("eval", questions, "--policies", "direct", "--json", str(tmp_path / "file" / "report"))
    )
    assert (late.exit_code, late.stderr.count("\n")) == (2, 1)


def test_without_matplotlib(
    program: Program, questions: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    done = program("eval", questions, "--plot", "x")
    assert done.exit_code == 2
    assert "pip install 'edgemind[eval]'" in done.stderr
    assert program.loads == []
