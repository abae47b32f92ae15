"""One turn on the page: what was asked, the thinking, the answer, its receipt."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from edgemind.conversation.documents import split_documents
from edgemind.desktop.keys import tip
from edgemind.desktop.markdown_view import MarkdownView
from edgemind.desktop.parts import Chip, IconButton, plain_label
from edgemind.desktop.theme import Theme
from edgemind.desktop.thinking import Thinking
from edgemind.desktop.thinking_card import ThinkingCard
from edgemind.transcript import Turn
from edgemind.wording import costs, printable, receipt

WIDEST_BUBBLE = 560


class TurnView(QWidget):
    """Shows a turn while it is made, or one that is there."""

    again = Signal()
    grown = Signal()

    def __init__(self, theme: Theme, prompt: str, *, receipts: bool, thoughts: bool) -> None:
        super().__init__()
        self.prompt = prompt
        self.turn: Turn | None = None
        self.thinking = Thinking()
        self._theme, self._receipts, self._thoughts = theme, receipts, thoughts
        self._shown, self._final, self._pending = "", False, False
        self._unfolded = False
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        column.addLayout(self._asked(prompt))
        self.card = ThinkingCard(theme, unfolded=False)
        self.card.hide()
        self.card.folded.connect(lambda _: self._refresh_card())
        column.addWidget(self.card)
        self.answer = MarkdownView(theme)
        column.addWidget(self.answer)
        self.problem = plain_label("", "bad", wrap=True)
        self.problem.hide()
        column.addWidget(self.problem)
        self.foot = QWidget()
        row = QHBoxLayout(self.foot)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        self.receipt = plain_label("", "tiny")
        self.receipt.setAccessibleName("Receipt")
        self.receipt.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.receipt.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        row.addWidget(self.receipt, 1)
        self.why = IconButton(theme, "why", "Why", tip("Why it thought so hard", "why"),
                              role="quiet", size=16)  # fmt: skip
        self.why.setCheckable(True)
        self.copy = IconButton(theme, "copy", "Copy the answer", tip("Copy", "copy"),
                               role="quiet", size=16)  # fmt: skip
        self.retry = IconButton(theme, "again", "Another answer", tip("Another answer", "again"),
                                role="quiet", size=16)  # fmt: skip
        for button in (self.why, self.copy, self.retry):
            row.addWidget(button)
        self.why.toggled.connect(self._show_why)
        self.copy.clicked.connect(self.copy_answer)
        self.retry.clicked.connect(self.again)
        column.addWidget(self.foot)
        self.foot.hide()
        self.details = plain_label("", "details", wrap=True)
        self.details.setAccessibleName("Why it thought so hard")
        self.details.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.details.hide()
        column.addWidget(self.details)

    def _asked(self, prompt: str) -> QHBoxLayout:
        names, text = split_documents(printable(prompt))
        row = QHBoxLayout()
        row.addStretch(1)
        bubble = QFrame()
        bubble.setObjectName("bubble")
        bubble.setMaximumWidth(WIDEST_BUBBLE)
        inner = QVBoxLayout(bubble)
        inner.setContentsMargins(14, 9, 14, 10)
        for name in names:
            inner.addWidget(Chip(self._theme, name), 0, Qt.AlignmentFlag.AlignRight)
        self.asked: QLabel = plain_label(text, wrap=len(text) > 60 or "\n" in text)
        self.asked.setAccessibleName(f"You asked: {text}")
        self.asked.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        if self.asked.wordWrap():
            wide = max(self.fontMetrics().horizontalAdvance(one) for one in text.split("\n"))
            self.asked.setMinimumWidth(min(wide + 4, WIDEST_BUBBLE - 28))
        inner.addWidget(self.asked)
        row.addWidget(bubble, 0)
        return row

    def show_thinking(self, thinking: Thinking) -> bool:
        """As far as an answer has come; False where more is to be drawn soon."""
        self.thinking = thinking
        over = thinking.answer is not None
        whole = True
        if thinking.text != self._shown or over != self._final or self._pending:
            whole = self.answer.show_text(thinking.text, final=over)
            self._pending = not whole
            self._shown, self._final = thinking.text, over
        show = thinking.worth_showing or not over
        if len(thinking.samples) > 1 and not (over or self._unfolded):
            self._unfolded = True  # there is something to see: it folds again at the end
            self.card.head.setChecked(True)
        self.card.setVisible(show)
        self.card.show_thinking(thinking)
        return whole

    def show_turn(self, turn: Turn, *, fold: bool = True) -> None:
        """The turn as it ended."""
        self.turn = turn
        thinking = self.thinking
        if thinking.answer is None:  # from the disk
            thinking.text, thinking.thought = printable(turn.text), printable(turn.reasoning or "")
        self.answer.setVisible(bool(thinking.text))
        self._write_on()
        self.card.setVisible(thinking.worth_showing)
        if fold:
            self.card.head.setChecked(self._thoughts and thinking.worth_showing)
        self.card.show_thinking(thinking)
        if turn.answer is None and thinking.thought:
            self.card.head.setText(f"A thought of {len(thinking.thought.split())} words")
        answer = turn.answer
        if answer is not None:
            self.receipt.setToolTip(printable("\n".join((costs(answer), *answer.notes))))
        self.why.setVisible(answer is not None)
        self._show_foot()

    def _write_on(self) -> None:
        """Write the answer; a long one in parts, between which the window goes on living."""
        if not self.answer.show_text(self.thinking.text, final=True):
            QTimer.singleShot(0, self, self._write_on)

    def show_problem(self, text: str) -> None:
        """An error, in one line, where the answer would stand."""
        self.problem.setText(printable(text))
        self.problem.setAccessibleName(f"Problem: {text}")
        self.problem.show()
        self.card.setVisible(False)
        self.answer.setVisible(bool(self._shown))

    def set_last(self, last: bool) -> None:
        """Only the last turn can be answered once more."""
        self.retry.setVisible(last)

    def set_look(self, theme: Theme, *, receipts: bool, thoughts: bool) -> None:
        """In other colours, with or without receipts and thoughts unfolded."""
        self._receipts, self._thoughts = receipts, thoughts
        if theme != self._theme:
            self._theme = theme
            self.card.set_theme(theme)
            self.answer.set_theme(theme)
            self._pending = True
            if self.turn is not None:  # after the style sheet, which takes its time too
                QTimer.singleShot(0, self, self._write_on)
            for button in (self.why, self.copy, self.retry):
                button.set_theme(theme)
        self._show_foot()

    def copy_answer(self) -> None:
        """Put the answer's own text on the clipboard."""
        if self.turn is not None:
            QGuiApplication.clipboard().setText(printable(self.turn.text))

    def _show_foot(self) -> None:
        self.foot.setVisible(self.turn is not None)
        self.receipt.setVisible(True)
        known = self.turn.receipt if self.turn is not None and self._receipts else None
        self.receipt.setText("" if known is None else printable(receipt(known)))

    def _refresh_card(self) -> None:
        self.card.show_thinking(self.thinking)
        self.grown.emit()

    def _show_why(self, wanted: bool) -> None:
        answer = self.turn.answer if self.turn is not None else None
        if answer is not None:
            parts = (self.thinking.why(), costs(answer), *answer.notes)
            self.details.setText(printable("\n".join(part for part in parts if part)))
        self.details.setVisible(wanted)
        self.grown.emit()
