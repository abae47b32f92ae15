"""The list of models, with what each needs of this machine's memory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from edgemind.desktop.icons import icon
from edgemind.desktop.parts import plain_label, push
from edgemind.desktop.shelf import ModelRow, same_path
from edgemind.desktop.theme import Theme

WIDE = 440
ROW = int(Qt.ItemDataRole.UserRole)
TONES = {"fits": "good", "tight": "warn", "too large": "bad", "unknown": "muted"}
WORDS = {"fits": "fits", "tight": "barely fits", "too large": "too large", "unknown": ""}


class Picker(QFrame):
    """A pop-up under the model's name. `chosen` gives a row, `browse` asks for a file."""

    chosen = Signal(object)
    browse = Signal()

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setObjectName("composer")
        self.setFixedWidth(WIDE)
        self.setAccessibleName("Models")
        self._theme = theme
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 10, 8, 8)
        column.setSpacing(6)
        title = plain_label("MODELS ON THIS DEVICE", "section")
        title.setContentsMargins(9, 0, 0, 0)
        column.addWidget(title)
        self.list = QListWidget()
        self.list.setObjectName("models")
        self.list.setAccessibleName("Models")
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.itemActivated.connect(self._choose)
        self.list.itemClicked.connect(self._choose)
        column.addWidget(self.list)
        row = QHBoxLayout()
        row.addWidget(push("Open a file or folder…", "quiet", self._browse))
        row.addStretch()
        row.addWidget(plain_label("or drop one on the window", "tiny"))
        column.addLayout(row)

    def set_theme(self, theme: Theme) -> None:
        """In other colours, from the next time on."""
        self._theme = theme

    def open_under(self, place: QPoint, rows: Sequence[ModelRow], current: Path | None) -> None:
        """Show the models below a place on the screen."""
        self.list.clear()
        for row in rows:
            item = QListWidgetItem()
            item.setData(ROW, row)
            item.setData(
                Qt.ItemDataRole.AccessibleTextRole,
                f"{row.name}, {row.facts}, {row.memory}, {WORDS[row.fit]}",
            )
            widget = self._row(row, current is not None and same_path(row.path, current))
            item.setSizeHint(widget.sizeHint() + QSize(0, 4))
            self.list.addItem(item)
            self.list.setItemWidget(item, widget)
            if current is not None and same_path(row.path, current):
                self.list.setCurrentItem(item)
        high = sum(self.list.sizeHintForRow(n) + 2 for n in range(self.list.count()))
        self.list.setFixedHeight(min(360, high + 4))
        self.adjustSize()
        self.move(place)
        self.show()
        self.list.setFocus()

    def _row(self, row: ModelRow, current: bool) -> QWidget:
        made = QWidget()
        line = QHBoxLayout(made)
        line.setContentsMargins(9, 7, 9, 7)
        text = QVBoxLayout()
        text.setSpacing(2)
        text.addWidget(plain_label(row.name))
        text.addWidget(plain_label(row.facts, "tiny"))
        fit = plain_label(f"{row.memory} · {WORDS[row.fit]}".strip(" ·"), "tiny")
        fit.setStyleSheet(f"color: {getattr(self._theme, TONES[row.fit])};")
        text.addWidget(fit)
        line.addLayout(text, 1)
        if current:
            tick = plain_label("")
            tick.setPixmap(icon("tick", self._theme.accent, 18).pixmap(18, 18))
            line.addWidget(tick)
        made.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        return made

    def _choose(self, item: QListWidgetItem) -> None:
        self.hide()
        self.chosen.emit(item.data(ROW))

    def _browse(self) -> None:
        self.hide()
        self.browse.emit()
