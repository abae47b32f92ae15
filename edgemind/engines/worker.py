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


class Worker:
    """Runs one call at a time in a thread of its own; `call` waits for the result."""

    def __init__(self, name: str) -> None:
        self._calls: queue.SimpleQueue[Callable[[], object] | None] = queue.SimpleQueue()
        self._results: queue.SimpleQueue[tuple[object, BaseException | None]] = queue.SimpleQueue()
        self._lock = threading.RLock()  # a signal handler may close the engine in a brief call
        self._closed = False
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def _work(self) -> None:
        while (function := self._calls.get()) is not None:
            try:
                self._results.put((function(), None))
            except BaseException as error:  # handed to the caller, whatever it is
                self._results.put((None, error))

    def call(self, function: Callable[[], T], interrupt: Callable[[], None]) -> T:
        """The result of `function()`, run in the thread; its exception is raised here.

        Should a signal handler raise while this waits (KeyboardInterrupt), `interrupt` cuts the
        call and this waits for its end: nothing goes on running behind the caller's back.
        """
        with self._lock:
            if self._closed:
                raise RuntimeError("the engine is closed; load the model again")
            self._calls.put(function)
        try:
            result, error = self._results.get()
        except BaseException:
            interrupt()
            self._results.get()
            raise
        if error is not None:
            raise error
        return cast(T, result)

    def brief(self, function: Callable[[], T]) -> T:
        """The result of `function()`, run in the caller's thread, while no other call runs.

        For what takes a few milliseconds and can be cut by a signal's exception at any place.
        """
        with self._lock:
            if self._closed:
                raise RuntimeError("the engine is closed; load the model again")
            return function()

    def close(self) -> None:
        """End the thread, once the running call is over. Safe to call twice."""
        with self._lock:
            self._closed = True
            self._calls.put(None)
        if threading.current_thread() is not self._thread:
            self._thread.join()
