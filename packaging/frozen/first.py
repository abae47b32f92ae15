"""Runs in a frozen program before anything else: gives back what its loader changed."""

import os
import signal
import sys
import time
from typing import Any

SAME_PRESS_SECONDS = 0.05


def is_one_file(unpacked: str, program: str) -> bool:
    """Whether the program unpacked itself somewhere, rather than lying beside its files."""
    return os.path.dirname(os.path.realpath(unpacked)) != os.path.dirname(os.path.realpath(program))


def give_back_library_path() -> None:
    """Programs that edgemind starts (an editor, strace, `--verify CMD`) must find their libraries.

    The loader pointed LD_LIBRARY_PATH to ours for this process, which read it when it began.
    """
    before = os.environ.pop("LD_LIBRARY_PATH_ORIG", None)
    if before is None:
        os.environ.pop("LD_LIBRARY_PATH", None)
    else:
        os.environ["LD_LIBRARY_PATH"] = before


def hear_ctrl_c_once() -> None:
    """In one file the loader is a process of its own, and hands on every signal that it gets.

    A terminal sends Ctrl-C to both, so it would be heard twice; and the second one means "leave".
    """
    real, last = signal.signal, -1.0
    wrapped: dict[Any, Any] = {}

    def once(handler: Any) -> Any:
        def heard(number: int, frame: Any) -> None:
            nonlocal last
            now, before = time.monotonic(), last
            last = now
            if now - before > SAME_PRESS_SECONDS:
                handler(number, frame)

        wrapped[heard] = handler
        return heard

    def set_handler(number: int, handler: Any) -> Any:
        mine = once(handler) if number == signal.SIGINT and callable(handler) else handler
        before = real(number, mine)
        return wrapped.pop(before, before)

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # nohup ignores it
        set_handler(signal.SIGINT, signal.default_int_handler)
    signal.signal = set_handler  # type: ignore[assignment]


if sys.platform == "linux":
    give_back_library_path()
if os.name == "posix" and is_one_file(sys._MEIPASS, sys.executable):  # type: ignore[attr-defined]
    hear_ctrl_c_once()
