"""`edgemind ask --schema`: the answer is JSON, a wrong schema is one line on stderr."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Program

SCHEMA = {"type": "object", "properties": {"sum": {"type": "integer"}}, "required": ["sum"]}


def test_the_answer_is_json(program: Program, tmp_path: Path) -> None:
    path = tmp_path / "schema.json"
    path.write_text(json.dumps(SCHEMA))
    program.says = ['{"sum": 4}']
    assert program("ask", "2+2?", "--schema", str(path)).stdout == '{"sum": 4}\n'
    done = program("ask", "2+2?", "--schema", str(path), "--tokens", "3", "--quiet")
    assert list(json.loads(done.stdout)) == ["sum"]
    done = program("ask", "2+2?", "--schema", str(path), "--json")
    assert json.loads(json.loads(done.stdout)["answer"]) == {"sum": 4}


@pytest.mark.parametrize(
    ("content", "complaint"),
    [(None, "cannot read"), ("{", "is not JSON"), ('{"type": "strnig"}', "unknown type")],
)
def test_a_wrong_schema(
    program: Program, tmp_path: Path, content: str | None, complaint: str
) -> None:
    path = tmp_path / "schema.json"
    if content is not None:
        path.write_text(content)
    done = program("ask", "2+2?", "--schema", str(path))
    assert done.exit_code == 2
    assert complaint in done.stderr
    assert done.stderr.count("\n") == 1
    assert program.loads == []
