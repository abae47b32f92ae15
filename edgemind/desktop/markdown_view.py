"""A text in Markdown that grows: finished blocks are written once, only the last one anew.

Reading and laying out a long answer again for every word would take longer than a word does.
"""

from __future__ import annotations

import math

from PySide6.QtCore import QRectF, QSizeF, Qt
from PySide6.QtGui import (
    QColor,
    QPainter,
    QPaintEvent,
    QPen,
    QTextBlock,
    QTextCursor,
    QTextOption,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QSizePolicy, QTextEdit, QWidget

from edgemind.desktop.theme import Theme, fixed_family
from edgemind.desktop.writing import CODE, QUOTE, QUOTE_STEP, RULE, Ink, Writer

MOST_LINES = 200
"""Of a block that is not finished: a longer one shows its end until it is."""
AT_ONCE = 2_000
"""Characters of finished text that are written in one turn of the event loop."""


class MarkdownView(QTextEdit):
    """Shows a text, as high as it is. The scrolling is its surroundings' business."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("answer")
        self.setReadOnly(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setTabChangesFocus(True)
        self.setUndoRedoEnabled(False)
        self.setAcceptDrops(False)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.viewport().setAutoFillBackground(False)
        self.setAccessibleName("Answer")
        document = self.document()
        document.setDocumentMargin(0)
        document.documentLayout().documentSizeChanged.connect(self._fit)
        self._text = ""
        self._done = 0
        self._start, self._fresh = 0, True
        self._theme = theme
        self._fit(document.size())

    def set_theme(self, theme: Theme) -> None:
        """Begin anew in other colours: what is shown next is written from its beginning."""
        self._theme = theme
        self._done, self._start, self._fresh = 0, 0, True

    @property
    def markdown(self) -> str:
        """The text as it is shown now, or as it will be."""
        return self._text

    def show_text(self, text: str, *, final: bool = False) -> bool:
        """Show this text; False where a part is left for the next call, since it is long.

        A text that is not `final` goes on: of a last block of many lines only the end is shown.
        """
        from edgemind.conversation.markdown import finished, last_lines, parsed

        if not text.startswith(self._text[: self._done]):
            self._done, self._start, self._fresh = 0, 0, True
        self._text = text
        tail = text[self._done :]
        whole = tail.rfind("\n") + 1
        part = tail.rfind("\n", 0, AT_ONCE) + 1 if whole > AT_ONCE else whole
        done = finished(tail[:part]) or (finished(tail[:whole]) if whole > part else 0)
        rest = tail[done:]
        more = len(rest) > AT_ONCE and done > 0
        cursor = QTextCursor(self.document())
        cursor.beginEditBlock()
        cursor.setPosition(self._start)
        cursor.movePosition(QTextCursor.MoveOperation.End, QTextCursor.MoveMode.KeepAnchor)
        cursor.removeSelectedText()
        writer = Writer(cursor, self._ink(), self._fresh)
        if done:
            writer.write(parsed(tail[:done]))
            self._done += done
            self._start, self._fresh = writer.cursor.position(), writer.fresh
        if not more and rest.strip():
            writer.write(parsed(rest if final else last_lines(rest, MOST_LINES)))
        cursor.endEditBlock()
        return not more

    def _ink(self) -> Ink:
        theme = self._theme
        fixed = fixed_family()
        return Ink(theme.text, theme.muted, theme.line, theme.code, theme.accent, theme.base, fixed)

    def _fit(self, size: QSizeF) -> None:
        height = max(1, math.ceil(size.height()))
        if height != self.height() or height != self.minimumHeight():
            self.setFixedHeight(height)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Left to what this stands in."""
        event.ignore()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Grounds of code, bars of quotes and rules, then the text."""
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        clip = QRectF(event.rect())
        layout = self.document().documentLayout()
        block = self.document().firstBlock()
        while block.isValid():
            if layout.blockBoundingRect(block).top() > clip.bottom():
                break
            shape = block.blockFormat()
            if shape.hasProperty(CODE) or shape.hasProperty(QUOTE) or shape.hasProperty(RULE):
                self._behind(painter, block)
            block = block.next()
        painter.end()
        super().paintEvent(event)

    def _behind(self, painter: QPainter, block: QTextBlock) -> None:
        shape, lines = block.blockFormat(), block.layout()
        box = lines.boundingRect().translated(lines.position())
        right = float(self.viewport().width())
        if shape.hasProperty(CODE):
            pad = self._theme.base * 0.8
            ground = QRectF(box.left() - pad, box.top() - pad, 0, box.height() + 2 * pad)
            ground.setRight(right - 1)
            painter.setPen(QPen(QColor(self._theme.line), 1))
            painter.setBrush(QColor(self._theme.code))
            painter.drawRoundedRect(ground.adjusted(0.5, 0.5, -0.5, -0.5), 8, 8)
        elif shape.hasProperty(RULE):
            painter.setPen(QPen(QColor(self._theme.line), 1))
            painter.drawLine(0, int(box.center().y()), int(right), int(box.center().y()))
        else:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(self._theme.line))
            for depth in range(int(shape.property(QUOTE))):
                bar = QRectF(QUOTE_STEP * depth, box.top(), 3, box.height())
                painter.drawRoundedRect(bar, 1.5, 1.5)
