"""Markdown written into a text document: tokens of `edgemind.conversation.markdown` in, blocks out.

Nothing in it leads anywhere: links and pictures are shown as what they say, and nothing is loaded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtGui import (
    QBrush,
    QColor,
    QFont,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextFormat,
    QTextFrameFormat,
    QTextLength,
    QTextOption,
    QTextTable,
    QTextTableFormat,
)

if TYPE_CHECKING:
    from markdown_it.token import Token

CODE, QUOTE, RULE = (int(QTextFormat.Property.UserProperty) + n for n in (1, 2, 3))
"""Block properties: what `MarkdownView` paints something behind."""
LINE_BREAK = "\u2028"
STEP = 26
"""A step of indentation, in pixels."""
QUOTE_STEP = 16
BULLETS = "•◦▪"
HEADINGS = {"h1": 1.4, "h2": 1.25, "h3": 1.12}


@dataclass(frozen=True, slots=True)
class Ink:
    """Colours and fonts of a text."""

    text: str
    muted: str
    line: str
    code: str
    accent: str
    base: int
    fixed: str


class Writer:
    """Writes at a cursor. `fresh` says that the block which it stands in is empty and its own."""

    def __init__(self, cursor: QTextCursor, ink: Ink, fresh: bool) -> None:
        self.cursor = cursor
        self.fresh = fresh
        self._ink = ink
        self._first = fresh and cursor.position() == 0
        self._lists: list[int | None] = []  # the next number of each open list
        self._item = False
        self._quotes = 0
        self._style: list[QTextCharFormat] = [self._plain()]

    def write(self, tokens: Sequence[Token]) -> None:
        """Write whole blocks."""
        place = 0
        heading = 0.0
        while place < len(tokens):
            token = tokens[place]
            match token.type:
                case "heading_open":
                    heading = HEADINGS.get(token.tag, 1.0)
                case "heading_close":
                    heading = 0.0
                case "inline":
                    self._paragraph(token, heading)
                case "fence" | "code_block":
                    self._code(token.content)
                case "hr":
                    self._rule()
                case "bullet_list_open" | "ordered_list_open":
                    ordered = token.type.startswith("ordered")
                    self._lists.append(int(token.attrGet("start") or 1) if ordered else None)
                case "bullet_list_close" | "ordered_list_close":
                    self._lists.pop()
                case "list_item_open":
                    self._item = True
                case "blockquote_open":
                    self._quotes += 1
                case "blockquote_close":
                    self._quotes -= 1
                case "table_open":
                    end = next(
                        n for n in range(place, len(tokens)) if tokens[n].type == "table_close"
                    )
                    self._table(tokens[place:end])
                    place = end
                case _:
                    pass
            place += 1

    def _plain(self) -> QTextCharFormat:
        made = QTextCharFormat()
        made.setForeground(QBrush(QColor(self._ink.text)))
        made.setProperty(QTextFormat.Property.FontPixelSize, self._ink.base)
        return made

    def _block(self, space: float = 0.55, height: int = 142) -> QTextBlockFormat:
        """The format of a further block, as far in as lists and quotes are open."""
        made = QTextBlockFormat()
        made.setLineHeight(height, int(QTextBlockFormat.LineHeightTypes.ProportionalHeight.value))
        tight = bool(self._lists) and self._item
        above = 0.22 if tight else space
        made.setTopMargin(0 if self._first else round(self._ink.base * above))
        made.setBottomMargin(0)
        made.setLeftMargin(STEP * len(self._lists) + QUOTE_STEP * self._quotes)
        if self._quotes:
            made.setProperty(QUOTE, self._quotes)
        return made

    def _begin(self, shape: QTextBlockFormat) -> None:
        if self.fresh:
            self.cursor.setBlockFormat(shape)
            self.cursor.setBlockCharFormat(self._style[-1])
        else:
            self.cursor.insertBlock(shape, self._style[-1])
        self.fresh = self._first = False

    def _paragraph(self, token: Token, heading: float) -> None:
        shape = self._block(1.05 if heading else 0.55, 125 if heading else 142)
        style = self._plain()
        if heading:
            style.setProperty(
                QTextFormat.Property.FontPixelSize, round(self._ink.base * max(1.0, heading))
            )
            style.setFontWeight(QFont.Weight.DemiBold)
        self._style = [style]
        mark = self._mark(shape)
        self._begin(shape)
        if mark:
            self.cursor.insertText(f"{mark}\t", style)
        self._inline(token.children or [])

    def _mark(self, shape: QTextBlockFormat) -> str:
        """The mark of an item, before its first paragraph; it hangs to the left of the text."""
        if not (self._lists and self._item):
            return ""
        self._item = False
        shape.setTextIndent(-STEP)
        # Counted from the mark, where the block's first line begins.
        shape.setTabPositions([QTextOption.Tab(STEP, QTextOption.TabType.LeftTab)])
        number = self._lists[-1]
        if number is None:
            return BULLETS[min(len(self._lists), len(BULLETS)) - 1]
        self._lists[-1] = number + 1
        return f"{number}."

    def _code(self, text: str) -> None:
        shape = self._block()
        pad = round(self._ink.base * 0.8)
        shape.setLineHeight(135, int(QTextBlockFormat.LineHeightTypes.ProportionalHeight.value))
        shape.setTopMargin(shape.topMargin() + pad)
        shape.setBottomMargin(pad)
        shape.setLeftMargin(shape.leftMargin() + pad)
        shape.setRightMargin(pad)
        shape.setProperty(CODE, 1)
        self._item = False
        style = self._fixed(self._plain())
        self._style = [style]
        self._begin(shape)
        self.cursor.insertText(text.rstrip("\n").replace("\n", LINE_BREAK), style)

    def _rule(self) -> None:
        shape = self._block()
        shape.setProperty(RULE, 1)
        self._style = [self._plain()]
        self._begin(shape)

    def _table(self, tokens: Sequence[Token]) -> None:
        rows: list[list[Token]] = []
        heads = 0
        for token in tokens:
            if token.type == "tr_open":
                rows.append([])
            elif token.type == "inline":
                rows[-1].append(token)
            elif token.type == "thead_close":
                heads = len(rows)
        wide = max((len(row) for row in rows), default=0)
        if not wide:
            return
        self._style = [self._plain()]
        self._begin(self._block(0.2))
        shape = QTextTableFormat()
        shape.setBorderCollapse(True)
        shape.setBorder(1)
        shape.setBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_Solid)
        shape.setBorderBrush(QBrush(QColor(self._ink.line)))
        shape.setCellPadding(6)
        shape.setBottomMargin(round(self._ink.base * 0.6))
        shape.setWidth(QTextLength(QTextLength.Type.VariableLength, 0))
        table: QTextTable = self.cursor.insertTable(len(rows), wide, shape)
        for at, row in enumerate(rows):
            for column, cell in enumerate(row):
                style = self._plain()
                if at < heads:
                    style.setFontWeight(QFont.Weight.DemiBold)
                self._style = [style]
                outer, self.cursor = self.cursor, table.cellAt(at, column).firstCursorPosition()
                self._inline(cell.children or [])
                self.cursor = outer
        self.cursor.setPosition(table.lastPosition() + 1)
        self.fresh = True

    def _fixed(self, style: QTextCharFormat) -> QTextCharFormat:
        made = QTextCharFormat(style)
        made.setFontFamilies([self._ink.fixed])
        made.setProperty(QTextFormat.Property.FontPixelSize, round(self._ink.base * 0.9))
        return made

    def _inline(self, children: Sequence[Token]) -> None:
        for token in children:
            match token.type:
                case "softbreak" | "hardbreak":
                    self._put(LINE_BREAK)
                case "code_inline":
                    style = self._fixed(self._style[-1])
                    style.setBackground(QBrush(QColor(self._ink.code)))
                    self.cursor.insertText(token.content, style)
                case "strong_open":
                    self._push().setFontWeight(QFont.Weight.DemiBold)
                case "em_open":
                    self._push().setFontItalic(True)
                case "s_open":
                    self._push().setFontStrikeOut(True)
                case "link_open":
                    self._push().setForeground(QBrush(QColor(self._ink.accent)))
                    self._link = str(token.attrGet("href") or "")
                case "link_close":
                    self._style.pop()
                    self._put(f" ({self._link})")
                case "image":
                    self._put(f"{token.content} ({token.attrGet('src') or ''})")
                case "strong_close" | "em_close" | "s_close":
                    self._style.pop()
                case _:
                    self._put(token.content)

    def _push(self) -> QTextCharFormat:
        self._style.append(QTextCharFormat(self._style[-1]))
        return self._style[-1]

    def _put(self, text: str) -> None:
        self.cursor.insertText(text, self._style[-1])
