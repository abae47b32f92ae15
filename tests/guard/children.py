"""Scripts that lock themselves, in processes of their own: the tests' process never is locked."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from edgemind.guard.bpf import MACHINES

ROOT = Path(__file__).parents[2]
linux = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in MACHINES, reason="a lock of Linux"
)


def python(
    script: str, folder: Path, *arguments: object, environment: Mapping[str, str] | None = None
) -> str:
    """Run a script in `folder`; what it printed. It has to end well and complain of nothing."""
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def traced(
    command: list[str], folder: Path, given: bytes = b"", environment: Mapping[str, str] = {}
) -> dict[int, list[str]]:
    """Run a command under strace as `edgemind prove` does; the lines of each process.

    Skips where strace is missing or may not trace.
    """
    from shutil import which

    from edgemind.cli.prove import tracing

    if which("strace") is None:
        pytest.skip("strace is not installed")
    folder.mkdir(exist_ok=True)
    done = subprocess.run(
        [*tracing(folder / "trace"), *command],
        cwd=ROOT,
        env={**os.environ, **environment},
        input=given,
        capture_output=True,
        timeout=300,
        check=False,
    )
    files = list(folder.glob("trace.*"))
    if not files and b"ptrace" in done.stderr:
        pytest.skip("strace may not trace here")
    assert done.returncode == 0, done.stderr.decode()
    return {int(one.suffix[1:]): one.read_text().splitlines() for one in files}


def calls(traces: Mapping[int, list[str]], *names: str) -> Iterator[str]:
    """Every line of the system calls with these names."""
    for lines in traces.values():
        yield from (line for line in lines if line.partition("(")[0] in names)
