"""Qt begins here: the application, the lock behind it, the window."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from PySide6.QtCore import QSocketNotifier, QtMsgType, qInstallMessageHandler
from PySide6.QtWidgets import QApplication

from edgemind.config import load_config
from edgemind.conversation.effort import effort_in
from edgemind.desktop.control import Control
from edgemind.desktop.look import Look
from edgemind.desktop.model import Opening
from edgemind.desktop.shelf import Settings
from edgemind.desktop.theme import prepare_fonts
from edgemind.desktop.window import Window
from edgemind.guard.lock import current_lock, lock_network
from edgemind.settings import Key, sources
from edgemind.wording import NETWORK_WORDS

SWITCH_SECONDS = 0.001
"""Python's threads take turns so often: the window waits for at most so long."""
NO_DISPLAY = 2


def main(opening: Opening, *, session_bus: bool = False) -> int:
    """Open the window and stay until it is closed; the exit code."""
    app, control = open_window(opening, session_bus=session_bus)
    with signals(control.window.close):
        code = int(app.exec())
    control.close()
    return code


def open_window(opening: Opening, *, session_bus: bool = False) -> tuple[QApplication, Control]:
    """The application, the lock, the window; its threads are at work."""
    qInstallMessageHandler(Messages())
    app = application()
    if not session_bus:
        lock_network()  # the display's connection stands: no further socket of any family
    sys.setswitchinterval(SWITCH_SECONDS)
    control = make(app, opening)
    control.window.show()
    control.start()
    return app, control


@contextmanager
def signals(close: Callable[[], object]) -> Iterator[None]:
    """While this lasts, Ctrl-C in the terminal and a request to end close the window.

    Python runs a signal's handler between two instructions, and Qt's loop has none: a byte in a
    pipe wakes it up.
    """
    ours, theirs = os.pipe()
    os.set_blocking(theirs, False)
    notifier = QSocketNotifier(ours, QSocketNotifier.Type.Read)
    notifier.activated.connect(lambda *_: os.read(ours, 64))
    wakeup = signal.set_wakeup_fd(theirs)
    before = {
        one: signal.signal(one, lambda *_: close()) for one in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(wakeup)
        notifier.setEnabled(False)
        os.close(ours)
        os.close(theirs)


def application() -> QApplication:
    """The one application of this process, in our style."""
    app: QApplication = QApplication.instance() or QApplication(["edgemind"])
    app.setApplicationName("edgemind")
    app.setDesktopFileName("edgemind")
    app.setStyle("Fusion")
    return app


def make(app: QApplication, opening: Opening) -> Control:
    """A window and what works for it. Nothing is loaded yet. Raises `ConfigError`."""
    config = load_config()
    stands: dict[Key, str] = {}
    for source in sources(None)[1:]:
        stands |= source.names
    look = Look(app, config.desktop.theme, prepare_fonts(app))
    window = Window(look.theme, effort_in(config))
    control = Control(window, look, opening, Settings(config, stands))
    look.changed.connect(lambda _: control.preferences.apply(control.preferences.settings))
    lock = current_lock()
    says = NETWORK_WORDS.get(lock.label, lock.label)
    window.show_lock(lock.on, says if lock.on else f"{says} {lock.why}".strip())
    return control


class Messages:
    """Qt's own messages: what ends the program is said in one line, the rest is left out."""

    def __init__(self) -> None:
        self._needed: list[str] = []

    def __call__(self, kind: QtMsgType, _: object, text: str) -> None:
        """One message."""
        if kind == QtMsgType.QtWarningMsg and "needed to load" in text:
            self._needed.append(text.strip())  # told in a message before the last
        if kind == QtMsgType.QtFatalMsg:
            why = " ".join([*self._needed, *text.splitlines()[:1]])
            print(
                f"edgemind: no window could be opened: {why} (edgemind chat works in a terminal)",
                file=sys.stderr,
                flush=True,
            )
            os._exit(NO_DISPLAY)  # Qt would abort
