"""The live view of thinking above an answer: samples, votes, objections, budget. It folds."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QPlainTextEdit, QVBoxLayout, QWidget

from edgemind.desktop.bars import Bars, Row
from edgemind.desktop.keys import tip
from edgemind.desktop.parts import IconButton, plain_label
from edgemind.desktop.theme import Theme
from edgemind.desktop.thinking import Shown, Thinking
from edgemind.wording import amounts

MOST_SAMPLES, MOST_VOTES, MOST_OBJECTIONS = 6, 4, 3
THOUGHT_ROWS = 9


class ThinkingCard(QFrame):
    """Shows a `Thinking`. `unfolded` says whether the person wants to see it."""

    folded = Signal(bool)

    def __init__(self, theme: Theme, *, unfolded: bool) -> None:
        super().__init__()
        self.setObjectName("card")
        self.setAccessibleName("Thinking")
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 5, 12, 5)
        column.setSpacing(2)
        self.head = IconButton(
            theme,
            "right",
            "Thinking",
            tip("Fold or unfold", "thinking"),
            text="Reading",
            role="fold",
            size=16,
        )
        self.head.setCheckable(True)
        self.head.setChecked(unfolded)
        self.head.toggled.connect(self._fold)
        column.addWidget(self.head, 0, Qt.AlignmentFlag.AlignLeft)
        self.body = QWidget()
        column.addWidget(self.body)
        inner = QVBoxLayout(self.body)
        inner.setContentsMargins(10, 2, 0, 8)
        inner.setSpacing(6)
        self.thought = QPlainTextEdit()
        self.thought.setObjectName("thought")
        self.thought.setReadOnly(True)
        self.thought.setAccessibleName("Thought")
        self.thought.setFrameShape(QFrame.Shape.NoFrame)
        self.thought.setTabChangesFocus(True)
        self.thought.document().setDocumentMargin(0)
        self.samples = Bars(theme, "Samples", 128, 64)
        self.votes = Bars(theme, "Votes", 128)
        self.objections = Bars(theme, "Objections", 620)
        self.spent = Bars(theme, "Spent", 128)
        self._sections = []
        for title, part in (
            ("THOUGHT", self.thought),
            ("SAMPLES", self.samples),
            ("VOTES", self.votes),
            ("OBJECTIONS", self.objections),
            ("SPENT", self.spent),
        ):
            label = plain_label(title, "section")
            label.setContentsMargins(0, 6, 0, 0)
            inner.addWidget(label)
            inner.addWidget(part)
            label.hide()
            part.hide()
            self._sections.append((label, part))
        self._theme = theme
        self._written = 0
        self._fold(unfolded)

    def set_theme(self, theme: Theme) -> None:
        """In other colours."""
        self._theme = theme
        self.head.set_theme(theme)
        for part in (self.samples, self.votes, self.objections, self.spent):
            part.set_theme(theme)

    def show_thinking(self, thinking: Thinking) -> None:
        """As far as it has come."""
        self.head.setText(thinking.headline)
        self.head.setAccessibleName(thinking.headline)
        if self.body.isHidden():
            return
        self._show_thought(thinking.thought.strip())
        self.samples.show_rows(_samples(thinking))
        every = sum(count for _, count in thinking.votes) or 1
        self.votes.show_rows(
            [
                Row(
                    answer,
                    count / every,
                    f"{count} vote{'s' if count != 1 else ''}",
                    "good" if place == 0 else "muted",
                )
                for place, (answer, count) in enumerate(thinking.votes[:MOST_VOTES])
            ]
        )
        self.objections.show_rows(
            [Row(one, None, "", "warn", "!") for one in thinking.objections[-MOST_OBJECTIONS:]]
        )
        self.spent.show_rows(
            []
            if thinking.spent is None
            else [
                Row(name, share, text, "warn" if (share or 0) > 0.9 else "accent")
                for name, share, text in amounts(thinking.budget, thinking.spent)
            ]
        )
        for label, part in self._sections:
            label.setVisible(not part.isHidden())
        # At once: what is painted before the next turn of the event loop would show rows over rows.
        around: QWidget | None = self.body
        while around is not None and (layout := around.layout()) is not None:
            layout.activate()
            around = around.parentWidget()

    def _show_thought(self, text: str) -> None:
        if not text:
            self.thought.hide()
            return
        if self._written == 0 or len(text) < self._written:
            self.thought.setPlainText(text)
        elif len(text) > self._written:
            cursor = self.thought.textCursor()
            cursor.movePosition(cursor.MoveOperation.End)
            cursor.insertText(text[self._written :])
        if len(text) != self._written:
            self._written = len(text)
            rows = min(THOUGHT_ROWS, int(self.thought.document().size().height()) + 1)
            self.thought.setFixedHeight(rows * self.thought.fontMetrics().lineSpacing() + 4)
            bar = self.thought.verticalScrollBar()
            bar.setValue(bar.maximum())
        self.thought.show()

    def _fold(self, unfolded: bool) -> None:
        self.body.setVisible(unfolded)
        self.head.set_picture(self._theme, "down" if unfolded else "right")
        self.folded.emit(unfolded)


def _samples(thinking: Thinking) -> list[Row]:
    """The samples that are being drawn, else those that came last."""
    every = sorted(thinking.samples.values(), key=lambda one: one.index)
    if len(every) < 2:
        return []
    growing = [one for one in every if not one.ended]
    ended = [one for one in every if one.ended]
    room = max(0, MOST_SAMPLES - len(growing))
    shown = sorted([*ended[-room:], *growing][:MOST_SAMPLES] if room else growing[:MOST_SAMPLES],
                   key=lambda one: one.index)  # fmt: skip
    longest = max(one.tokens for one in every) or 1
    return [_sample(one, longest, thinking.answer is not None) for one in shown]


def _sample(one: Shown, longest: int, over: bool) -> Row:
    name = f"{one.index + 1}"
    share = one.tokens / longest
    if not one.ended:
        state = "left out" if over else "…"
        return Row(f"{name} · {one.tokens} tokens", share, f"{one.end} {state}", "accent", "○")
    if one.dropped:
        return Row(f"{name} · given up", share, one.end, "muted", "×")
    said = f"{one.end}   → {one.answer}" if one.answer else one.end
    return Row(f"{name} · {one.tokens} tokens", share, said, "good", "●")
