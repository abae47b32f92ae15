"""Memory for keys and values: mappings of their own, a few of which are used again.

A heap would not give large blocks back to the system; a mapping does. But the first touch of each
of its pages is a fault of two microseconds and more, so that a small model's new caches would take
longer than the steps that fill them (docs/log.md).
"""

from __future__ import annotations

import mmap
from typing import Any

import numpy as np

from edgemind.engines.onnx.runner import Array

MAPPED_BYTES = 1 << 17
"""From so many on a buffer is a mapping."""
KEPT_BYTES = 8 << 20
"""Most that waits to be used again: what a small model's answer takes, and little beside a large
model's caches."""


class Buffers:
    """Gives flat arrays; their memory comes back by itself when the last view of one is gone."""

    def __init__(self) -> None:
        self._kept: list[Array] = []

    def take(self, size: int, kind: str) -> Array:
        """A flat array of `size` elements with anything in it."""
        count = size * np.dtype(kind).itemsize
        if count < MAPPED_BYTES:
            return np.empty(size, kind)
        fitting = [raw for raw in self._kept if count <= raw.size <= 2 * count]
        if fitting:
            raw = min(fitting, key=lambda one: one.size)
            self._kept = [one for one in self._kept if one is not raw]
        else:
            # Caches grow: what is too small now will not be asked for soon.
            self._kept = [one for one in self._kept if one.size > count]
            # Private: pages of a mapping that is shared, the default, take twice as long.
            raw = np.frombuffer(
                mmap.mmap(-1, count, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS), np.uint8
            )
        return np.asarray(_Lent(raw, size, kind, self._kept_again))

    def _kept_again(self, raw: Array) -> None:
        """Keep what came back, the latest first, and let go what is too much."""
        left, kept = KEPT_BYTES, []
        for one in (raw, *self._kept):
            if one.size <= left:
                left -= one.size
                kept.append(one)
        self._kept = kept


class _Lent:
    """What owns an array's memory as long as the array lives."""

    def __init__(self, raw: Array, size: int, kind: str, end: Any) -> None:
        self._raw, self._end = raw, end
        self.__array_interface__ = {
            "version": 3,
            "shape": (size,),
            "typestr": np.dtype(kind).str,
            "data": (raw.ctypes.data, False),
        }

    def __del__(self) -> None:
        self._end(self._raw)
