"""Running pip and what it starts: quietly, into a log, and so that it can be stopped.

Used by setup_install.py.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from io import FileIO
from pathlib import Path
from types import FrameType
from typing import NoReturn

from setup_progress import Progress

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

# What was set for another Python, or would lead pip out of the environment.
FOREIGN = ("PIP_PREFIX", "PIP_ROOT", "PIP_TARGET", "PYTHONHOME", "PYTHONPATH")


class Stopped(BaseException):
    """A signal asked to stop. Not an Exception, so that nothing swallows it."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def stop_on_signals() -> None:
    """Turn the first signal into `Stopped`, and ignore the next ones while tidying up."""
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup ignores SIGHUP
            signal.signal(number, _stop)


def _stop(number: int, _frame: FrameType | None = None) -> NoReturn:
    for each in SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    raise Stopped(number)


@contextlib.contextmanager
def _noting_signals() -> Iterator[list[int]]:
    """Within this, signals are written down only."""
    noted: list[int] = []
    before = {
        number: signal.signal(number, lambda number, _frame: noted.append(number))
        for number in SIGNALS
        if signal.getsignal(number) is not signal.SIG_IGN
    }
    try:
        yield noted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def quiet(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment for pip: no questions, no colours, nothing meant for another Python."""
    return {name: value for name, value in environment.items() if name not in FOREIGN} | {
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_COLOR": "1",
        "PIP_NO_INPUT": "1",
        "PIP_PROGRESS_BAR": "off",
        "PIP_ROOT_USER_ACTION": "ignore",
        "PIP_USER": "0",
        "PYTHONUNBUFFERED": "1",
    }


def ask(command: Sequence[str], environment: Mapping[str, str]) -> str | None:
    """What a short command prints; None where it fails."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
            check=False,
        )
    except OSError:
        return None
    return done.stdout if done.returncode == 0 else None


def run(
    command: Sequence[str],
    *,
    folder: Path,
    environment: Mapping[str, str],
    log_path: Path,
    lock: int,
    progress: Progress,
) -> int:
    """Run a long command into the log, showing where it is; its exit status.

    It gets a process group of its own, so that stopping reaches the compilers too; a folder for its
    temporary files, so that none of its hundreds of megabytes stay behind; and the lock, so that
    even a `kill -9` of this process lets no second pip in beside it.
    """
    with (
        log_path.open("ab", buffering=0) as log,
        tempfile.TemporaryDirectory(prefix="edgemind-", ignore_cleanup_errors=True) as scratch,
    ):
        log.write(f"$ {shlex.join(command)}\n".encode())
        child = None
        try:
            # A signal must not fall between the start of the child and our knowing of it.
            with _noting_signals() as noted:
                child = subprocess.Popen(
                    command,
                    cwd=folder,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    env={**environment, "TMPDIR": scratch},
                    start_new_session=True,
                    pass_fds=(lock,),
                )
            if noted:
                _stop(noted[0])
            return _follow(child, log, progress)
        except BaseException:
            if child is not None:
                _end(child)
            raise


def _follow(child: subprocess.Popen[bytes], log: FileIO, progress: Progress) -> int:
    """Copy a child's output into the log and learn from it, until it ends; its exit status."""
    assert child.stdout is not None
    with child.stdout as output:
        unfinished = b""
        while True:
            if select.select([output], [], [], 0.5)[0]:
                chunk = os.read(output.fileno(), 65536)
                if not chunk:
                    return child.wait()
                log.write(chunk)
                *lines, unfinished = (unfinished + chunk).split(b"\n")
                for line in lines:
                    progress.read(line.decode(errors="replace"))
            progress.tick()


def _end(child: subprocess.Popen[bytes]) -> None:
    """Stop a command and all it started; asked first, so that pip can put back what it replaced."""
    for number in (signal.SIGINT, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(timeout=5)
    if child.stdout is not None:
        child.stdout.close()


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[int]:
    """Only one set-up of a checkout at a time; yields the lock's file descriptor.

    The lock is on the folder itself, and the system drops it with its last holder: there is no
    lock file that could go stale.
    """
    lock = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(
                "edgemind: another set-up of this checkout is running; waiting for it",
                file=sys.stderr,
                flush=True,
            )
            fcntl.flock(lock, fcntl.LOCK_EX)
        except OSError:
            pass  # some network file systems lock no folders; two set-ups at once are rare enough
        yield lock
    finally:
        os.close(lock)
