"""The conversations at the left, the newest first, with a search."""

from __future__ import annotations

import time
from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFont, QKeyEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QMenu,
    QVBoxLayout,
)

from edgemind.desktop.keys import tip
from edgemind.desktop.parts import IconButton, plain_label
from edgemind.desktop.shelf import Conversation
from edgemind.desktop.theme import Theme

WIDE = 256
DAY = 86_400.0
CONVERSATION = int(Qt.ItemDataRole.UserRole)


class ConversationList(QListWidget):
    """The list; Delete removes the one that is chosen."""

    removed = Signal(object)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Delete removes."""
        item = self.currentItem()
        if event.key() == Qt.Key.Key_Delete and item is not None and item.data(CONVERSATION):
            self.removed.emit(item.data(CONVERSATION))
        else:
            super().keyPressEvent(event)


class Sidebar(QFrame):
    """Begins, finds, opens and removes conversations."""

    chosen = Signal(object)
    removed = Signal(object)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("side")
        self.setFixedWidth(WIDE)
        self._every: Sequence[Conversation] = ()
        self._current: Conversation | None = None
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 13, 12, 10)
        column.setSpacing(10)
        top = QHBoxLayout()
        top.setContentsMargins(6, 0, 0, 0)
        top.setSpacing(2)
        top.addWidget(plain_label("edgemind", "wordmark"))
        top.addStretch()
        self.new = IconButton(
            theme, "new", "New conversation", tip("A new conversation", "new"), size=20
        )
        self.hide_button = IconButton(
            theme, "side", "Hide the conversations", tip("Hide the conversations", "side"), size=20
        )
        top.addWidget(self.new)
        top.addWidget(self.hide_button)
        column.addLayout(top)
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search")
        self.search.setAccessibleName("Search the conversations")
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(lambda _: self._fill())
        column.addWidget(self.search)
        self.list = ConversationList()
        self.list.setAccessibleName("Conversations")
        self.list.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setUniformItemSizes(False)
        self.list.itemClicked.connect(self._choose)
        self.list.itemActivated.connect(self._choose)
        self.list.removed.connect(self.removed)
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.list.customContextMenuRequested.connect(self._menu)
        column.addWidget(self.list, 1)
        self.note = plain_label("", "tiny", wrap=True)
        self.note.setContentsMargins(6, 0, 6, 0)
        column.addWidget(self.note)
        bottom = QHBoxLayout()
        bottom.setSpacing(2)
        self.settings = IconButton(
            theme, "settings", "Settings", tip("Settings", "settings"), size=20
        )
        self.keys = IconButton(theme, "keys", "Keys", tip("All keys", "help"), size=20)
        self.look = IconButton(
            theme, "moon", "Light or dark", tip("Light or dark", "theme"), size=20
        )
        for button in (self.settings, self.keys, self.look):
            bottom.addWidget(button)
        bottom.addStretch()
        column.addLayout(bottom)
        self._theme = theme

    def set_theme(self, theme: Theme) -> None:
        """In other colours."""
        self._theme = theme
        for button in (self.new, self.hide_button, self.settings, self.keys):
            button.set_theme(theme)
        self.look.set_picture(theme, "sun" if theme.mode == "dark" else "moon")

    def show_conversations(
        self, conversations: Sequence[Conversation], current: Conversation, note: str
    ) -> None:
        """Show these, `current` chosen; `note` says what is kept."""
        self._every, self._current = conversations, current
        self.note.setText(note)
        self._fill()

    def beside(self, step: int) -> Conversation | None:
        """The conversation so many further down the list."""
        shown = [one for one in self._every if self._fits(one)]
        place = next((n for n, one in enumerate(shown) if one is self._current), None)
        if place is None or not 0 <= place + step < len(shown):
            return None
        return shown[place + step]

    def _fits(self, one: Conversation) -> bool:
        return self.search.text().casefold() in one.title.casefold()

    def _fill(self) -> None:
        self.list.clear()
        group = ""
        now = time.time()
        for one in self._every:
            if not self._fits(one):
                continue
            if (name := _day(one.ended, now)) != group:
                group = name
                self._add_group(name)
            item = QListWidgetItem(one.title or "New conversation")
            item.setData(CONVERSATION, one)
            item.setToolTip(one.title)
            self.list.addItem(item)
            if one is self._current:
                self.list.setCurrentItem(item)

    def _add_group(self, name: str) -> None:
        head = QListWidgetItem(name)
        head.setFlags(Qt.ItemFlag.NoItemFlags)
        font = QFont(self.list.font())
        font.setPixelSize(round(self._theme.base * 0.8))
        font.setWeight(QFont.Weight.DemiBold)
        head.setFont(font)
        self.list.addItem(head)

    def _choose(self, item: QListWidgetItem) -> None:
        if (one := item.data(CONVERSATION)) is not None:
            self.chosen.emit(one)

    def _menu(self, place: object) -> None:
        item = self.list.itemAt(place)
        if item is None or item.data(CONVERSATION) is None:
            return
        menu = QMenu(self)
        remove = menu.addAction("Remove")
        if menu.exec(self.list.viewport().mapToGlobal(place)) is remove:
            self.removed.emit(item.data(CONVERSATION))


def _day(at: float, now: float) -> str:
    """The part of the list in which a conversation stands."""
    if at <= 0:
        return "Now"
    today = time.mktime((*time.localtime(now)[:3], 0, 0, 0, 0, 0, -1))
    if at >= today:
        return "Today"
    if at >= today - DAY:
        return "Yesterday"
    return "Last week" if at >= today - 7 * DAY else "Earlier"
