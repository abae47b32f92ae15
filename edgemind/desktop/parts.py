"""Small controls that the window's parts are made of."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPoint, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QCheckBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QToolButton,
    QWidget,
)

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


class Switch(QCheckBox):
    """A check box that looks like a switch, with its text before it."""

    WIDE, HIGH, KNOB = 36, 20, 14

    def __init__(self, theme: Theme, text: str) -> None:
        super().__init__(text)
        self._theme = theme
        self.setAccessibleName(text)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setMinimumHeight(30)

    def set_theme(self, theme: Theme) -> None:
        """In other colours."""
        self._theme = theme
        self.update()

    def hitButton(self, place: QPoint) -> bool:
        """All of it can be pressed."""
        return bool(self.rect().contains(place))

    def paintEvent(self, _: QPaintEvent) -> None:
        """The text, the track, the knob."""
        theme, on = self._theme, self.isChecked()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setOpacity(1.0 if self.isEnabled() else 0.5)
        painter.setPen(QColor(theme.text))
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.drawText(self.rect().adjusted(0, 0, -self.WIDE - 12, 0), middle, self.text())
        track = QRectF(self.width() - self.WIDE - 3, (self.height() - self.HIGH) / 2,
                       self.WIDE, self.HIGH)  # fmt: skip
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.accent if on else theme.muted))
        painter.drawRoundedRect(track, self.HIGH / 2, self.HIGH / 2)
        inset = (self.HIGH - self.KNOB) / 2
        left = track.right() - inset - self.KNOB if on else track.left() + inset
        painter.setBrush(QColor(theme.on_accent if on else theme.page))
        painter.drawEllipse(QRectF(left, track.top() + inset, self.KNOB, self.KNOB))
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(theme.text), 1.5))
            painter.drawRoundedRect(track.adjusted(-2, -2, 2, 2), 12, 12)
        painter.end()


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
