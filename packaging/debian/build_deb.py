"""A Debian package around a folder that holds the program.

    python packaging/debian/build_deb.py TREE [--architecture amd64] [--out dist] [--pages FOLDER]
        [--extra FOLDER]

TREE is what goes to /usr/lib/edgemind, with the executable `edgemind` in it: a one-folder build, of
any architecture. Nothing in it is run. Without --pages the man page and the completions are made
by packaging/pages.py, which needs edgemind in this Python. Needs dpkg-deb, and readelf of binutils.
--extra names a folder of what is said otherwise of a tree that is no frozen build: `depends`
(packages besides those of its libraries), `copyright`, and the scripts `postinst` and `prerm`.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).resolve().parent
ROOT: Final = HERE.parents[1]
ELF: Final = b"\x7fELF"

MAINTAINER: Final = "edgemind maintainers <maintainers@edgemind.invalid>"
REVISION: Final = 1
SIZES: Final = (16, 24, 32, 48, 64, 128, 256, 512)
COMPLETIONS: Final = {
    "edgemind": "usr/share/bash-completion/completions",
    "_edgemind": "usr/share/zsh/vendor-completions",
    "edgemind.fish": "usr/share/fish/vendor_completions.d",
}

PACKAGES: Final = {
    # The C library's own parts come with libc6.
    **dict.fromkeys(
        ("libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1", "libutil.so.1"),
        "",
    ),
    **dict.fromkeys(("ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1", "libresolv.so.2"), ""),
    # A frozen build brings these, wheels in a tree of their own may not.
    "libgomp.so.1": "libgomp1",
    "libstdc++.so.6": "libstdc++6",
    "libgcc_s.so.1": "libgcc-s1",
    "libcrypt.so.1": "libcrypt1",
    "libGL.so.1": "libgl1",
    "libEGL.so.1": "libegl1",
    "libOpenGL.so.0": "libopengl0",
    "libGLX.so.0": "libglx0",
    "libX11.so.6": "libx11-6",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libxcb.so.1": "libxcb1",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libdbus-1.so.3": "libdbus-1-3",
    "libwayland-client.so.0": "libwayland-client0",
    "libwayland-cursor.so.0": "libwayland-cursor0",
    "libwayland-egl.so.1": "libwayland-egl1",
    "libdrm.so.2": "libdrm2",
    "libgbm.so.1": "libgbm1",
    "libz.so.1": "zlib1g",
}
"""Debian's packages of libraries that the tree may ask for without bringing them."""

SUMMARY: Final = {
    "edgemind": "answers on this device, within a budget",
    "edgemind-desktop": "answers on this device, within a budget, with a window",
}
DESCRIPTION: Final = """\
 edgemind asks a language model on this machine. A question gets as much
 thinking as it is worth: one pass where it is easy, several samples and a
 vote where it is hard, within limits of seconds, joules or tokens.
 .
 Nothing that is typed leaves the machine: the program locks itself out of
 every network before it answers. A small model comes with it; other models
 (GGUF, ONNX) can be given."""
NO_PYTHON: Final = " It needs no Python."
SCRIPTS: Final = ("postinst", "prerm")
DESKTOP_FILE: Final = """\
[Desktop Entry]
Type=Application
Name=edgemind
GenericName=On-device assistant
Comment=Ask a language model on this device; nothing leaves it
Exec=edgemind {command}
Icon=edgemind
Terminal={terminal}
Categories=Utility;
Keywords=AI;language model;offline;private;
"""


class Failure(Exception):
    """The package cannot be made; the text says what to do."""


def elf_files(tree: Path) -> list[Path]:
    """Programs and libraries in the tree."""
    found = []
    for path in sorted(tree.rglob("*")):
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                if file.read(4) == ELF:
                    found.append(path)
    return found


def needs(readelf: str) -> tuple[set[str], tuple[int, ...]]:
    """The libraries that `readelf -dVW` names, and the newest version of glibc it asks for."""
    libraries = set(re.findall(r"\(NEEDED\).*\[(.+?)\]", readelf))
    versions = re.findall(r"Name: GLIBC_(\d+(?:\.\d+)+)", readelf)
    return libraries, max((tuple(map(int, one.split("."))) for one in versions), default=(0,))


