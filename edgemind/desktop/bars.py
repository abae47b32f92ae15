"""Painted rows: samples as they grow, votes and what was spent as bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from edgemind.desktop.theme import Theme


@dataclass(frozen=True, slots=True)
class Row:
    """A line: a name, a bar from 0 to 1 or none, a text behind it. `tone` colours bar and mark."""

    name: str
    share: float | None
    text: str
    tone: str = "accent"
    mark: str = ""


class Bars(QWidget):
    """Rows under each other; their texts are also what a screen reader is told."""

    def __init__(self, theme: Theme, name: str, wide: int, bar: int = 0) -> None:
        super().__init__()
        self.rows: tuple[Row, ...] = ()
        self._theme = theme
        self._wide, self._bar = wide, bar
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_theme(self, theme: Theme) -> None:
        """In other colours."""
        self._theme = theme
        self.update()

    def show_rows(self, rows: Sequence[Row]) -> None:
        """Show these."""
        made = tuple(rows)
        if made == self.rows:
            return
        before, self.rows = len(self.rows), made
        self.setVisible(bool(made))
        told = "; ".join(f"{row.mark} {row.name}: {row.text}".strip() for row in made)
        self.setAccessibleDescription(told)
        if before != len(made):
            self.setFixedHeight(len(made) * self._height())
            self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """As high as its rows."""
        return QSize(320, len(self.rows) * self._height())

    def _height(self) -> int:
        return round(self._theme.base * 1.65)

    def paintEvent(self, _: QPaintEvent) -> None:
        """All rows; there are few."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font = QFont(self.font())
        font.setPixelSize(round(self._theme.base * 0.87))
        painter.setFont(font)
        metrics = QFontMetrics(font)
        height, width = self._height(), self.width()
        middle = Qt.AlignmentFlag.AlignVCenter
        bar = self._bar or max(60, width - self._wide - 190)
        for place, row in enumerate(self.rows):
            top = place * height
            tone = QColor(getattr(self._theme, row.tone))
            left = 0
            if row.mark:
                painter.setPen(tone)
                painter.drawText(QRectF(0, top, 18, height), middle, row.mark)
                left = 20
            painter.setPen(QColor(self._theme.text))
            name = metrics.elidedText(row.name, Qt.TextElideMode.ElideRight, self._wide - left - 8)
            painter.drawText(QRectF(left, top, self._wide - left, height), middle, name)
            left = self._wide
            if row.share is not None:
                track = QRectF(left, top + height / 2 - 3, bar, 6)
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(QColor(self._theme.line))
                painter.drawRoundedRect(track, 3, 3)
                filled = QRectF(track)
                filled.setWidth(max(6.0, track.width() * min(1.0, row.share)))
                painter.setBrush(tone)
                if row.share > 0:
                    painter.drawRoundedRect(filled, 3, 3)
                left += bar + 12
            painter.setPen(QColor(self._theme.muted))
            room = max(0, width - left)
            text = metrics.elidedText(row.text, Qt.TextElideMode.ElideLeft, room)
            painter.drawText(QRectF(left, top, room, height), middle, text)
        painter.end()
