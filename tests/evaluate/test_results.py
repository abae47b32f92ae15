"""The results file: nothing is lost in a kill, nothing is mixed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from edgemind.errors import ConfigError
from edgemind.evaluate.results import Result, ResultLog, Settings
from edgemind.types import Budget

SETTINGS = Settings("abc", 2, "m", ("direct", "auto"), 8, 1, budget=Budget(seconds=2))
FIRST = Result(0, "direct", True, "4", 1, 10, 0.5, 1.0, "stop")
SECOND = Result(0, "auto", False, None, 0, 0, 0.0, 0.0, "refused", error="too long")


def kept(path: Path, *results: Result) -> Path:
    with ResultLog(path, SETTINGS) as log:
        for result in results:
            log.append(result)
    return path


def test_results_come_back(tmp_path: Path) -> None:
    path = kept(tmp_path / "new" / "out.jsonl", FIRST, SECOND)
    with ResultLog(path, SETTINGS) as log:
        assert log.done == {(0, "direct"): FIRST, (0, "auto"): SECOND}
    assert len(path.read_text().splitlines()) == 3


def test_a_line_is_on_the_disk_at_once(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    with ResultLog(path, SETTINGS) as log:
        log.append(FIRST)
        assert json.loads(path.read_text().splitlines()[-1])["answer"] == "4"


@pytest.mark.parametrize("cut", range(1, 200, 13))
def test_a_kill_in_the_middle_of_a_line(tmp_path: Path, cut: int) -> None:
    path = kept(tmp_path / "out.jsonl", FIRST, SECOND)
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut])
    with ResultLog(path, SETTINGS) as log:
        assert set(log.done) <= {(0, "direct"), (0, "auto")}
        for result in (FIRST, SECOND):
            if (result.question, result.policy) not in log.done:
                log.append(result)
    assert path.read_bytes() == whole


def test_a_kill_in_the_header(tmp_path: Path) -> None:
    path = kept(tmp_path / "out.jsonl")
    header = path.read_bytes()
    for cut in (1, 20, len(header) - 1):
        path.write_bytes(header[:cut])
        kept(path)
        assert path.read_bytes() == header


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"width": 4}, "width 8, not 4"),
        ({"problems": "xyz"}, 'problems "abc", not "xyz"'),
        ({"policies": ("auto",)}, r'policies \["direct", "auto"\], not \["auto"\]'),
        ({"budget": Budget()}, "budget .*2.*, not .*null"),
        ({"temperature": 0.5}, "temperature null, not 0.5"),
    ],
)
def test_other_settings_are_refused(
    tmp_path: Path, change: dict[str, object], complaint: str
) -> None:
    path = kept(tmp_path / "out.jsonl", FIRST)
    before = path.read_bytes()
    with pytest.raises(ConfigError, match=f"holds results for {complaint}"):
        ResultLog(path, replace(SETTINGS, **change))  # type: ignore[arg-type]
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "text", ['{"question": 1}\n', "hello\n", "hello", '{"edgemind_eval": 2}\n']
)
def test_a_file_that_is_something_else_is_left_alone(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mine.txt"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"mine\.txt:1 is no"):
        ResultLog(path, SETTINGS)
    assert path.read_text() == text


def test_a_line_that_is_no_result(tmp_path: Path) -> None:
    path = kept(tmp_path / "out.jsonl", FIRST)
    path.write_text(path.read_text() + '{"question": 1}\n')
    with pytest.raises(ConfigError, match=r"out\.jsonl:3 is no result"):
        ResultLog(path, SETTINGS)


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be written"):
        ResultLog(tmp_path, SETTINGS)
