"""Files of our own: brought whole, removed only as they were put, swept up after a kill."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

import pytest

from edgemind.catalog import shelf as shelves
from edgemind.catalog.shelf import STAGING, Shelf
from edgemind.errors import ConfigError


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "models")


@pytest.fixture
def sources(tmp_path: Path) -> list[tuple[Path, str]]:
    """Two files of a model, one in a folder of it."""
    one, two = tmp_path / "a.onnx", tmp_path / "weights"
    one.write_bytes(b"graph")
    two.write_bytes(b"weights")
    return [(one, "onnx/a.onnx"), (two, "weights")]


def lying(shelf: Shelf) -> list[str]:
    """All files on the shelf but for its lock."""
    found = (str(p.relative_to(shelf.folder)) for p in shelf.folder.rglob("*") if p.is_file())
    return sorted(one for one in found if one != ".lock")


@pytest.mark.parametrize("keep", [True, False])
def test_files_are_brought(shelf: Shelf, sources: list[tuple[Path, str]], keep: bool) -> None:
    told: list[int] = []
    with shelf.stage("org/m:Q4", sources, keep=keep, tell=told.append) as staged:
        assert (staged.folder / "onnx" / "a.onnx").read_bytes() == b"graph"
        assert staged.folder.name.startswith("org-m-Q4-")
    assert [one.bytes for one in staged.own] == [5, 7]
    assert len(lying(shelf)) == 2
    assert all(source.exists() for source, _ in sources)
    if keep:
        assert staged.sha256 == hashlib.sha256(b"graph").hexdigest() and sum(told) == 12
        assert not os.path.samefile(sources[0][0], staged.own[0].path)
    else:
        assert os.path.samefile(sources[0][0], staged.own[0].path)


def test_without_hard_links_they_are_copied(
    shelf: Shelf, sources: list[tuple[Path, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "link", refuse)
    with shelf.stage("m", sources, keep=False) as staged:
        assert staged.sha256 is not None
    assert len(lying(shelf)) == 2


def test_nothing_is_left_of_what_failed(shelf: Shelf, sources: list[tuple[Path, str]]) -> None:
    with pytest.raises(ConfigError, match="taken"), shelf.stage("m", sources, keep=True):
        raise ConfigError("taken")
    sources[1][0].unlink()
    with pytest.raises(FileNotFoundError), shelf.stage("m", sources, keep=True):
        pytest.fail("a file was missing")
    assert [path.name for path in shelf.folder.iterdir()] == [".lock"]


def test_a_full_disk(
    shelf: Shelf, sources: list[tuple[Path, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelves, "SPARE_BYTES", 1 << 60)
    with (
        pytest.raises(ConfigError, match=r"0.0 GB are needed and 0.0 GB are free at"),
        shelf.stage("m", sources, keep=True),
    ):
        pytest.fail("there was room")
    assert lying(shelf) == []


def test_only_what_was_put_is_removed(
    shelf: Shelf, sources: list[tuple[Path, str]], tmp_path: Path
) -> None:
    with shelf.stage("m", sources, keep=True) as staged:
        pass
    (staged.folder / "notes.txt").write_text("a person's")
    changed = staged.own[1].path
    changed.write_bytes(b"another's")
    assert shelf.remove(staged.own, lambda: None) == [changed]
    assert lying(shelf) == [f"{staged.folder.name}/notes.txt", f"{staged.folder.name}/weights"]
    assert not (staged.folder / "onnx").exists()


def test_a_link_in_a_files_place_is_left(shelf: Shelf, sources: list[tuple[Path, str]]) -> None:
    with shelf.stage("m", sources, keep=True) as staged:
        pass
    path = staged.own[1].path
    path.unlink()
    path.symlink_to(sources[1][0])
    assert shelf.remove(staged.own, lambda: None) == [path]
    assert sources[1][0].exists() and path.is_symlink()


def test_files_elsewhere_are_not_ours(shelf: Shelf, sources: list[tuple[Path, str]]) -> None:
    """Whatever the catalogue says: what lies outside of the shelf is never removed."""
    own = [shelves.as_put(source) for source, _ in sources]
    assert shelf.remove(own, lambda: None) == [source for source, _ in sources]
    assert all(source.exists() for source, _ in sources)


def test_after_a_kill(shelf: Shelf, sources: list[tuple[Path, str]]) -> None:
    """A process dies while it fills a folder: what it brought goes, what is a person's stays."""
    pid = os.fork()
    if not pid:
        with shelf.stage("m", sources, keep=True) as staged:
            (staged.folder / "notes.txt").write_text("a person's")
            os._exit(9)
    os.waitpid(pid, 0)
    assert len(lying(shelf)) == 4
    shelf.sweep(lambda: [])
    [left] = lying(shelf)
    assert left.endswith("/notes.txt")


def test_what_is_in_the_catalogue_is_not_swept(
    shelf: Shelf, sources: list[tuple[Path, str]]
) -> None:
    pid = os.fork()
    if not pid:
        with shelf.stage("m", sources, keep=True):
            os._exit(9)
    os.waitpid(pid, 0)
    [mark] = shelf.folder.rglob(STAGING)
    shelf.sweep(lambda: [mark.parent / "weights"])
    assert len(lying(shelf)) == 2 and not mark.exists()


def test_a_running_process_is_not_swept(shelf: Shelf, sources: list[tuple[Path, str]]) -> None:
    with shelf.stage("m", sources, keep=True):
        pid = os.fork()
        if not pid:
            # A lock belongs to the open file, which a fork shares: another process opens its own.
            os.execl(sys.executable, sys.executable, "-c", SWEEP, str(shelf.folder))
        os.waitpid(pid, 0)
        assert len(lying(shelf)) == 3
    assert len(lying(shelf)) == 2


SWEEP = """
import sys
from pathlib import Path
from edgemind.catalog.shelf import Shelf
Shelf(Path(sys.argv[1])).sweep(lambda: [])
"""
