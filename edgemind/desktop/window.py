"""The window's frame: parts laid out, keys bound. What they do is `control`'s."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import (
    QAction,
    QCloseEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QKeySequence,
    QResizeEvent,
)
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QMainWindow, QVBoxLayout, QWidget

from edgemind.conversation.effort import Effort
from edgemind.desktop.composer import Composer
from edgemind.desktop.icons import icon
from edgemind.desktop.keys import GROUPS, tip
from edgemind.desktop.page import WIDEST, Page
from edgemind.desktop.parts import IconButton, plain_label, push, restyle
from edgemind.desktop.picker import Picker
from edgemind.desktop.sidebar import Sidebar
from edgemind.desktop.theme import SCROLLBAR, Theme
from edgemind.wording import printable


class Notice(QFrame):
    """One line that has to be known, with something to do about it or nothing."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("notice")
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 6, 6, 6)
        self.text = plain_label("", wrap=True)
        row.addWidget(self.text, 1)
        self.action = push("", "outlined", self._act, "Do it")
        row.addWidget(self.action)
        self.close_button = IconButton(theme, "close", "Close this notice", size=14, role="quiet")
        self.close_button.clicked.connect(self.hide)
        row.addWidget(self.close_button)
        self._do: Callable[[], None] | None = None
        self.hide()

    def say(
        self, text: str, *, bad: bool = False, does: str = "", do: Callable[[], None] | None = None
    ) -> None:
        """Show a line; `does` names the button that calls `do`."""
        self.text.setText(printable(text))
        self.setAccessibleName(f"{'Problem' if bad else 'Notice'}: {text}")
        self.setProperty("kind", "bad" if bad else "")
        self._do = do
        self.action.setText(does)
        self.action.setAccessibleName(does or "Do it")
        self.action.setVisible(do is not None)
        restyle(self)
        self.show()

    def _act(self) -> None:
        self.hide()
        if self._do is not None:
            self._do()


