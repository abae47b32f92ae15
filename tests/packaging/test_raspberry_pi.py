"""What packs edgemind for Raspberry Pi, without compiling or QEMU: wheel, page, comparison."""

from __future__ import annotations

import base64
import hashlib
import importlib
import os
import re
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import edgemind
from edgemind.config import load_config

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "packaging" / "raspberry-pi"
PAGE = (FOLDER / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Imports a module of packaging/raspberry-pi by name."""
    monkeypatch.syspath_prepend(FOLDER)
    return importlib.import_module


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """An unpacked source archive of llama-cpp-python, small."""
    folder = tmp_path / "llama_cpp_python-9.8.7"
    for name, text in {
        "PKG-INFO": "Metadata-Version: 2.2\nName: llama_cpp_python\nVersion: 9.8.7\n\nText\n",
        "LICENSE.md": "MIT",
        "vendor/llama.cpp/LICENSE": "MIT of llama.cpp",
        "llama_cpp/__init__.py": "",
        "llama_cpp/llama_cpp.py": "x = 1\n",
        "llama_cpp/py.typed": "",
        "llama_cpp/lib/old.so": "of another machine",
        "llama_cpp/server/app.py": "y = 2\n",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def libraries(tmp_path: Path) -> Path:
    """What the compiler leaves, and a file of somebody else's."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("ggml", "ggml-base", "ggml-cpu-armv8.0_1", "ggml-cpu-armv8.2_2", "llama", "mtmd"):
        (folder / f"lib{name}.so").write_bytes(b"\x7fELF" + name.encode())
    return folder


@pytest.mark.parametrize(
    "name", ["build_deb", "build_wheel", "check_qemu", "common", "debian/postinst", "debian/prerm"]
)
def test_scripts_are_whole(name: str) -> None:
    assert os.access(FOLDER / name, os.X_OK) == (name != "common")
    for shell in {"sh", "bash" if shutil.which("bash") else "sh"}:
        subprocess.run([shell, "-n", FOLDER / name], check=True)


def test_the_wheel_holds_modules_libraries_and_licences(
    module: Any, source: Path, libraries: Path, tmp_path: Path
) -> None:
    pack = module("pack_wheel").main
    wheel = pack(source, libraries, tmp_path, "linux_aarch64")
    assert wheel.name == "llama_cpp_python-9.8.7-py3-none-linux_aarch64.whl"
    information = "llama_cpp_python-9.8.7.dist-info"
    with zipfile.ZipFile(wheel) as archive:
        assert archive.testzip() is None
        content = {name: archive.read(name) for name in archive.namelist()}
    assert sorted(content) == sorted(
        [
            *(f"llama_cpp/{name}" for name in ("__init__.py", "llama_cpp.py", "py.typed")),
            "llama_cpp/server/app.py",
            *(f"llama_cpp/lib/lib{name}.so" for name in ("ggml", "ggml-base", "llama")),
            *(f"llama_cpp/lib/libggml-cpu-{name}.so" for name in ("armv8.0_1", "armv8.2_2")),
            *(f"{information}/{name}" for name in ("METADATA", "WHEEL", "RECORD")),
            f"{information}/licenses/LICENSE.md",
            f"{information}/licenses/llama.cpp/LICENSE",
        ]
    )
    assert b"Tag: py3-none-linux_aarch64\n" in content[f"{information}/WHEEL"]
    assert b"Root-Is-Purelib: false\n" in content[f"{information}/WHEEL"]
    for line in content.pop(f"{information}/RECORD").decode().splitlines():
        name, digest, size = line.split(",")
        if name in content:
            data = content.pop(name)
            expected = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode()
            assert (digest, size) == (f"sha256={expected.rstrip('=')}", str(len(data)))
    assert not content  # all of them are on the list

    (tmp_path / "again").mkdir()
    again = pack(source, libraries, tmp_path / "again", "linux_aarch64")
    assert again.read_bytes() == wheel.read_bytes()


def test_a_wheel_without_kernels_is_refused(
    module: Any, source: Path, libraries: Path, tmp_path: Path
) -> None:
    for path in libraries.glob("libggml-cpu-*"):
        path.unlink()
    with pytest.raises(SystemExit, match=r"has no libggml-cpu-\*\.so: build llama\.cpp first"):
        module("pack_wheel").main(source, libraries, tmp_path, "linux_aarch64")
    assert not list(tmp_path.glob("*.whl"))


def test_the_scripts_know_the_version_that_the_project_pins() -> None:
    script = '. "$root/packaging/raspberry-pi/common"; llama_version'
    done = subprocess.run(
        ["sh", "-c", script],
        env={"root": str(ROOT), "HOME": "/nowhere", "PATH": os.environ["PATH"]},
        check=True,
        capture_output=True,
        text=True,
    )
    version = done.stdout.strip()
    assert f'"llama-cpp-python=={version}"' in (ROOT / "pyproject.toml").read_text()
    assert f"llama_cpp_python-{version}-py3-none-linux_aarch64.whl" in PAGE


def test_the_page_has_the_tables_that_are_computed(module: Any) -> None:
    expected = module("expected")
    assert expected.sizes() in PAGE
    assert expected.speeds() in PAGE


def test_what_is_computed_agrees_with_what_others_measured(module: Any) -> None:
    expected = module("expected")
    board = next(one for one in expected.BOARDS if one.name == "5")
    model = next(one for one in expected.MODELS if one.name == "Llama-3.2-3B")
    # 5.5 tokens/s in Q4_K_M, a little larger than Q4_0.
    assert board.bytes_per_second / model.step_bytes == pytest.approx(5.5, rel=0.2)
    assert model.fits(4) and not model.fits(2)


def test_the_profile_on_the_page_is_one(tmp_path: Path) -> None:
    [text] = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    file = tmp_path / "config.toml"
    file.write_text(text)
    config = load_config(file, {"EDGEMIND_PROFILE": "pi"})
    assert config.options() == {"threads": 4, "width": 4}
    assert (config.budget.seconds, config.budget.joules) == (60, 300)


@pytest.mark.skipif(not shutil.which("dpkg-deb"), reason="no dpkg-deb here")
@pytest.mark.skipif(not shutil.which("readelf"), reason="no readelf here (binutils)")
def test_the_package_needs_the_systems_python(
    packaging: Callable[[str], Any], tmp_path: Path
) -> None:
    tree, pages = tmp_path / "tree", tmp_path / "pages"
    (tree / "bin").mkdir(parents=True)
    (tree / "bin" / "python3").symlink_to("/usr/bin/python3.11")
    (tree / "edgemind").write_text("#!/usr/lib/edgemind/bin/python3 -P\n")
    (pages / "completions").mkdir(parents=True)
    for name in ("edgemind.1", *(f"completions/{one}" for one in "edgemind _edgemind".split())):
        (pages / name).write_text(name)
    (pages / "completions" / "edgemind.fish").write_text("")
    made = packaging("build_deb").build(
        tree, "arm64", tmp_path, pages, 0, "a <a@b.c>", FOLDER / "debian"
    )
    assert made.name == f"edgemind_{edgemind.__version__}-1_arm64.deb"

    def tell(*arguments: str) -> str:
        command = ["dpkg-deb", *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    assert (
        tell("-f", str(made), "Depends").rstrip().endswith(", python3 (>= 3.11), python3 (<< 3.12)")
    )
    assert "needs no Python" not in tell("-f", str(made), "Description")
    listed = {line.split()[5]: line for line in tell("-c", str(made)).splitlines()}
    assert "-> /usr/bin/python3.11" in listed["./usr/lib/edgemind/bin/python3"]
    assert listed["./usr/lib/edgemind/edgemind"].startswith("-rwxr-xr-x root/root")
    tell("--control", str(made), str(tmp_path / "control"))
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "control").iterdir()}
    assert modes == {"control": 0o644, "md5sums": 0o644, "postinst": 0o755, "prerm": 0o755}
    tell("-x", str(made), str(tmp_path / "out"))
    copyright_text = (tmp_path / "out/usr/share/doc/edgemind/copyright").read_text()
    assert "dist-info" in copyright_text and "frozen" not in copyright_text


SYSTEM_INFO = "CPU : NEON = 1 | ARM_FMA = 1 | DOTPROD = 1 | SVE_CNT = 0 | OPENMP = 1 | "


def test_answers_are_compared_text_by_text(module: Any) -> None:
    check = module("check_qemu")
    assert check.features(SYSTEM_INFO) == "NEON ARM_FMA DOTPROD OPENMP"
    lines = [
        f'{{"machine": "aarch64", "kernels": "{SYSTEM_INFO}"}}',
        '{"prompt": "a", "text": "1", "confidence": 0.5}',
        '{"prompt": "b", "text": "2", "confidence": 0.75}',
        '{"prompt": "c", "text": "3", "confidence": 0.25}',
    ]
    theirs = check.Said.read("\n".join(lines[:3]))
    ours = check.Said.read("\n".join(lines).replace("0.5", "0.625").replace('"2"', '"two"'))
    assert theirs.kernels == "aarch64: NEON ARM_FMA DOTPROD OPENMP"
    same, differing, largest = check.compare(ours, theirs)
    assert (same, largest) == (1, 0.125)
    assert differing == ["'b': 'two' here, '2' there", "'c': '3' here, '(no answer)' there"]
