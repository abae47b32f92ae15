"""Small controls that the window's parts are made of."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QToolButton, QWidget

from edgemind.desktop.icons import icon
from edgemind.desktop.theme import Theme


class IconButton(QToolButton):
    """A button with an icon, a name for screen readers and a tool tip."""

    def __init__(
        self,
        theme: Theme,
        picture: str,
        name: str,
        tip: str = "",
        *,
        text: str = "",
        role: str = "",
        size: int = 18,
    ) -> None:
        super().__init__()
        self._picture, self._size = picture, size
        self.setObjectName(role)
        self.setAccessibleName(name)
        self.setToolTip(tip or name)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setIconSize(QSize(size, size))
        if text:
            self.setText(text)
            self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.set_theme(theme)

    def set_picture(self, theme: Theme, picture: str) -> None:
        """Another icon."""
        self._picture = picture
        self.set_theme(theme)

    def set_theme(self, theme: Theme) -> None:
        """The icon in the theme's colour."""
        role = str(self.objectName())
        quiet = role in ("quiet", "fold")
        colour = theme.on_accent if role == "primary" else theme.muted if quiet else theme.text
        if role == "primary" and not self.isEnabled():
            colour = theme.muted
        self.setIcon(icon(self._picture, colour, self._size))


class Chip(QFrame):
    """A document that goes before the prompt, or went before one."""

    def __init__(self, theme: Theme, name: str, remove: Callable[[], None] | None = None) -> None:
        super().__init__()
        self.setObjectName("chip")
        row = QHBoxLayout(self)
        row.setContentsMargins(9, 5, 9 if remove is None else 3, 5)
        row.setSpacing(6)
        picture = QLabel()
        picture.setPixmap(icon("file", theme.muted, 14).pixmap(14, 14))
        row.addWidget(picture)
        row.addWidget(plain_label(name))
        self.setAccessibleName(f"Document {name}")
        if remove is not None:
            button = IconButton(theme, "close", f"Take {name} away", size=12, role="quiet")
            button.clicked.connect(remove)
            row.addWidget(button)


def plain_label(text: str, role: str = "", *, wrap: bool = False) -> QLabel:
    """A label that shows a text as it is: what a model or a file wrote is no markup."""
    made = QLabel()
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setText(text)
    made.setWordWrap(wrap)
    made.setObjectName(role)
    return made


def push(text: str, role: str, pressed: Callable[[], None], name: str = "") -> QPushButton:
    """A button with a text."""
    made = QPushButton(text)
    made.setObjectName(role)
    made.setAccessibleName(name or text)
    made.setCursor(Qt.CursorShape.PointingHandCursor)
    made.clicked.connect(lambda _=False: pressed())
    return made


def restyle(widget: QWidget) -> None:
    """Look the widget's style up again, after one of its properties changed."""
    widget.style().unpolish(widget)
    widget.style().polish(widget)
