"""Chat templates that nobody vouches for, rendered in a locked child that can be killed.

A template comes with the model's file and is code. The sandbox (`edgemind.templating`) counts its
steps, but some expressions never come back to where steps are counted, and some crash Python:
`[1]|slice(10**9)`, or the hash of a tuple that is nested 300,000 times. In the child they cost
`SECONDS` and `MEMORY` at most. The child is started when the model is opened and lives as long as
that; one that died is started again. It sees the chat and, locked as it is, can send it nowhere.

`edgemind.loading` uses it for all templates but those that `edgemind.catalog.templates` knows.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from edgemind.chat import OTHER, Run
from edgemind.errors import EdgemindError, ModelError, ModelInvalid, ModelUnsupported, plain
from edgemind.verify.children import READY, Limits, Say, Task, command, environment, opening

SECONDS: Final = 5.0
"""Longest rendering; a usual one takes a millisecond."""
START_SECONDS: Final = 30.0
"""Longest start of the child itself, on a machine that is busy."""
MEMORY: Final = 512 << 20
MAX_REPLY: Final = 64 << 20
LIFE_SECONDS: Final = 60
"""Processor time after which the kernel ends a child; at half of it, it is replaced."""
LONGEST_ERROR: Final = 1_000
_CHUNK: Final = 1 << 16
_LIMITS: Final = Limits(LIFE_SECONDS, MEMORY)
_ERRORS: Final[Mapping[str, type[ModelError]]] = MappingProxyType(
    {kind.__name__: kind for kind in (ModelInvalid, ModelUnsupported)}
)


class _Died(Exception):
    """The child is no more."""


class _Child:
    """A running child: a line in, a line out. `OSError` where it cannot be started."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="edgemind-", ignore_cleanup_errors=True)
        try:
            self._process = subprocess.Popen(
                command("template"),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                cwd=self._folder.name,
                env=environment(self._folder.name),
                start_new_session=True,
            )
        except OSError:
            self._folder.cleanup()
            raise
        assert self._process.stdin is not None and self._process.stdout is not None
        self._in, self._out = self._process.stdin, self._process.stdout
        for pipe in (self._in, self._out):
            os.set_blocking(pipe.fileno(), False)
        self._waiting = opening(None, 0.0, _LIMITS)
        self._ready = False

    def ask(self, line: bytes, seconds: float) -> Any:
        """The JSON value that it answers to a line; `_Died`, and `TimeoutError` where it is late.

        `seconds` count from the moment at which it is ready.
        """
        if not self._ready:
            if self._exchange(self._waiting, START_SECONDS) != READY:
                raise _Died
            self._ready = True
        return self._exchange(line, seconds)

    def _exchange(self, line: bytes, seconds: float) -> Any:
        until = time.monotonic() + seconds
        rest, reply = memoryview(line), bytearray()
        with selectors.DefaultSelector() as selector:
            selector.register(self._in, selectors.EVENT_WRITE)
            selector.register(self._out, selectors.EVENT_READ)
            while not reply.endswith(b"\n"):
                ready = selector.select(max(0.0, until - time.monotonic()))
                if not ready:
                    raise TimeoutError
                for key, _ in ready:
                    if key.fileobj is self._out:
                        reply += self._read()
                    elif rest:
                        rest = rest[self._write(rest) :]
                    else:
                        selector.unregister(self._in)
                if len(reply) > MAX_REPLY:
                    raise _Died
        try:
            return json.loads(reply)
        except (ValueError, RecursionError):
            raise _Died from None

    def _read(self) -> bytes:
        chunk = os.read(self._out.fileno(), _CHUNK)
        if not chunk:
            raise _Died
        return chunk

    def _write(self, data: memoryview) -> int:
        try:
            return os.write(self._in.fileno(), data[:_CHUNK])
        except BlockingIOError:
            return 0
        except BrokenPipeError:
            raise _Died from None

    def end(self) -> None:
        """Kill it, and all that is left of it."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._in.close()
        self._out.close()
        self._folder.cleanup()


class Renderer:
    """Renders a model's templates in a child. Close it; one rendering at a time."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._child: _Child | None = None
        self._closed = False

    def start(self) -> None:
        """Start the child now, without waiting for it, so that it is ready when it is needed."""
        if self._closed:
            raise RuntimeError("the model is closed; load it again")
        if self._child is None:
            try:
                self._child = _Child()
            except OSError as error:
                raise EdgemindError(f"the template child cannot be started: {error}") from error

    def compile(self, source: str, now: Callable[[], datetime]) -> Run:
        """What renders `source`; see `edgemind.chat.Compile`."""

        def run(variables: Mapping[str, object]) -> str:
            asked = {"source": source, "now": now().isoformat(), "variables": variables}
            return self._render(json.dumps(asked).encode() + b"\n")

        return run

    def close(self) -> None:
        """End the child, for good. Safe to call twice."""
        self._closed = True
        self._end()

    def _end(self) -> None:
        """End the child; it is started again where it is used again."""
        child, self._child = self._child, None
        if child is not None:
            child.end()

    def _render(self, line: bytes) -> str:
        until = time.monotonic() + self._seconds
        # One that was used before may have been at its end: that is not the template's fault.
        for last in (True,) if self._child is None else (False, True):
            self.start()
            assert self._child is not None
            try:
                return _text(self._child.ask(line, until - time.monotonic()))
            except _Died:
                self._end()
                if last:
                    raise _too_much("what renders it did not survive it") from None
            except TimeoutError:
                self._end()
                raise _too_much(f"it did not end within {self._seconds:g} s") from None
            except ModelError:
                raise
            except BaseException:  # interrupted: what it says next would be the last one's answer
                self._end()
                raise
        raise AssertionError("the last attempt returns or raises")


def _too_much(reason: str) -> ModelInvalid:
    return ModelInvalid(f"The chat template takes too much ({reason}): {OTHER}.")


def _text(reply: Any) -> str:
    """The text in a reply, or its error. Nothing of it is taken on trust."""
    match reply:
        case {"rendered": str(text)}:
            return text
        case {"error": str(name), "reason": str(reason)} if name in _ERRORS:
            raise _ERRORS[name](plain(reason)[:LONGEST_ERROR])
    raise _Died


# What follows happens in the child.


def _work(_request: Any, say: Say, _until: float) -> None:
    """Render what each line of stdin asks for."""
    from edgemind.templating import compile_template

    clock = [datetime.min]
    source: str | None = None
    run: Run | None = None
    for line in sys.stdin.buffer:
        asked = json.loads(line)
        clock[0] = datetime.fromisoformat(asked["now"])
        try:
            if run is None or asked["source"] != source:
                run, source = None, asked["source"]
                run = compile_template(asked["source"], lambda: clock[0])
            reply = {"rendered": run(asked["variables"])}
        except (ModelInvalid, ModelUnsupported) as error:
            reply = {"error": type(error).__name__, "reason": str(error)}
        say(reply)
        if time.process_time() > LIFE_SECONDS / 2:
            return


TASKS: Final[Mapping[str, Task]] = MappingProxyType({"template": _work})
