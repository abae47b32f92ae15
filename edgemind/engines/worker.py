"""One thread that does all the decoding, so that the main thread keeps the signals.

A Python signal handler runs only between two byte codes of the main thread: with the decode in
C on that thread, Ctrl-C would wait for the whole decode. It also keeps OpenMP to one thread
pool, since libgomp makes one for each thread that calls it.

To wake a thread and to be woken by it takes longer than a small model's whole step. So what is
known to be over at once may run where it is called: a signal waits for no longer than that.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import TypeVar, cast

T = TypeVar("T")
CLOSED = "the engine is closed; load the model again"
ALIVE_SECONDS = 0.1
"""How often a caller that waits for nothing but the end looks whether the thread still is."""


class _Call:
    """A function that waits for the thread, and then what came of it."""

    def __init__(self, function: Callable[[], object]) -> None:
        self._function = function
        self._over = threading.Lock()
        self._over.acquire()
        self.result: object = None
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            self.result = self._function()
        except BaseException as error:  # handed to the caller, whatever it is
            self.error = error
        self._over.release()

    def is_over(self, seconds: float = -1) -> bool:
        """Wait for its end, or for so many seconds at most; whether it came."""
        return self._over.acquire(timeout=seconds)


class Worker:
    """Runs one call at a time in a thread of its own; `call` waits for the result."""

    def __init__(self, name: str) -> None:
        self._calls: queue.SimpleQueue[_Call | None] = queue.SimpleQueue()
        # A signal handler may close the engine within a brief call.
        self._lock = threading.RLock()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            call.run()
            del call  # its result belongs to the caller alone

    def call(self, function: Callable[[], T], interrupt: Callable[[], None]) -> T:
        """The result of `function()`, run in the thread; its exception is raised here.

        Should a signal handler raise while this waits (KeyboardInterrupt), `interrupt` cuts the
        call and this waits for its end: nothing goes on running behind the caller's back.
        """
        call = _Call(function)
        try:
            with self._lock:
                closed = self._closed
                if not closed:
                    self._calls.put(call)
            if not closed:
                call.is_over()
        except BaseException:
            interrupt()
            self._settle()
            raise
        if closed:
            raise RuntimeError(CLOSED)
        if call.error is not None:
            raise call.error
        return cast(T, call.result)

    def _settle(self) -> None:
        """Wait until the thread has nothing to do.

        A signal may come before a call was handed over, in it, or when its end was just heard of:
        so this waits for a call of its own, which comes after that one.
        """
        last = _Call(lambda: None)
        self._calls.put(last)
        while self._thread.is_alive() and not last.is_over(ALIVE_SECONDS):
            pass

    def brief(self, function: Callable[[], T]) -> T:
        """The result of `function()`, run in the caller's thread, while no other call runs.

        For what takes a few milliseconds and can be cut by a signal's exception at any place.
        """
        with self._lock:
            if self._closed:
                raise RuntimeError(CLOSED)
            return function()

    def close(self) -> None:
        """End the thread, once the running call is over. Safe to call twice."""
        with self._lock:
            self._closed = True
            self._calls.put(None)
        if threading.current_thread() is not self._thread:
            self._thread.join()
