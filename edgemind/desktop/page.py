"""The page in the middle: the turns of a conversation, or what to begin with."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from edgemind.desktop.parts import plain_label, push, restyle
from edgemind.desktop.theme import Theme
from edgemind.desktop.turn_view import TurnView
from edgemind.transcript import Turn

WIDEST = 760
SHOWN_TURNS = 24
"""Of a long conversation: earlier ones are shown when asked for."""
SUGGESTIONS = (
    "Tom has 3 bags with 14 marbles each and gives 5 away. How many are left?",
    "What is 20% of 150?",
    "A train leaves at 14:35 and takes 50 minutes. When does it arrive?",
    "What comes next: 4, 7, 10, 13?",
)
NEAR_END = 48


class Page(QScrollArea):
    """Scrolls. It stays at the end while the person is there."""

    suggested = Signal(str)
    again = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        # Always there, so that the column stands over the composer with and without it.
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("Conversation")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._theme, self._receipts, self._thoughts = theme, True, False
        self.views: list[TurnView] = []
        self._earlier: list[Turn] = []
        page = QWidget()
        page.setObjectName("page")
        outer = QHBoxLayout(page)
        outer.setContentsMargins(24, 18, 24, 18)
        outer.addStretch(1)
        column = QWidget()
        column.setObjectName("column")
        column.setMaximumWidth(WIDEST)
        outer.addWidget(column, 100)
        outer.addStretch(1)
        self._column = QVBoxLayout(column)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(30)
        self.more = push("Show earlier turns", "outlined", self._show_earlier)
        self._column.addWidget(self.more, 0, Qt.AlignmentFlag.AlignHCenter)
        self.welcome = self._make_welcome()
        self._column.addWidget(self.welcome)
        self._column.addStretch(1)
        self.setWidget(page)
        self._stay = True
        bar = self.verticalScrollBar()
        bar.rangeChanged.connect(self._ranged)
        bar.setProperty("idle", "true")
        bar.valueChanged.connect(self._moved)
        self._update()

    def _make_welcome(self) -> QWidget:
        welcome = QWidget()
        column = QVBoxLayout(welcome)
        column.setContentsMargins(0, 96, 0, 0)
        column.setSpacing(8)
        column.addWidget(plain_label("What is there to work out?", "heading"))
        says = "The model thinks as long as a question is worth, within the limit below."
        column.addWidget(plain_label(f"{says} Nothing leaves this device.", "muted", wrap=True))
        column.addSpacing(14)
        for text in SUGGESTIONS:
            ask = partial(self.suggested.emit, text)
            column.addWidget(push(text, "suggestion", ask, f"Ask: {text}"))
        return welcome

    def show_turns(self, turns: Sequence[Turn]) -> None:
        """Another conversation."""
        for view in self.views:
            view.hide()
            view.deleteLater()
        self.views = []
        self._earlier = list(turns[:-SHOWN_TURNS])
        self._stay = True
        self._grow(list(turns[-SHOWN_TURNS:]), [])

    def _grow(self, waiting: list[Turn], made: list[TurnView]) -> None:
        """Make some turns' views, and the others when the window had its turn."""
        for turn in waiting[:4]:
            view = self.begin(turn.prompt)
            view.show_turn(turn)
            made.append(view)
        self._update()
        if waiting[4:]:
            QTimer.singleShot(0, self, partial(self._grow_on, waiting[4:], made))

    def _grow_on(self, waiting: list[Turn], made: list[TurnView]) -> None:
        if self.views[-1:] == made[-1:]:  # else it is another conversation by now
            self._grow(waiting, made)

    def begin(self, prompt: str) -> TurnView:
        """A turn that is about to be answered."""
        view = TurnView(self._theme, prompt, receipts=self._receipts, thoughts=self._thoughts)
        view.again.connect(self.again)
        self._column.insertWidget(self._column.count() - 1, view)
        self.views.append(view)
        self._stay = True
        self._update()
        return view

    def drop_last(self) -> None:
        """Take the last turn away."""
        if self.views:
            view = self.views.pop()
            view.hide()
            view.deleteLater()
            self._update()

    def drop_unanswered(self) -> None:
        """Take prompts away that came to nothing."""
        while self.views and self.views[-1].turn is None:
            self.drop_last()

    def set_look(self, theme: Theme, *, receipts: bool, thoughts: bool) -> None:
        """In other colours, with or without receipts and thoughts unfolded."""
        self._theme, self._receipts, self._thoughts = theme, receipts, thoughts
        for view in self.views:
            view.set_look(theme, receipts=receipts, thoughts=thoughts)

    def _show_earlier(self) -> None:
        part, self._earlier = self._earlier[-SHOWN_TURNS:], self._earlier[:-SHOWN_TURNS]
        self._stay = False
        for place, turn in enumerate(part):
            view = TurnView(
                self._theme, turn.prompt, receipts=self._receipts, thoughts=self._thoughts
            )
            view.show_turn(turn)
            view.again.connect(self.again)
            self._column.insertWidget(2 + place, view)
            self.views.insert(place, view)
        self._update()

    def _update(self) -> None:
        self.welcome.setVisible(not self.views)
        self.more.setVisible(bool(self._earlier))
        for view in self.views:
            view.set_last(view is self.views[-1])

    def _moved(self, value: int) -> None:
        self._stay = value >= self.verticalScrollBar().maximum() - NEAR_END

    def _ranged(self, _: int, most: int) -> None:
        bar = self.verticalScrollBar()
        if bar.property("idle") != (idle := "true" if most == 0 else "false"):
            bar.setProperty("idle", idle)
            restyle(bar)
        if self._stay:
            self.verticalScrollBar().setValue(most)
            self._stay = True
