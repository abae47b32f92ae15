"""The way into the window: what has to hold first, then Qt. Loads no Qt by itself."""

from __future__ import annotations

import os

from edgemind.desktop.display import check_display, check_qt, leave_the_bus
from edgemind.desktop.model import Opening


def run(opening: Opening, *, session_bus: bool = False) -> int:
    """Open the window and stay until it is closed; the process's exit code.

    Until the window system's connection stands, the process may use sockets of AF_UNIX; from then
    on none, unless `session_bus` leaves them to screen readers and input methods. Raises
    `ConfigError` where PySide6, a library of the system or a display is missing.
    """
    check_display()
    if not session_bus:
        leave_the_bus(os.environ)
    check_qt()
    from edgemind.desktop.app import main

    return main(opening, session_bus=session_bus)
