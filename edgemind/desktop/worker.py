"""One thread beside the window's, and the way back from it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from PySide6.QtCore import QObject, Qt, Signal

T = TypeVar("T")
Job = tuple[Callable[[], Any], Callable[[Any], None], Callable[[Exception], None]]


class Worker(QObject):
    """Does jobs one after the other; what comes of them is told in the thread that made this."""

    _back = Signal(object)

    def __init__(self, name: str) -> None:
        super().__init__()
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._closed = False
        self._back.connect(self._tell, Qt.ConnectionType.QueuedConnection)
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def do(
        self,
        job: Callable[[], T],
        then: Callable[[T], None] = lambda result: None,
        failed: Callable[[Exception], None] | None = None,
    ) -> None:
        """Do `job` in the thread; `then` gets what it returns, `failed` what it raises.

        An exception that nobody takes is raised here, where the program reports it.
        """
        self._jobs.put((job, then, failed or _raise))

    def close(self, seconds: float) -> bool:
        """Let it end its jobs; whether it did so in this time. Nothing more is told."""
        self._closed = True
        self._jobs.put(None)
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            work, then, failed = job
            try:
                result = work()
            except Exception as error:  # told in the other thread
                told = error
                self._send(partial(failed, told))
            else:
                self._send(partial(then, result))

    def _send(self, call: Callable[[], None]) -> None:
        if not self._closed:
            self._back.emit(call)

    def _tell(self, call: Callable[[], None]) -> None:
        if not self._closed:
            call()


def _raise(error: Exception) -> None:
    raise error
