"""Where a prompt is written, with what goes before it and what it may cost."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
)

from edgemind.conversation.effort import EFFORTS, Effort, effort_of
from edgemind.desktop.keys import tip
from edgemind.desktop.parts import Chip, IconButton, plain_label, restyle
from edgemind.desktop.theme import Theme
from edgemind.errors import EdgemindError

MOST_ROWS = 9
CUSTOM = "limits"


class Prompt(QPlainTextEdit):
    """The prompt: as high as its text, up to some rows. Enter sends it."""

    sent = Signal()
    recalled = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("prompt")
        self.setPlaceholderText("Ask something")
        self.setAccessibleName("Prompt")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setTabChangesFocus(True)
        self.setAcceptDrops(False)  # the window takes what is dropped
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.document().setDocumentMargin(3)
        self.document().documentLayout().documentSizeChanged.connect(self._fit)
        self._fit()

    def _fit(self, *_: object) -> None:
        rows = min(MOST_ROWS, max(1, int(self.document().size().height())))
        height = rows * self.fontMetrics().lineSpacing() + 12
        if height != self.height():
            self.setFixedHeight(height)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter sends, Shift-Enter begins a line, Up recalls into an empty prompt."""
        plain = not event.modifiers() & (
            Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.ControlModifier
        )
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and plain:
            self.sent.emit()
        elif event.key() == Qt.Key.Key_Up and not self.toPlainText():
            self.recalled.emit()
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """The frame around it shows the focus."""
        super().focusInEvent(event)
        self._frame(True)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """The frame around it shows the focus."""
        super().focusOutEvent(event)
        self._frame(False)

    def _frame(self, focused: bool) -> None:
        frame = self.parentWidget()
        if frame is not None:
            frame.setProperty("focused", "true" if focused else "false")
            restyle(frame)


class EffortControl(QFrame):
    """Quick, balanced, thorough, or limits of one's own. `changed` tells of another one."""

    changed = Signal(object)

    def __init__(self, effort: Effort) -> None:
        super().__init__()
        self.effort = effort
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        segments = QFrame()
        segments.setObjectName("segments")
        inner = QHBoxLayout(segments)
        inner.setContentsMargins(2, 2, 2, 2)
        inner.setSpacing(0)
        self._group = QButtonGroup(self)
        self.buttons: dict[str, QPushButton] = {}
        for name, one in EFFORTS.items():
            self._add(inner, name, name.capitalize(), f"{name.capitalize()}: {one.says}")
        self._add(inner, CUSTOM, "Limits", "Limits of your own: seconds, joules, tokens")
        row.addWidget(segments)
        self.field = QLineEdit()
        self.field.setObjectName("limits")
        self.field.setPlaceholderText("5s 30J 200t")
        self.field.setAccessibleName("Limits of an answer, as in 5s 30J 200t")
        self.field.setToolTip("s, min: seconds. J, kJ: energy. t: tokens. Or none.")
        self.field.setMinimumWidth(112)
        self.field.setMaximumWidth(150)
        self.field.editingFinished.connect(self._written)
        row.addWidget(self.field)
        self.problem = plain_label("", "bad")
        self.field.textChanged.connect(self.problem.hide)
        row.addWidget(self.problem)
        self.problem.hide()
        self.show_effort(effort)

    def _add(self, row: QHBoxLayout, name: str, text: str, says: str) -> None:
        button = QPushButton(text)
        button.setCheckable(True)
        button.setAccessibleName(f"How hard to think: {says}")
        key = name if name in EFFORTS else CUSTOM
        button.setToolTip(tip(says, key))
        button.setCursor(Qt.CursorShape.PointingHandCursor)
        button.clicked.connect(lambda _=False, name=name: self.choose(name))
        self._group.addButton(button)
        self.buttons[name] = button
        row.addWidget(button)

    def choose(self, name: str) -> None:
        """Take one of the words; for limits of one's own, go to their field."""
        self.buttons[name].setChecked(True)
        if name == CUSTOM:
            self.field.show()
            self.field.setFocus()
            self.field.selectAll()
            if self.field.text().strip():
                self._written()
            return
        self.field.hide()
        self.problem.hide()
        self._take(EFFORTS[name])

    def show_effort(self, effort: Effort) -> None:
        """Show what was chosen elsewhere."""
        self.effort = effort
        known = effort.name in EFFORTS
        self.buttons[effort.name if known else CUSTOM].setChecked(True)
        self.field.setVisible(not known)
        if not known:
            self.field.setText(effort.name)

    def _written(self) -> None:
        if not self.buttons[CUSTOM].isChecked():
            return
        try:
            self._take(effort_of(self.field.text()))
        except EdgemindError as error:
            self.problem.setText(str(error))
            self.problem.show()

    def _take(self, effort: Effort) -> None:
        if effort != self.effort:
            self.effort = effort
            self.changed.emit(effort)


class Composer(QFrame):
    """Documents, the prompt, its limits, and the button that sends or stops."""

    sent = Signal()
    stopped = Signal()

    def __init__(self, theme: Theme, effort: Effort) -> None:
        super().__init__()
        self.setObjectName("composer")
        self._theme = theme
        self._busy = self._ready = False
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 10, 10, 9)
        column.setSpacing(6)
        self.chips = QHBoxLayout()
        self.chips.setSpacing(6)
        self.chips.addStretch()
        column.addLayout(self.chips)
        self.prompt = Prompt()
        column.addWidget(self.prompt)
        row = QHBoxLayout()
        row.setSpacing(8)
        self.attach = IconButton(
            theme, "attach", "Put a file before the prompt", tip("A text file or a model", "attach")
        )
        row.addWidget(self.attach)
        self.effort = EffortControl(effort)
        row.addWidget(self.effort)
        row.addStretch()
        self.button = IconButton(theme, "send", "Send", role="primary", size=20)
        row.addWidget(self.button)
        column.addLayout(row)
        self.prompt.sent.connect(self._send)
        self.prompt.textChanged.connect(self._update)
        self.button.clicked.connect(self._press)
        self.set_state(busy=False, ready=False)

    def set_state(self, *, busy: bool, ready: bool) -> None:
        """Whether an answer is in the making, and whether there is a model to ask."""
        self._busy, self._ready = busy, ready
        self.button.setAccessibleName("Stop: the best answer so far" if busy else "Send")
        says = tip("Stop: the best answer so far", "stop") if busy else tip("Send", "send")
        self.button.setToolTip(says)
        self._update()
        self.button.set_picture(self._theme, "stop" if busy else "send")

    def show_documents(self, names: list[str], remove: Callable[[int], None]) -> None:
        """The documents that go before the prompt; `remove` is called with one's place."""
        while self.chips.count() > 1:
            widget = self.chips.takeAt(0).widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        for place, name in enumerate(names):
            chip = Chip(self._theme, name, partial(remove, place))
            self.chips.insertWidget(place, chip)

    def set_theme(self, theme: Theme) -> None:
        """In other colours."""
        self._theme = theme
        self.attach.set_theme(theme)
        self.button.set_theme(theme)

    def _send(self) -> None:
        if self._ready and not self._busy and self.prompt.toPlainText().strip():
            self.sent.emit()

    def _press(self) -> None:
        if self._busy:
            self.stopped.emit()
        else:
            self._send()

    def _update(self) -> None:
        able = self._busy or (self._ready and bool(self.prompt.toPlainText().strip()))
        if able != self.button.isEnabled():
            self.button.setEnabled(able)
            self.button.set_theme(self._theme)