class Window(QMainWindow):
    """Conversations, page, composer. `dropped` gives files, `leaving` comes before the end."""

    dropped = Signal(object)
    leaving = Signal()
    looked_at = Signal()

    def __init__(self, theme: Theme, effort: Effort) -> None:
        super().__init__()
        self.setWindowTitle("edgemind")
        self.setAcceptDrops(True)
        self.resize(1120, 760)
        self.setMinimumSize(640, 440)
        self._theme = theme
        whole = QWidget()
        whole.setObjectName("page")
        self.setCentralWidget(whole)
        self._whole = whole
        outer = QHBoxLayout(whole)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        self.side = Sidebar(theme)
        outer.addWidget(self.side)
        right = QVBoxLayout()
        right.setContentsMargins(0, 0, 0, 0)
        right.setSpacing(0)
        outer.addLayout(right, 1)
        right.addWidget(self._make_bar(theme))
        self.page = Page(theme)
        right.addWidget(self.page, 1)
        self.notice = Notice(theme)
        self.composer = Composer(theme, effort)
        for part, below in ((self.notice, 8), (self.composer, 18)):
            row = QHBoxLayout()
            row.setContentsMargins(24, 0, 24 + SCROLLBAR, below)
            row.addStretch(1)
            part.setMaximumWidth(WIDEST)
            row.addWidget(part, 100)
            row.addStretch(1)
            right.addLayout(row)
        self.picker = Picker(theme, self)
        self.overlay = QLabel("Drop a model to load it, or a text file to ask about it", whole)
        self.overlay.setObjectName("overlay")
        self.overlay.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.overlay.hide()
        self.actions_by_name: dict[str, QAction] = {}
        self.side.hide_button.clicked.connect(self.toggle_side)
        self.show_side.clicked.connect(self.toggle_side)
        self.composer.prompt.setFocus()
        self.setTabOrder(self.composer.prompt, self.composer.attach)

    def _make_bar(self, theme: Theme) -> QWidget:
        bar = QFrame()
        bar.setObjectName("bar")
        row = QHBoxLayout(bar)
        row.setContentsMargins(14, 8, 18, 8)
        row.setSpacing(6)
        self.show_side = IconButton(
            theme, "side", "Show the conversations", tip("Show the conversations", "side"), size=20
        )
        self.show_side.hide()
        row.addWidget(self.show_side)
        self.model = push("Loading the model…", "model", lambda: None, "Model")
        self.model.setLayoutDirection(Qt.LayoutDirection.RightToLeft)  # the arrow behind the name
        self.model.setIconSize(QSize(16, 16))
        row.addWidget(self.model)
        self.facts = plain_label("", "tiny")
        row.addWidget(self.facts)
        row.addStretch()
        self.lock_picture = QLabel()
        row.addWidget(self.lock_picture)
        self.lock = plain_label("", "tiny")
        row.addWidget(self.lock)
        self._locked = False
        return bar

    def show_model(self, name: str, facts: str, tip_text: str = "") -> None:
        """The model that answers, and what it is."""
        self.model.setText(printable(name))
        self.model.setAccessibleName(f"Model: {name}. {facts}")
        self.model.setToolTip(tip_text or tip("Choose a model", "model"))
        self.facts.setText(printable(facts))

    def show_lock(self, locked: bool, says: str) -> None:
        """Whether the network is shut off."""
        self._locked = locked
        self.lock.setText("Network locked" if locked else "Network not locked")
        for part in (self.lock, self.lock_picture):
            part.setToolTip(says)
        self.lock.setAccessibleDescription(says)
        self._draw_lock()

    def _draw_lock(self) -> None:
        name, colour = ("lock", self._theme.good) if self._locked else ("open", self._theme.warn)
        self.lock_picture.setPixmap(
            icon(name, colour, 16).pixmap(QSize(16, 16), self.devicePixelRatioF())
        )

    def set_theme(self, theme: Theme) -> None:
        """In other colours; the style sheet is the application's."""
        self._theme = theme
        self.side.set_theme(theme)
        self.composer.set_theme(theme)
        self.picker.set_theme(theme)
        self.show_side.set_theme(theme)
        self.notice.close_button.set_theme(theme)
        self.model.setIcon(icon("down", theme.muted, 16))
        self._draw_lock()

    def bind(self, doing: dict[str, Callable[[], None]]) -> None:
        """Give every key of the table its action."""
        for group in GROUPS.values():
            for one in group:
                if one.fixed:
                    continue
                action = QAction(one.says, self)
                action.setShortcut(QKeySequence(one.keys))
                action.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
                action.triggered.connect(lambda _=False, do=doing[one.name]: do())
                self.addAction(action)
                self.actions_by_name[one.name] = action

    def toggle_side(self) -> None:
        """Show or hide the conversations."""
        shown = self.side.isHidden()
        self.side.setVisible(shown)
        self.show_side.setVisible(not shown)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Files are welcome."""
        if _files(event):
            event.acceptProposedAction()
            self.overlay.setGeometry(self._whole.rect().adjusted(16, 16, -16, -16))
            self.overlay.raise_()
            self.overlay.show()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        """They went away again."""
        self.overlay.hide()
        super().dragLeaveEvent(event)

    def dropEvent(self, event: QDropEvent) -> None:
        """They are here."""
        self.overlay.hide()
        if files := _files(event):
            event.acceptProposedAction()
            self.dropped.emit(files)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A narrow window has room for the page alone."""
        super().resizeEvent(event)
        self.facts.setVisible(self.width() > 860)

    def changeEvent(self, event: QEvent) -> None:
        """The system's colours may have changed while it was elsewhere."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.ActivationChange and self.isActiveWindow():
            self.looked_at.emit()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Everything is ended before the window is."""
        self.leaving.emit()
        event.accept()


def _files(event: QDropEvent) -> list[Path]:
    data = event.mimeData()
    return [Path(one.toLocalFile()) for one in data.urls() if one.isLocalFile()]
