"""Runs in a frozen program before anything else: gives back what its loader changed."""

import os
import signal
import sys
import time


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

    def once(handler):  # type: ignore[no-untyped-def]
        def heard(number, frame):  # type: ignore[no-untyped-def]
            nonlocal last
            now, before = time.monotonic(), last
            last = now
            if now - before > 0.05:
                handler(number, frame)

        heard.handler = handler
        return heard

    def set_handler(number, handler):  # type: ignore[no-untyped-def]
        wrapped = once(handler) if number == signal.SIGINT and callable(handler) else handler
        before = real(number, wrapped)
        return getattr(before, "handler", before)

    set_handler(signal.SIGINT, signal.default_int_handler)
    signal.signal = set_handler


if sys.platform == "linux":
    give_back_library_path()
if os.path.dirname(sys._MEIPASS) != os.path.dirname(sys.executable) and os.name == "posix":  # type: ignore[attr-defined]
    hear_ctrl_c_once()
