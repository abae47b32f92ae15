"""The meters' seam: a sensor says what one source of energy shows, and why it cannot be used.

Each meter is one module of this package with a `RANK` (lowest first) and a function of the module's
name: `def rapl(place: Place) -> Sensor`, which raises `Unavailable`. The file's name is its key.
`choose.py` picks one, `guarded.py` makes a `Meter` of it that never falls and never fails.
"""

from __future__ import annotations

import importlib
import math
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

Kind = Literal["counter", "power"]
"""What `Sensor.read` gives: joules that add up, or watts at this moment."""
Scope = Literal["system", "processor", "process", "gpu"]
"""What a sensor sees: the whole device, the processor, this process alone, or the GPUs."""
STALE_SECONDS = 30.0
"""A sensor that shows the same figure for longer is taken for dead."""


class Unavailable(Exception):
    """This meter cannot be used here; the text says why in a few words."""


class SensorFailed(Exception):
    """A sensor that worked shows nothing or nonsense; the text says what in a few words."""


class Sensor:
    """One source of energy figures: what it is, and `read`.

    `every` is the least time between two readings in seconds, `stale_seconds` how long a figure may
    stay the same, `limit_watts` what cannot be exceeded.
    """

    name: str
    kind: Kind
    scope: Scope
    every: float
    stale_seconds: float = STALE_SECONDS
    limit_watts: float

    def read(self) -> float | None:
        """Joules since some moment (counter) or watts now (power); None: nothing new yet.

        Raises `SensorFailed`, or the `OSError` or `ValueError` of the reading itself.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Let go of what it holds, if anything. Safe to call twice."""


class Running(Protocol):
    """A program that was started and is looked at now and then."""

    def output(self) -> str | None:
        """All that it printed, None while it runs; `SensorFailed` where it failed."""

    def kill(self) -> None:
        """End it, if it still runs."""


class Program:
    """A `Running` that really runs. Nobody waits for it: a decode must not stand still."""

    def __init__(self, command: Sequence[str]) -> None:
        import subprocess

        try:
            self._process = subprocess.Popen(
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                errors="replace",
            )
        except OSError as error:
            raise SensorFailed(reason(error)) from None

    def output(self) -> str | None:
        if self._process.poll() is None:
            return None
        text, _ = self._process.communicate()
        if self._process.returncode:
            raise SensorFailed(f"exit code {self._process.returncode}")
        return text

    def kill(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


@dataclass(frozen=True, slots=True)
class Place:
    """The device as meters see it; all of it can be replaced by a test.

    `root` is where `/sys`, `/proc` and `/usr/bin` are, `wait` lets seconds pass, `gpu` says
    whether a part of the model runs on a GPU.
    """

    root: Path = Path("/")
    system: str = sys.platform
    clock: Callable[[], float] = time.monotonic
    wait: Callable[[float], None] = time.sleep
    start: Callable[[Sequence[str]], Running] = Program
    find_module: Callable[[str], Any] = importlib.import_module
    gpu: bool = False


def text_of(path: Path) -> str:
    """A small file's text without the white space around it."""
    with open(path, "rb", buffering=0) as file:
        return file.read(4096).decode("ascii", "replace").strip()


def number_of(path: Path) -> float:
    """The one number in a small file; `ValueError` for text that is none, NaN and infinity."""
    value = float(text_of(path))
    if not math.isfinite(value):
        raise ValueError(f"{path.name} is {value}")
    return value


def reason(error: Exception) -> str:
    """Why a reading failed, in a few words."""
    match error:
        case PermissionError():
            return "no permission"
        case FileNotFoundError():
            return "it disappeared"
        case OSError():
            return error.strerror or type(error).__name__
        case ValueError():
            return "not a number"
        case _:
            return str(error)
