"""`edgemind models verify`: what it prints, and its exit codes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from edgemind import probe
from edgemind.cli.main import app
from tests.engines.conftest import tiny, written_with  # noqa: F401 (fixtures)


def models(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["models", *map(str, arguments)])


def test_the_bundled_model(nano: Path) -> None:
    result = models("verify")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == str(nano) and lines[-1] == "ok"
    told = dict(line.split(maxsplit=1) for line in lines[1:-1])
    assert told["architecture"] == "llama" and told["licence"] == "apache-2.0"
    assert told["quantisation"].startswith("Q8_0 ")
    assert re.fullmatch(r"sha256 [0-9a-f]{64} \(well known\)", told["template"])
    assert told["loads"] == "yes, in a locked process"


def test_a_changed_bundled_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgemind.cli.models.SHA256", "0" * 64)
    result = models("verify", "--no-load")
    assert result.exit_code == 3
    assert "is not the model that came with this version" in result.stderr


def test_a_model_is_remembered(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    assert models("verify", tiny).exit_code == 0
    monkeypatch.setattr(probe, "call", lambda *_, **__: pytest.fail("a child was started"))
    from edgemind.folders import data_folder

    probe.check_model(tiny, probe.trusted_files(data_folder()))


def test_nothing_is_loaded_where_not_wanted(
    tiny: Path,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(probe, "call", lambda *_, **__: pytest.fail("a child was started"))
    result = models("verify", tiny, "--no-load")
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "ok")
    assert "loads" not in result.stdout


def test_bad_files(tmp_path: Path) -> None:
    path = tmp_path / "bad.gguf"
    path.write_bytes(b"GGUF\x03\0\0\0" + bytes(8) + b"\xff" * 8)
    result = models("verify", path)
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr == (
        f"edgemind: {path} is not a sound GGUF file: 18446744073709551615 keys; at most 8192 are "
        "allowed (byte 16)\n"
    )
    assert models("verify", tmp_path / "none.gguf").exit_code == 3
    assert models("verify", tmp_path).exit_code == 3


def test_a_file_cannot_steer_the_terminal(written_with) -> None:  # type: ignore[no-untyped-def]  # noqa: F811
    path = written_with(general__license="mit\x1b[2J\nok", tokenizer__ggml__unknown_token_id=9999)
    result = models("verify", path, "--no-load")
    assert result.exit_code == 0
    assert "licence       mit[2J ok\n" in result.stdout
    assert "note          tokenizer.ggml.unknown_token_id is 9999, of 600 tokens" in result.stdout


def test_the_group_is_listed_and_loads_late() -> None:
    result = CliRunner().invoke(app, ["--help"])
    assert "models" in result.stdout
    assert "verify" in models("--help").stdout
