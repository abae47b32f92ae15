"""The window over the bundled model, offscreen. Skips where Qt is missing or does not load."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from edgemind.conversation.effort import Effort
from edgemind.types import Budget

if TYPE_CHECKING:
    from edgemind.desktop.control import Control
    from edgemind.desktop.turn_view import TurnView

SECONDS = 20.0
QUESTION = "Tom has 3 bags with 14 marbles each and gives 5 away. How many are left?"


@pytest.fixture(scope="session")
def app() -> Any:
    """The one application of the tests' process."""
    before = os.environ.get("QT_QPA_PLATFORM")
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    try:
        import PySide6.QtSvg
        import PySide6.QtWidgets  # noqa: F401
    except ImportError as error:
        pytest.skip(f"Qt does not load here: {error}")
    from edgemind.desktop.app import application

    made = application()
    if before is None:
        del os.environ["QT_QPA_PLATFORM"]
    return made


class Desk:
    """A window at work, and a person's hands."""

    def __init__(self, control: Control, app: Any) -> None:
        self.control, self.window, self._app = control, control.window, app

    def wait(self, done: Callable[[], object], what: str = "it") -> None:
        """Let the window live until something holds."""
        from PySide6.QtCore import QEventLoop

        until = time.monotonic() + SECONDS
        while not done():
            assert time.monotonic() < until, f"{what} did not come in {SECONDS:g} s"
            self._app.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 10)

    def idle(self) -> None:
        """Until no answer is in the making."""
        self.wait(lambda: not self.control.busy, "an answer")

    def ready(self) -> None:
        """Until there is a model to ask."""
        self.wait(lambda: self.control.files.ready, "a model")

    def settle(self) -> None:
        """Until the disk's thread has done what it was asked for."""
        done: list[None] = []
        self.control.disk.do(lambda: None, done.append)
        self.wait(lambda: done, "the disk")

    def type(self, text: str, send: bool = True) -> None:
        """Type a prompt, and press Enter."""
        from PySide6.QtCore import Qt
        from PySide6.QtTest import QTest

        prompt = self.window.composer.prompt
        QTest.keyClicks(prompt, text)
        if send:
            QTest.keyClick(prompt, Qt.Key.Key_Return)

    def press(self, name: str) -> None:
        """Press the keys of an action of the table."""
        self.window.actions_by_name[name].trigger()

    def ask(self, text: str = QUESTION) -> TurnView:
        """Type a question and wait for its answer."""
        self.type(text)
        assert self.control.busy
        self.idle()
        return self.last

    def think(self, width: int = 200, seconds: float = 60) -> None:
        """From now on answers take many samples."""
        os.environ["EDGEMIND_STRATEGY"] = "majority"
        self.control.effort = Effort("limits", Budget(seconds=seconds), width)

    @property
    def last(self) -> TurnView:
        """The last turn on the page."""
        return self.window.page.views[-1]


@pytest.fixture
def desk(app: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A window whose model is loaded."""
    from PySide6.QtCore import QEvent

    from edgemind.desktop.app import make
    from edgemind.desktop.model import Opening

    monkeypatch.setenv("EDGEMIND_STRATEGY", "auto")
    raised: list[BaseException] = []
    monkeypatch.setattr(sys, "excepthook", lambda kind, error, trace: raised.append(error))
    control = make(app, Opening(threads=1))
    control.window.show()
    control.start()
    made = Desk(control, app)
    made.ready()
    made.settle()
    yield made
    control.window.close()
    control.window.deleteLater()
    app.processEvents()
    app.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert raised == []
