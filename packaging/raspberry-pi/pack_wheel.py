"""Packs llama-cpp-python's modules and libraries that were built by hand into a wheel.

    pack_wheel.py SOURCE LIBRARIES OUT PLATFORM

SOURCE is the unpacked source archive, LIBRARIES the folder with the built `.so` files, PLATFORM the
wheel's tag. The same input gives the same bytes. Standard library only; what it writes is described
in the packaging guide's "Binary distribution format".
"""

from __future__ import annotations

import base64
import hashlib
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

TIME = (1980, 1, 1, 0, 0, 0)
"""The first that a ZIP file can say: wheels of one source are the same whenever they are built."""
WANTED = ("libggml-base.so", "libggml-cpu-*.so", "libggml.so", "libllama.so")


def main(source: Path, libraries: Path, out: Path, platform: str) -> Path:
    """Write the wheel into `out`; its path. Raises SystemExit where a part is missing."""
    about = (source / "PKG-INFO").read_text(encoding="utf-8")
    version = next(
        line.removeprefix("Version: ")
        for line in about.splitlines()
        if line.startswith("Version: ")
    )
    name = f"llama_cpp_python-{version}"
    tag = f"py3-none-{platform}"
    content = dict(modules(source))
    for pattern in WANTED:
        found = sorted(libraries.glob(pattern))
        if not found:
            raise SystemExit(f"edgemind: {libraries} has no {pattern}: build llama.cpp first")
        content |= {f"llama_cpp/lib/{path.name}": path.read_bytes() for path in found}
    information = f"{name}.dist-info"
    content[f"{information}/METADATA"] = about.encode()
    content[f"{information}/WHEEL"] = (
        f"Wheel-Version: 1.0\nGenerator: edgemind\nRoot-Is-Purelib: false\nTag: {tag}\n".encode()
    )
    content[f"{information}/licenses/LICENSE.md"] = (source / "LICENSE.md").read_bytes()
    content[f"{information}/licenses/llama.cpp/LICENSE"] = (
        source / "vendor" / "llama.cpp" / "LICENSE"
    ).read_bytes()
    record = f"{information}/RECORD"
    content[record] = records(content, record).encode()
    wheel = out / f"{name}-{tag}.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in content.items():
            entry = zipfile.ZipInfo(path, TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o100755 if path.endswith(".so") else 0o100644) << 16
            archive.writestr(entry, data)
    return wheel


def modules(source: Path) -> Iterator[tuple[str, bytes]]:
    """The Python files of the package, and the mark that it is typed."""
    for path in sorted((source / "llama_cpp").rglob("*")):
        if path.suffix == ".py" or path.name == "py.typed":
            yield path.relative_to(source).as_posix(), path.read_bytes()


def records(content: dict[str, bytes], record: str) -> str:
    """The list of files with their hashes; the list itself has none."""
    lines = []
    for path, data in content.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        lines.append(f"{path},sha256={digest},{len(data)}\n")
    return "".join(lines) + f"{record},,\n"


if __name__ == "__main__":
    if len(sys.argv) != 5:
        raise SystemExit(f"usage: {sys.argv[0]} SOURCE LIBRARIES OUT PLATFORM")
    print(main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4]))
