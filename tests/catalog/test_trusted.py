"""What was tried before is known again, and only that."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from edgemind.catalog.trusted import Fingerprint, TrustedFiles


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.gguf"
    path.write_bytes(b"weights")
    return path


@pytest.fixture
def trusted(tmp_path: Path) -> TrustedFiles:
    return TrustedFiles(tmp_path / "data" / "trusted", lambda _: "1")


def remember(trusted: TrustedFiles, *parts: Path) -> None:
    trusted.add(parts[0], [Fingerprint.of(part) for part in parts])


def entry(tmp_path: Path) -> Path:
    [path] = (tmp_path / "data" / "trusted").iterdir()
    return path


def test_a_file_is_known_until_it_changes(trusted: TrustedFiles, model: Path) -> None:
    assert not trusted.holds(model)
    remember(trusted, model)
    assert trusted.holds(model)
    status = model.stat()
    os.utime(model, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    assert not trusted.holds(model), "another time"
    os.utime(model, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert trusted.holds(model)
    copy = model.with_name("copy")
    copy.write_bytes(b"WEIGHTS")
    os.utime(copy, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert not trusted.holds(copy), "another path"
    copy.replace(model)
    assert not trusted.holds(model), "another inode"
    model.write_bytes(b"longer weights")
    assert not trusted.holds(model)
    model.unlink()
    assert not trusted.holds(model)


def test_all_parts_count(trusted: TrustedFiles, model: Path) -> None:
    second = model.with_name("second")
    second.write_bytes(b"more")
    remember(trusted, model, second)
    assert trusted.holds(model) and not trusted.holds(second)
    second.write_bytes(b"other")
    assert not trusted.holds(model)


def test_a_link_that_comes_to_lead_elsewhere(trusted: TrustedFiles, model: Path) -> None:
    link, other = model.with_name("link"), model.with_name("other")
    other.write_bytes(b"weights")
    link.symlink_to(model)
    remember(trusted, link)
    assert trusted.holds(link)
    link.unlink()
    link.symlink_to(other)
    assert not trusted.holds(link)


def test_another_version_knows_nothing(trusted: TrustedFiles, model: Path, tmp_path: Path) -> None:
    remember(trusted, model)
    assert not TrustedFiles(tmp_path / "data" / "trusted", lambda _: "2").holds(model)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"version": "1"}', '{"version": "1", "files": []}',
             '{"version": "1", "files": [[1]]}', '{"version": "1", "files": 5}', "[" * 100_000,
             '{"version": "1", "files": [[1, 2, 3, 4]]}']
)  # fmt: skip
def test_an_entry_that_is_none_of_ours(
    trusted: TrustedFiles, model: Path, tmp_path: Path, text: str
) -> None:
    remember(trusted, model)
    entry(tmp_path).write_text(text)
    assert not trusted.holds(model)
    remember(trusted, model)
    assert trusted.holds(model)


def test_entries_are_private_and_whole(trusted: TrustedFiles, model: Path, tmp_path: Path) -> None:
    remember(trusted, model)
    remember(trusted, model)
    path = entry(tmp_path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert json.loads(path.read_text())["version"] == "1"


def test_where_nothing_can_be_written(model: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    nowhere = TrustedFiles(tmp_path / "file" / "trusted", lambda _: "1")
    remember(nowhere, model)
    assert not nowhere.holds(model)
