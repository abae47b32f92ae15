"""Another process with a time limit: text in, a bounded piece of its output back.

Reached from `edgemind.verify.children` (children of this program) and `edgemind.verify.external`
(a person's own command). POSIX only: process groups and `select` on pipes.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edgemind.verify.base import Stopped, never

MAX_OUTPUT: Final = 65_536
"""Bytes of stdout, and of stderr, that are kept; what comes after them is read and thrown away."""
_CHUNK: Final = 65_536
_LOOK: Final = 0.05
"""Seconds between two looks at what ends the wait: a process that nobody wants runs on so long."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended: `code` as `subprocess` has it, None where the time was up.

    `stopped` where it was not: nobody waits for it any more.
    """

    code: int | None
    stdout: bytes
    stderr: bytes
    stopped: bool = False


@dataclass(frozen=True, slots=True)
class _Patience:
    """How long to wait: until a moment of `time.monotonic`, or until `stopped`."""

    until: float
    stopped: Stopped

    def next(self) -> float:
        """Seconds to wait before the next look; 0 where there is no more patience."""
        return 0.0 if self.stopped() else max(0.0, min(self.until - time.monotonic(), _LOOK))


def run(
    argv: Sequence[str],
    stdin: bytes,
    seconds: float,
    *,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
    stopped: Stopped = never,
    heard: Callable[[bytes], None] | None = None,
) -> Ended:
    """Run `argv` in a session of its own, for `seconds` at most; all that is left of it is killed.

    So it is, within a twentieth of a second, once `stopped()`. `folder` is its working folder,
    `environment` all its variables (None: ours). `heard` gets its stdout piece by piece, as it
    comes and up to the bound. `OSError` where it cannot be started.
    """
    patience = _Patience(time.monotonic() + seconds, stopped)
    # A file rather than a pipe: the process may read it late, in part or not at all.
    with tempfile.TemporaryFile() as given:
        given.write(stdin)
        given.seek(0)
        process = subprocess.Popen(
            argv,
            stdin=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=folder,
            env=environment,
            start_new_session=True,
        )
    with process:  # closes the pipes
        try:
            stdout, stderr = _read(process, patience, heard)
            code = _wait(process, patience)
        finally:
            # The whole group, before and after its leader's end: what it left behind goes too. A
            # number that was just given back is not given out again so soon.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
    return Ended(code, stdout, stderr, code is None and stopped())


def _wait(process: subprocess.Popen[bytes], patience: _Patience) -> int | None:
    while (code := process.poll()) is None and (seconds := patience.next()):
        with suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
    return code


def _read(
    process: subprocess.Popen[bytes], patience: _Patience, heard: Callable[[bytes], None] | None
) -> tuple[bytes, bytes]:
    """The heads of both outputs, until both are closed, the process has ended or time is up."""
    kept = {process.stdout: bytearray(), process.stderr: bytearray()}
    with selectors.DefaultSelector() as selector:
        for pipe, head in kept.items():
            assert pipe is not None
            selector.register(pipe, selectors.EVENT_READ, head)
        while selector.get_map() and (seconds := patience.next()):
            ready = selector.select(seconds)
            if not ready and process.poll() is not None:
                break  # a process that it left behind still holds the pipes
            for key, _ in ready:
                chunk = os.read(key.fd, _CHUNK)
                if not chunk:
                    selector.unregister(key.fileobj)
                room = MAX_OUTPUT - len(key.data)
                key.data.extend(chunk[:room])
                if heard is not None and key.data is kept[process.stdout]:
                    heard(chunk[:room])
    stdout, stderr = kept.values()
    return bytes(stdout), bytes(stderr)