def depends(needed: Iterable[str], brought: Iterable[str], glibc: Sequence[int]) -> str:
    """The field Depends. Raises `Failure` for a library whose package is not known."""
    version = ".".join(map(str, glibc))
    packages = {f"libc6 (>= {version})"}
    for library in sorted(set(needed) - set(brought)):
        if library not in PACKAGES:
            raise Failure(
                f"the tree asks for {library} and does not bring it: say in PACKAGES of "
                f"{Path(__file__).name} which package of Debian has it"
            )
        packages |= {PACKAGES[library]} - {""}
    return ", ".join(sorted(packages))


def control(
    package: str, version: str, architecture: str, kilobytes: int, depends_on: str, maintainer: str
) -> str:
    """The control file."""
    other = "edgemind-desktop" if package == "edgemind" else "edgemind"
    lines = [
        f"Package: {package}",
        f"Version: {version}",
        f"Architecture: {architecture}",
        f"Maintainer: {maintainer}",
        f"Installed-Size: {kilobytes}",
        f"Depends: {depends_on}",
        "Suggests: strace",
        f"Conflicts: {other}",
        f"Replaces: {other}",
        *(["Provides: edgemind"] if package != "edgemind" else []),
        "Section: utils",
        "Priority: optional",
        f"Description: {SUMMARY[package]}",
        DESCRIPTION + ("" if "python3" in depends_on else NO_PYTHON),
    ]
    return "\n".join(lines) + "\n"


def changelog(package: str, version: str, epoch: int, maintainer: str) -> str:
    """Debian's changelog: one entry, for the version that is built."""
    date = format_datetime(datetime.fromtimestamp(epoch, UTC))
    return (
        f"{package} ({version}) unstable; urgency=medium\n\n"
        f"  * Built from edgemind's sources; what changed stands in changelog.gz.\n\n"
        f" -- {maintainer}  {date}\n"
    )


def desktop_file(package: str) -> str:
    """The entry of menus: the window where there is one, otherwise a chat in a terminal."""
    if package == "edgemind-desktop":
        return DESKTOP_FILE.format(command="desktop", terminal="false")
    return DESKTOP_FILE.format(command="chat", terminal="true")


