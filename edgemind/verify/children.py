"""Children: tasks that run in a limited process of their own, and the way there and back.

The parent (`call`) starts this very program again with the hidden command `_child NAME`, in an
empty temporary folder and an almost empty environment. The child (`serve`, reached from
`edgemind.cli.child`) limits itself, reads one request, a JSON value, from stdin, and answers with
JSON values, one a line, while it works: what it said before it hung or died is not lost.

Limits: seconds of processor time, bytes of address space and of a file, open files (`Limits`), no
core. On Linux (x86-64, aarch64) the kernel also refuses sockets, further processes and
signals to others, and writing outside the folder (`edgemind.guard`). On macOS and elsewhere the
resource limits are all there is: no further processes (but for root), yet neither the network nor
the person's files are out of reach, and the address space is not limited where the system does not
know how.
"""

from __future__ import annotations

import json
import math
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

from edgemind.errors import ConfigError, EdgemindError
from edgemind.verify.base import USUAL_SECONDS, Stopped, never

SECONDS: Final = int(USUAL_SECONDS)
MEMORY: Final = 512 << 20
FILE: Final = 16 << 20
OPEN_FILES: Final = 64
LEAST_SECONDS: Final = 1.0
"""With less time than this a child is not worth starting: it could not tell slow from endless."""

Say = Callable[[Any], None]
"""Sends one JSON value to the parent, at once."""
Task = Callable[[Any, Say, float], None]
"""Works on a request until the given moment of `time.monotonic` at the latest, and says results."""

READY: Final = "ready"
_HEADROOM_SECONDS: Final = 0.1


@dataclass(frozen=True, slots=True)
class Limits:
    """What a child may use: seconds (of the clock and of the processor), bytes of address space,
    files open at once, bytes of a file that it writes.
    """

    seconds: float = SECONDS
    memory: int = MEMORY
    open_files: int = OPEN_FILES
    file: int = FILE


@dataclass(frozen=True, slots=True)
class Reply:
    """What a child said, in order. `code` is its exit code, None where it had to be killed.

    `stopped` where it was killed because its reply is no longer wanted. `errors` is the
    text on its stderr, where the caller wanted that.
    """

    said: tuple[Any, ...]
    code: int | None
    stopped: bool = False
    errors: str = ""


def _python(request: Any, say: Say, until: float) -> None:
    from edgemind.verify.python_child import work

    work(request, say, until)


def _algebra(request: Any, say: Say, until: float) -> None:
    from edgemind.verify.algebra_child import work

    work(request, say, until)


CHILDREN: Final[Mapping[str, Task]] = {"algebra": _algebra, "python": _python}


def call(
    name: str,
    request: Any,
    seconds: float,
    stopped: Stopped = never,
    *,
    limits: Limits = Limits(),
    errors: bool = False,
    folder: Path | None = None,
    heard: Say | None = None,
) -> Reply:
    """Let the child `name` work on `request`, a JSON value, for `seconds` within `limits`.

    Once `stopped()` it is killed. With `errors`, what the task writes to stderr is kept. `folder`
    is where it works, the one place that it may write to; without it an empty one, gone afterwards.
    `heard` gets what it says, each value as it comes. Raises `EdgemindError` where the child could
    not even start: never for what a request holds.
    """
    # Late: the children themselves have no use for these.
    import tempfile

    from edgemind.verify.processes import run

    seconds = min(seconds, limits.seconds)
    listen = None if heard is None else _Lines(heard)
    made = (
        nullcontext(str(folder))
        if folder is not None
        else tempfile.TemporaryDirectory(prefix="edgemind-", ignore_cleanup_errors=True)
    )
    with made as place:
        # A moment before the time is up, so that a child can still say where it was.
        until = time.monotonic() + seconds - min(_HEADROOM_SECONDS, seconds / 10)
        message = opening(request, until, limits, errors)
        try:
            ended = run(
                command(name),
                message,
                seconds,
                folder=Path(place),
                environment=environment(place),
                stopped=stopped,
                heard=listen,
            )
        except OSError as error:
            raise EdgemindError(f"the {name} child cannot be started: {error}") from error
    said = tuple(_values(ended.stdout))
    if ended.code is not None and said[:1] != (READY,):
        last = ended.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
        raise EdgemindError(f"the {name} child ended with code {ended.code} at its start: {last}")
    kept = ended.stderr.decode("utf-8", "replace") if errors else ""
    return Reply(said[1:], ended.code, ended.stopped, kept)


def opening(request: Any, until: float, limits: Limits, errors: bool = False) -> bytes:
    """The line that a child reads first."""
    asked = {"until": until, "request": request, "limits": asdict(limits), "errors": errors}
    return json.dumps(asked).encode() + b"\n"


