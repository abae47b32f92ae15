"""Streams that were handed out and not ended: closed before what they stand on is.

A stream that a script leaves open would otherwise be closed by the interpreter, when it ends and
the threads that its engine needs no longer run: it would wait for them without end.
"""

from __future__ import annotations

import atexit
import functools
import inspect
import weakref
from collections.abc import Callable, Generator
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Streams:
    """The streams of one owner."""

    def __init__(self) -> None:
        self._open: weakref.WeakSet[Generator[Any, None, None]] = weakref.WeakSet()

    def add(self, stream: Generator[Any, None, None]) -> None:
        """Remember a stream for as long as anybody else does."""
        self._open.add(stream)

    def close(self) -> None:
        """Close all but those that another thread, or the caller itself, is running in."""
        for stream in list(self._open):
            if inspect.getgeneratorstate(stream) != inspect.GEN_RUNNING:
                stream.close()


class Owner(Protocol):
    """What gives out streams."""

    _streams: Streams

    def close(self) -> None:
        """End them, and what they stand on. Safe to call twice."""


Self = TypeVar("Self", bound=Owner)


def remembered(
    method: Callable[Concatenate[Self, P], Generator[T, None, None]],
) -> Callable[Concatenate[Self, P], Generator[T, None, None]]:
    """Let a generator method's owner know the streams that it gives out."""

    def begin(self: Self, /, *args: P.args, **kwargs: P.kwargs) -> Generator[T, None, None]:
        stream = method(self, *args, **kwargs)
        self._streams.add(stream)
        return stream

    functools.update_wrapper(begin, method)
    return begin


def close_at_exit(owner: Owner) -> Callable[[], None]:
    """Close `owner` when the program ends, if it lives until then; the result calls it off."""

    def close(*_: object) -> None:
        if (alive := reference()) is not None:
            alive.close()

    def call_off(*_: object) -> None:
        atexit.unregister(close)

    reference = weakref.ref(owner, call_off)
    atexit.register(close)
    return call_off
