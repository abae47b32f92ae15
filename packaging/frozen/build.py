"""`packaging/build`: packages that need no Python where they run.

Needs the standard library only. What is fetched and compiled stays in $PACKAGING_CACHE
(~/.cache/edgemind-packaging); what is made goes to dist/.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import listing
import parts

ROOT: Final = parts.ROOT
DIST: Final = ROOT / "dist"
PACKAGING: Final = ROOT / "packaging"
CONSTRAINTS: Final = PACKAGING / "constraints.txt"
DESCRIBED: Final = ROOT / "build" / "frozen" / "described.cdx.json"
EXTRAS: Final = ("pull", "nvidia")
DEBIAN: Final = {"x86_64": "amd64", "aarch64": "arm64"}


def requirements(project: dict[str, Any], *, desktop: bool) -> tuple[list[str], list[str]]:
    """What the environment of a build holds, and that of the tool that describes it.

    They are two, so that nothing of the tool can get into the program. llama-cpp-python is left
    out: it is a wheel of our own.
    """
    extras = project["optional-dependencies"]
    inside = [*project["dependencies"], *(one for name in EXTRAS for one in extras[name])]
    if desktop:
        inside += extras["desktop"]
    describing = [one for one in extras["package"] if one.startswith("cyclonedx")]
    freezing = [one for one in extras["package"] if one not in describing]
    inside = [one for one in inside if not one.startswith("llama-cpp-python")]
    return [*inside, *freezing], describing


def cache() -> Path:
    """Where what is fetched and compiled stays."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("PACKAGING_CACHE") or Path(home, "edgemind-packaging"))


def epoch() -> str:
    """The time that stands in what is built: of the last commit, so that builds agree."""
    if given := os.environ.get("SOURCE_DATE_EPOCH"):
        return given
    command = ["git", "-C", str(ROOT), "log", "-1", "--format=%ct"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or str(int((ROOT / "CHANGELOG.md").stat().st_mtime))


def environment(wanted: Sequence[str]) -> Path:
    """The Python of an environment that holds what is wanted; made where there is none."""
    key = repr((wanted, CONSTRAINTS.read_text(encoding="utf-8"), sys.version)).encode()
    folder = cache() / f"venv-{hashlib.sha256(key).hexdigest()[:12]}"
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    stamp = folder / "complete"
    if not stamp.exists():
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*command, "--constraint", str(CONSTRAINTS), *wanted], check=True)
        stamp.touch()
    return python


def environments(*, desktop: bool) -> Path:
    """The Python to build with; what is installed there is described in `DESCRIBED`."""
    wheel = os.environ.get("PACKAGING_WHEEL")  # Windows builds it in another way
    if wheel is None:
        command = [str(PACKAGING / "build_portable_wheel")]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        wheel = done.stdout.strip()
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    inside, describing = requirements(project, desktop=desktop)
    python = environment([*inside, wheel])
    DESCRIBED.parent.mkdir(parents=True, exist_ok=True)
    tool = [str(environment(describing)), "-m", "cyclonedx_py", "environment"]
    tool += ["--output-reproducible", "--spec-version", "1.6", "--output-format", "JSON"]
    subprocess.run([*tool, "--output-file", str(DESCRIBED), str(python)], check=True)
    return python


def freeze(python: Path, kind: str, *, desktop: bool) -> Path:
    """Run PyInstaller; the folder or the file that it made."""
    work = ROOT / "build" / "frozen" / f"{kind}{'-desktop' if desktop else ''}"
    shutil.rmtree(work, ignore_errors=True)
    command = [str(python), "-m", "PyInstaller", "--noconfirm", "--log-level", "WARN"]
    command += ["--distpath", str(work / "dist"), "--workpath", str(work / "work")]
    command += [str(PACKAGING / "frozen" / "edgemind.spec"), "--", kind]
    subprocess.run([*command, *(["desktop"] if desktop else [])], check=True)
    made = work / "work" / "edgemind"
    bill = DIST / f"{stem(desktop=desktop)}.sbom.cdx.json"
    shutil.copy(made / "sbom.cdx.json", bill)
    return work / "dist" / ("edgemind.exe" if os.name == "nt" and kind == "file" else "edgemind")


def stem(*, desktop: bool) -> str:
    """How the names of what is built for this machine begin."""
    name = "edgemind-desktop" if desktop else "edgemind"
    return f"{name}-{parts.version()}-{sys.platform}-{platform.machine()}"


def build_folder(python: Path, *, desktop: bool) -> Path:
    """The folder, and an archive of it in dist/."""
    folder = freeze(python, "folder", desktop=desktop)
    name = stem(desktop=desktop)
    (DIST / f"{name}.files").write_text(listing.listing(folder), encoding="utf-8")
    _archive(folder, name, DIST / f"{name}.tar.gz", int(epoch()))
    return folder


def build_file(python: Path, *, desktop: bool) -> Path:
    """The program in one file, in dist/."""
    made = freeze(python, "file", desktop=desktop)
    target = DIST / f"{stem(desktop=desktop)}{made.suffix}"
    shutil.copy(made, target)
    return target


def build_deb(python: Path, *, desktop: bool) -> None:
    """A Debian package around the folder."""
    folder = build_folder(python, desktop=desktop)
    command = [str(python), str(PACKAGING / "debian" / "build_deb.py"), str(folder)]
    architecture = DEBIAN.get(platform.machine(), platform.machine())
    subprocess.run([*command, "--architecture", architecture, "--out", str(DIST)], check=True)


def _archive(folder: Path, name: str, target: Path, seconds: int) -> None:
    """A compressed archive that is the same bytes whenever it is made."""

    def anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.uid = member.gid = 0
        member.uname = member.gname = "root"
        member.mtime = seconds
        return member

    with (
        target.open("wb") as raw,
        gzip.GzipFile("", "wb", 6, raw, mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.GNU_FORMAT) as archive,
    ):
        archive.add(folder, name, recursive=False, filter=anonymous)
        for path in sorted(folder.rglob("*")):
            inner = f"{name}/{path.relative_to(folder).as_posix()}"
            archive.add(path, inner, recursive=False, filter=anonymous)


def main(arguments: Sequence[str]) -> int:
    """Build what is asked for."""
    parser = argparse.ArgumentParser(prog="packaging/build", description=__doc__)
    parser.add_argument("kind", choices=("folder", "file", "deb"))
    parser.add_argument("--desktop", action="store_true", help="with the window (needs PySide6)")
    options = parser.parse_args(arguments)
    os.environ["SOURCE_DATE_EPOCH"] = epoch()
    os.environ["PYTHONHASHSEED"] = "0"
    try:
        DIST.mkdir(exist_ok=True)
        python = environments(desktop=options.desktop)
        made = {"folder": build_folder, "file": build_file, "deb": build_deb}[options.kind]
        made(python, desktop=options.desktop)
    except subprocess.CalledProcessError as error:
        print(f"packaging/build: {error}", file=sys.stderr)
        return 1
    built = [path for path in DIST.glob("edgemind*") if path.is_file()]
    (DIST / "SHA256SUMS").write_text(listing.sums(built), encoding="utf-8")
    for path in sorted(built):
        print(f"{path.stat().st_size / 1e6:9.1f} MB  {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