def command(name: str) -> tuple[str, ...]:
    """How to start a child: this program again, frozen into one file or not."""
    if getattr(sys, "frozen", False):
        return (sys.executable, "_child", name)
    # -P: the working folder is no place to import from.
    return (sys.executable, "-P", "-m", "edgemind", "_child", name)


def environment(folder: str) -> dict[str, str]:
    """A child's variables: nothing of ours but where this package is.

    Hashes go without chance, so that runs agree.
    """
    import site
    import sysconfig

    # Without a home folder the interpreter would look for one at its start: by a socket, in vain.
    variables = {"PYTHONHASHSEED": "0", "TMPDIR": folder, "HOME": folder}
    # The code for this processor that the person chose (`edgemind.engines.llama.backends`).
    if chosen := os.environ.get("EDGEMIND_CPU_VARIANT"):
        variables["EDGEMIND_CPU_VARIANT"] = chosen
    if getattr(sys, "frozen", False):
        return variables | frozen_variables()
    if site.ENABLE_USER_SITE and site.getusersitepackages() in sys.path:
        variables["PYTHONUSERBASE"] = site.getuserbase()  # libraries are installed there too
    package = str(Path(__file__).parents[2])
    # Where libraries are installed the interpreter looks by itself, and after its own modules.
    if package not in (sysconfig.get_path("purelib"), sysconfig.get_path("platlib")):
        variables["PYTHONPATH"] = package
    return variables


def frozen_variables() -> dict[str, str]:
    """What a frozen program has to tell itself when it starts once more; nothing otherwise.

    Where its libraries are, and, in one file, where it unpacked itself: it need not do so again.
    Other programs must not get the first, so that it does not stand in our own environment.
    """
    folder: str | None = getattr(sys, "_MEIPASS", None)
    if folder is None:
        return {}
    told = {name: value for name, value in os.environ.items() if name.startswith("_PYI_")}
    return told | {"LD_LIBRARY_PATH": folder}


class _Lines:
    """Hands on each JSON value of a stream of bytes, once its line is whole."""

    def __init__(self, heard: Say) -> None:
        self._heard = heard
        self._rest = b""
        self._ready = False

    def __call__(self, piece: bytes) -> None:
        whole, _, self._rest = (self._rest + piece).rpartition(b"\n")
        for value in _values(whole):
            if self._ready:
                self._heard(value)
            self._ready = True  # the first one only says that it has started


def _values(lines: bytes) -> Iterator[Any]:
    """The JSON values said, up to the first line that is none: cut off, or not the child's."""
    for line in lines.split(b"\n"):
        try:
            yield json.loads(line)
        except (ValueError, RecursionError):
            return


# What follows happens in the child.


def serve(name: str, shut_in: Callable[[], bool], tasks: Mapping[str, Task] = CHILDREN) -> NoReturn:
    """Limit this process, let `shut_in` lock it, and do the task called `name`. Never returns.

    `shut_in` tells whether it made further processes impossible. `ConfigError` for a name that
    no child has.
    """
    task = tasks.get(name)
    if task is None:
        raise ConfigError(f"no child is called {name!r}; there are {', '.join(tasks)}")
    message = json.loads(sys.stdin.buffer.readline())  # a task may read on
    # Only we write to the real stdout: whatever the task runs prints into nothing.
    out = os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 1)

    def say(value: Any) -> None:
        line = json.dumps(value).encode() + b"\n"
        while line:
            line = line[os.write(out, line) :]

    _limit(Limits(**message["limits"]))
    if not shut_in():
        # Counts every process and thread of this user, so that none is what it can mean.
        _lower(resource.RLIMIT_NPROC, 0)
    say(READY)
    if not message["errors"]:
        os.dup2(nothing, 2)
    task(message["request"], say, message["until"])
    os._exit(0)  # threads that are still running are of no interest


def _limit(limits: Limits) -> None:
    _lower(resource.RLIMIT_CPU, math.ceil(limits.seconds))
    _lower(resource.RLIMIT_FSIZE, limits.file)
    _lower(resource.RLIMIT_NOFILE, limits.open_files)
    _lower(resource.RLIMIT_CORE, 0)
    try:
        _lower(resource.RLIMIT_AS, limits.memory)
    except (ValueError, OSError):
        if sys.platform == "linux":
            raise
        # macOS refuses a limit on the address space: said at the top of this file.


def _lower(limit: int, most: int) -> None:
    """Set both the soft and the hard limit, never above what holds already."""
    _, hard = resource.getrlimit(limit)
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(limit, (most, most))
