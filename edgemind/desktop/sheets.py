"""The help sheet and the settings."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QButtonGroup,
    QDialog,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QPlainTextEdit,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from edgemind.config import config_file
from edgemind.desktop.keys import GROUPS
from edgemind.desktop.parts import Switch, plain_label, push
from edgemind.desktop.shelf import Settings
from edgemind.desktop.theme import Theme
from edgemind.settings import Key
from edgemind.settings_file import Value

REMOVE_ALL = "Remove all kept conversations"
SURE = "Remove them for good: press once more"
HALVES = (("Asking", "How hard to think"), ("Answers", "Conversations", "Window"))
THEMES = {"system": "As the system", "light": "Light", "dark": "Dark"}
SWITCHES: tuple[tuple[str, Key, str], ...] = (
    ("Show a receipt under every answer", ("desktop", "receipts"), "ANSWERS"),
    ("Keep thoughts unfolded", ("desktop", "thoughts"), ""),
    ("Keep conversations on this device", ("history", "keep"), "PRIVACY"),
    ("Record what answers cost (never what they said)", ("usage", "record"), ""),
)


class HelpSheet(QDialog):
    """All keys, from the table that the window's actions are made of."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys")
        self.setAccessibleName("Keys")
        column = QVBoxLayout(self)
        column.setContentsMargins(26, 22, 26, 20)
        column.setSpacing(14)
        column.addWidget(plain_label("Keys", "title"))
        inside = QWidget()
        inside.setObjectName("column")
        halves = QHBoxLayout(inside)
        halves.setContentsMargins(0, 0, 12, 0)
        halves.setSpacing(40)
        for names in HALVES:
            grid = QGridLayout()
            grid.setHorizontalSpacing(20)
            grid.setVerticalSpacing(7)
            at = 0
            for title in names:
                head = plain_label(title.upper(), "section")
                head.setContentsMargins(0, 12 if at else 0, 0, 2)
                grid.addWidget(head, at, 0, 1, 2)
                for at, one in enumerate(GROUPS[title], at + 1):  # noqa: B020 (goes on counting)
                    keys = QKeySequence(one.keys)
                    shown = keys.toString(QKeySequence.SequenceFormat.NativeText)
                    grid.addWidget(plain_label(shown), at, 0, Qt.AlignmentFlag.AlignTop)
                    grid.addWidget(plain_label(one.says, "muted", wrap=True), at, 1)
                at += 1
            grid.setColumnStretch(1, 1)
            grid.setRowStretch(at, 1)
            halves.addLayout(grid, 1)
        area = QScrollArea()
        area.setWidget(inside)
        area.setWidgetResizable(True)
        area.setAccessibleName("All keys")
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        column.addWidget(area)
        row = QHBoxLayout()
        row.addStretch()
        close = push("Close", "outlined", self.accept)
        row.addWidget(close)
        column.addLayout(row)
        self.resize(940, 610)
        close.setFocus()


class SettingsSheet(QDialog):
    """Values of config.toml. `change` writes one, `remove_all` removes what was kept."""

    def __init__(
        self,
        parent: QWidget,
        theme: Theme,
        settings: Settings,
        change: Callable[[Key, Value | None], None],
        remove_all: Callable[[], None],
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Settings")
        self.setAccessibleName("Settings")
        self._change, self._settings, self._remove_all = change, settings, remove_all
        config = settings.config
        column = QVBoxLayout(self)
        column.setContentsMargins(26, 22, 26, 20)
        column.setSpacing(8)
        column.addWidget(plain_label("Settings", "title"))
        column.addSpacing(4)
        column.addWidget(plain_label("LOOK", "section"))
        segments = QFrame()
        segments.setObjectName("segments")
        inner = QHBoxLayout(segments)
        inner.setContentsMargins(2, 2, 2, 2)
        inner.setSpacing(0)
        group = QButtonGroup(self)
        self.themes: dict[str, QPushButton] = {}
        for name, text in THEMES.items():
            button = QPushButton(text)
            button.setCheckable(True)
            button.setChecked(name == config.desktop.theme)
            button.setAccessibleName(f"Colours: {text}")
            button.clicked.connect(partial(self._set_theme, name))
            group.addButton(button)
            inner.addWidget(button)
            self.themes[name] = button
        self._mark(segments, ("desktop", "theme"))
        column.addWidget(segments)
        self.boxes: dict[Key, Switch] = {}
        for text, key, section in SWITCHES:
            if section:
                head = plain_label(section, "section")
                head.setContentsMargins(0, 12, 0, 0)
                column.addWidget(head)
            box = Switch(theme, text)
            box.setChecked(bool(getattr(getattr(config, key[0]), key[1])))
            box.clicked.connect(lambda on, key=key: self._change(key, bool(on)))
            self._mark(box, key)
            self.boxes[key] = box
            column.addWidget(box)
        row = QHBoxLayout()
        self.remove_all = push(REMOVE_ALL, "outlined", self._ask_first)
        row.addWidget(self.remove_all)
        row.addStretch()
        column.addLayout(row)
        head = plain_label("INSTRUCTIONS BEFORE EVERY CONVERSATION", "section")
        head.setContentsMargins(0, 12, 0, 0)
        column.addWidget(head)
        self.system = QPlainTextEdit(config.system or "")
        self.system.setObjectName("field")
        self.system.setAccessibleName("Instructions before every conversation")
        self.system.setTabChangesFocus(True)
        self.system.setFixedHeight(84)
        self._mark(self.system, ("system",))
        column.addWidget(self.system)
        column.addSpacing(6)
        where = plain_label(f"These stand in {config_file()}", "tiny", wrap=True)
        column.addWidget(where)
        row = QHBoxLayout()
        row.addStretch()
        row.addWidget(push("Close", "outlined", self.accept))
        column.addLayout(row)
        self.setMinimumWidth(480)
        self.finished.connect(self._keep_system)

    def _set_theme(self, name: str, _: bool = False) -> None:
        self._change(("desktop", "theme"), name)

    def set_theme(self, theme: Theme) -> None:
        """In other colours, which may have been chosen here."""
        for box in self.boxes.values():
            box.set_theme(theme)

    def _ask_first(self) -> None:
        """The first press asks, the second one removes."""
        if self.remove_all.text() == REMOVE_ALL:
            self.remove_all.setText(SURE)
            self.remove_all.setAccessibleName(SURE)
            return
        self.remove_all.setText(REMOVE_ALL)
        self.remove_all.setAccessibleName(REMOVE_ALL)
        self._remove_all()

    def _mark(self, widget: QWidget, key: Key) -> None:
        """A value that a variable or a profile sets cannot be changed here."""
        if (source := self._settings.elsewhere.get(key)) is not None:
            widget.setEnabled(False)
            widget.setToolTip(f"set by {source}")

    def _keep_system(self, _: int) -> None:
        text = self.system.toPlainText().strip() or None
        if self.system.isEnabled() and text != self._settings.config.system:
            self._change(("system",), text)