def project_version() -> str:
    """edgemind's version."""
    text = (ROOT / "edgemind" / "__init__.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "(.+)"$', text, re.MULTILINE)
    if found is None:
        raise Failure("edgemind/__init__.py states no version")
    return found[1]


def build(
    tree: Path,
    architecture: str,
    out: Path,
    pages: Path,
    epoch: int,
    maintainer: str,
    extra: Path | None = None,
) -> Path:
    """The package's file in `out`; `extra` is the folder of what is said otherwise."""
    if not (tree / "edgemind").is_file():
        raise Failure(f"{tree} holds no program called edgemind: build one with packaging/build")
    package = "edgemind-desktop" if any(tree.rglob("PySide6")) else "edgemind"
    version = f"{project_version()}-{REVISION}"
    with tempfile.TemporaryDirectory(prefix="edgemind-deb-") as scratch:
        stage = Path(scratch, "stage")
        _lay_out(tree, stage, package, version, pages, epoch, maintainer)
        needed, brought, glibc = _asked_for(stage / "usr/lib/edgemind")
        depends_on = depends(needed, brought, glibc)
        if extra is not None:
            depends_on += ", " + (extra / "depends").read_text(encoding="utf-8").strip()
            _write(
                stage / "usr/share/doc" / package / "copyright", (extra / "copyright").read_bytes()
            )
        files = [path for path in sorted(stage.rglob("*")) if path.is_file() or path.is_symlink()]
        kilobytes = sum(-(-path.lstat().st_size // 1024) for path in files)
        sums = "".join(
            f"{hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()}"
            f"  {path.relative_to(stage)}\n"
            for path in files
            if not path.is_symlink()
        )
        _write(
            stage / "DEBIAN/control",
            control(
                package,
                version,
                architecture,
                kilobytes,
                depends_on,
                maintainer,
            ),
        )
        _write(stage / "DEBIAN/md5sums", sums)
        if extra is not None:
            for name in SCRIPTS:
                _write(stage / "DEBIAN" / name, (extra / name).read_bytes())
        for path in (stage, *stage.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or _is_program(path) else 0o644)
            os.utime(path, (epoch, epoch), follow_symlinks=False)
        out.mkdir(parents=True, exist_ok=True)
        target = out / f"{package}_{version}_{architecture}.deb"
        command = ["dpkg-deb", "--root-owner-group", "-Zxz", "--build", str(stage), str(target)]
        environment = {**os.environ, "SOURCE_DATE_EPOCH": str(epoch)}
        subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
    return target


def _lay_out(
    tree: Path, stage: Path, package: str, version: str, pages: Path, epoch: int, maintainer: str
) -> None:
    """Everything to its place below `stage`, but for the control files."""
    share = stage / "usr/share"
    shutil.copytree(tree, stage / "usr/lib/edgemind", symlinks=True)
    (stage / "usr/bin").mkdir(parents=True)
    (stage / "usr/bin/edgemind").symlink_to("../lib/edgemind/edgemind")
    _write(share / "applications/edgemind.desktop", desktop_file(package))
    icons = ROOT / "packaging" / "icons"
    for size in SIZES:
        place = share / f"icons/hicolor/{size}x{size}/apps/edgemind.png"
        _write(place, (icons / f"edgemind-{size}.png").read_bytes())
    svg = (icons / "edgemind.svg").read_bytes()
    _write(share / "icons/hicolor/scalable/apps/edgemind.svg", svg)
    for name, folder in COMPLETIONS.items():
        _write(stage / folder / name, (pages / "completions" / name).read_bytes())
    _write(share / "man/man1/edgemind.1.gz", _zipped((pages / "edgemind.1").read_bytes()))
    documents = share / "doc" / package
    text = changelog(package, version, epoch, maintainer)
    _write(documents / "changelog.Debian.gz", _zipped(text.encode()))
    _write(documents / "changelog.gz", _zipped((ROOT / "CHANGELOG.md").read_bytes()))
    _write(documents / "copyright", (HERE / "copyright").read_bytes())
    overrides = (HERE / "lintian-overrides").read_text(encoding="utf-8")
    _write(share / "lintian/overrides" / package, overrides.replace("PACKAGE", package))


def _asked_for(tree: Path) -> tuple[set[str], set[str], tuple[int, ...]]:
    """Libraries that files in the tree need, names of files in it, and the version of glibc."""
    needed: set[str] = set()
    glibc: tuple[int, ...] = (0,)
    for path in elf_files(tree):
        command = ["readelf", "-dVW", str(path)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        libraries, version = needs(done.stdout)
        needed |= libraries
        glibc = max(glibc, version)
    return needed, {path.name for path in tree.rglob("*")}, glibc


def _is_program(path: Path) -> bool:
    if path.parent.name == "DEBIAN":
        return path.name in SCRIPTS
    return path.name == "edgemind" and path.parent.parts[-2:] == ("lib", "edgemind")


def _zipped(data: bytes) -> bytes:
    return gzip.compress(data, 9, mtime=0)


def _write(path: Path, content: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def main(arguments: Sequence[str]) -> int:
    """Make the package and print its path."""
    parser = argparse.ArgumentParser(description="A Debian package around a folder.")
    parser.add_argument("tree", type=Path)
    parser.add_argument("--architecture", default="amd64", help="Debian's name of it")
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    parser.add_argument("--pages", type=Path, help="what packaging/pages.py wrote")
    parser.add_argument("--extra", type=Path, help="a folder of what is said otherwise")
    parser.add_argument("--maintainer", default=MAINTAINER)
    options = parser.parse_args(arguments)
    epoch = int(os.environ.get("SOURCE_DATE_EPOCH", "0"))
    try:
        for tool in ("dpkg-deb", "readelf"):
            if shutil.which(tool) is None:
                raise Failure(f"{tool} is missing: sudo apt install dpkg binutils")
        with tempfile.TemporaryDirectory(prefix="edgemind-pages-") as scratch:
            pages = options.pages
            if pages is None:
                pages = Path(scratch)
                command = [sys.executable, str(ROOT / "packaging" / "pages.py"), scratch]
                environment = {**os.environ, "PYTHONPATH": str(ROOT)}
                subprocess.run(command, check=True, env=environment)
            print(
                build(
                    options.tree,
                    options.architecture,
                    options.out,
                    pages,
                    epoch,
                    options.maintainer,
                    options.extra,
                )
            )
    except Failure as failure:
        print(f"build_deb: {failure}", file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        print(f"build_deb: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
