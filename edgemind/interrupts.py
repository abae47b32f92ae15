"""Ctrl-C while there is nothing yet to stop, and once there is nothing left: the process just ends.

Python's own way is an exception wherever it happens to be, which would print a traceback while
modules are being imported. The program's entry (`edgemind.__main__`) sets this before it imports
anything else; a command takes Ctrl-C over for as long as it has something to tidy up
(`edgemind.cli.options.clean_errors`). The library never comes here.
"""

from __future__ import annotations

import os
import signal
from types import FrameType

LEFT = 130
"""The exit code of a process that Ctrl-C ended: 128 and the signal's number, as shells have it."""


def leave(_number: int, _frame: FrameType | None) -> None:
    """End the process now: nothing is printed, nothing is tidied up."""
    os._exit(LEFT)


def set_handler(handler: signal._HANDLER) -> signal._HANDLER:
    """Let Ctrl-C do this; what it did before. Where it is ignored (`nohup`), it stays so."""
    before = signal.getsignal(signal.SIGINT)
    if not callable(before):
        return before
    try:
        return signal.signal(signal.SIGINT, handler)
    except ValueError:  # not the main thread, which alone hears of signals
        return before
