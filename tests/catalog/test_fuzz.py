"""A small, seeded share of what `scripts/fuzz_headers.py` does at length."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

import fuzz_headers
import fuzz_onnx
import fuzz_seeds
from edgemind.errors import ModelError
from edgemind.formats.onnx_files import inspect_onnx
from fuzz_seeds import Seed


def test_spoiled_headers(capsys: pytest.CaptureFixture[str]) -> None:
    came = fuzz_headers.fuzz_headers(3000, random.Random(7), None)
    assert came.total() == 3000
    assert came["ModelInvalid"] > 2000 and came["sound"] > 50
    assert "worst share of the time" in capsys.readouterr().out


def test_spoiled_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    came = fuzz_headers.fuzz_files(8, random.Random(3), tmp_path)
    assert came.total() == 8
    assert "slowest" in capsys.readouterr().out


def test_spoiled_onnx_models(tmp_path: Path) -> None:
    rng = random.Random(7)
    seeds = [
        Seed(str(number), data, len(data), ()) for number, data in enumerate(fuzz_onnx.models())
    ]
    (tmp_path / fuzz_onnx.WEIGHTS_FILE).write_bytes(bytes(1 << 16))
    path = tmp_path / "model.onnx"
    refused = 0
    for _ in range(500):
        path.write_bytes(fuzz_seeds.spoiled(rng, rng.choice(seeds), seeds)[0])
        try:
            inspect_onnx(path)
        except ModelError as error:
            refused += 1
            assert str(error).isprintable()
    assert 200 < refused < 500


def test_a_failure_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    def burst(*_: object) -> None:
        raise IndexError("out of range")

    monkeypatch.setattr(fuzz_headers, "judge", burst)
    with pytest.raises(fuzz_headers.Failure, match="IndexError: out of range"):
        fuzz_headers.kept(b"data", lambda: fuzz_headers.try_header(b"data", 4))
    assert (tmp_path / "fuzz-failure.bin").read_bytes() == b"data"
