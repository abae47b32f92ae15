"""The Debian package: what is written into it, and a whole one around a small tree."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import edgemind

READELF = """
Dynamic section at offset 0x1 contains 2 entries:
 0x0000000000000001 (NEEDED)             Shared library: [libQt6Core.so.6]
 0x0000000000000001 (NEEDED)             Shared library: [libGL.so.1]
 0x0000000000000001 (NEEDED)             Shared library: [libc.so.6]
Version needs section '.gnu.version_r' contains 1 entry:
  0x0010:   Name: GLIBC_2.9  Flags: none  Version: 5
  0x0020:   Name: GLIBC_2.34  Flags: none  Version: 4
  0x0030:   Name: GLIBCXX_3.4.30  Flags: none  Version: 3
"""


@pytest.fixture
def deb(packaging: Callable[[str], Any]) -> Any:
    return packaging("build_deb")


def fields(text: str) -> dict[str, str]:
    lines = [line for line in text.splitlines() if not line.startswith(" ")]
    return dict(line.split(": ", 1) for line in lines)


def test_what_a_tree_asks_for_becomes_packages(deb: Any) -> None:
    libraries, glibc = deb.needs(READELF)
    assert libraries == {"libQt6Core.so.6", "libGL.so.1", "libc.so.6"}
    assert glibc == (2, 34)  # not 2.9, which is older
    assert deb.depends(libraries, ["libQt6Core.so.6"], glibc) == "libc6 (>= 2.34), libgl1"
    with pytest.raises(deb.Failure, match=r"libQt6Core\.so\.6 and does not bring it"):
        deb.depends(libraries, [], glibc)


def test_the_control_file_has_what_policy_demands(deb: Any) -> None:
    text = deb.control("edgemind", "0.1.0-1", "arm64", 1234, "libc6 (>= 2.34)", deb.MAINTAINER)
    found = fields(text)
    assert found["Package"] == "edgemind" and found["Architecture"] == "arm64"
    assert found["Conflicts"] == "edgemind-desktop" and "Provides" not in found
    assert text.endswith("\n") and "\n\n" not in text
    description = text.partition("Description: ")[2].splitlines()
    assert len(description[0]) <= 60 and not description[0].endswith(".")
    assert all(line.startswith(" ") and len(line) <= 80 for line in description[1:])
    window = fields(deb.control("edgemind-desktop", "1-1", "amd64", 1, "libc6", "a <a@b.c>"))
    assert (window["Provides"], window["Conflicts"]) == ("edgemind", "edgemind")


def test_menus_get_a_window_or_a_terminal(deb: Any, tmp_path: Path) -> None:
    plain, window = deb.desktop_file("edgemind"), deb.desktop_file("edgemind-desktop")
    assert "Exec=edgemind chat\n" in plain and "Terminal=true\n" in plain
    assert "Exec=edgemind desktop\n" in window and "Terminal=false\n" in window
    check = shutil.which("desktop-file-validate")
    if check is None:
        pytest.skip("no desktop-file-validate here (desktop-file-utils)")
    for name, text in (("plain", plain), ("window", window)):
        path = tmp_path / f"{name}.desktop"
        path.write_text(text)
        done = subprocess.run([check, path], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_the_changelog_names_version_and_day(deb: Any) -> None:
    text = deb.changelog("edgemind", "0.1.0-1", 86_400, deb.MAINTAINER)
    assert text.startswith("edgemind (0.1.0-1) unstable; urgency=medium\n")
    assert text.endswith(f"\n -- {deb.MAINTAINER}  Fri, 02 Jan 1970 00:00:00 +0000\n")


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    folder = tmp_path / "pages"
    (folder / "completions").mkdir(parents=True)
    (folder / "edgemind.1").write_text(".TH EDGEMIND 1\n")
    for name in ("edgemind", "_edgemind", "edgemind.fish"):
        (folder / "completions" / name).write_text(f"# {name}\n")
    return folder


def test_a_package_around_a_tree(deb: Any, tmp_path: Path, pages: Path) -> None:
    for tool in ("dpkg-deb", "readelf"):
        if shutil.which(tool) is None:
            pytest.skip(f"no {tool} here")
    tree = tmp_path / "tree"
    (tree / "_internal").mkdir(parents=True)
    shutil.copy(os.path.realpath(shutil.which("true") or ""), tree / "edgemind")
    (tree / "_internal" / "data").write_text("data")
    (tree / "_internal" / "link").symlink_to("data")

    def built(out: str) -> Path:
        made: Path = deb.build(tree, "arm64", tmp_path / out, pages, 86_400, deb.MAINTAINER)
        return made

    package = built("one")
    assert package.name == f"edgemind_{edgemind.__version__}-1_arm64.deb"
    assert package.read_bytes() == built("other").read_bytes()
    folder = tmp_path / "unpacked"
    subprocess.run(["dpkg-deb", "--raw-extract", package, folder], check=True)
    assert os.readlink(folder / "usr/bin/edgemind") == "../lib/edgemind/edgemind"
    assert os.readlink(folder / "usr/lib/edgemind/_internal/link") == "data"
    modes = {
        path.relative_to(folder).as_posix(): path.stat().st_mode & 0o777
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink()
    }
    assert {name for name, mode in modes.items() if mode == 0o755} == {"usr/lib/edgemind/edgemind"}
    assert set(modes.values()) == {0o755, 0o644}
    manual = gzip.decompress((folder / "usr/share/man/man1/edgemind.1.gz").read_bytes())
    assert manual == b".TH EDGEMIND 1\n"
    assert (folder / "usr/share/zsh/vendor-completions/_edgemind").read_text() == "# _edgemind\n"
    assert (folder / "usr/share/icons/hicolor/48x48/apps/edgemind.png").stat().st_size > 0
    control = fields((folder / "DEBIAN/control").read_text())
    assert control["Depends"].startswith("libc6 (>= 2.")
    done = subprocess.run(
        ["md5sum", "--check", "--quiet", "DEBIAN/md5sums"], cwd=folder, check=False
    )
    assert done.returncode == 0
    listed = subprocess.run(
        ["dpkg-deb", "--fsys-tarfile", package], capture_output=True, check=True
    )
    (tmp_path / "files.tar").write_bytes(listed.stdout)
    with tarfile.open(tmp_path / "files.tar") as archive:
        assert {(one.uid, one.gid) for one in archive} == {(0, 0)}


def test_a_folder_without_the_program_is_refused(deb: Any, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, deb.__file__, tmp_path, "--pages", tmp_path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "holds no program called edgemind" in done.stderr or "is missing" in done.stderr
