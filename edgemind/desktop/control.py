"""What the window does: prompts go to the model's thread, events come back, the disk is asked."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Signal

from edgemind.conversation.documents import split_documents
from edgemind.conversation.effort import Effort
from edgemind.desktop.chats import Chats
from edgemind.desktop.files import Files
from edgemind.desktop.look import Look
from edgemind.desktop.model import ModelSide, Note, Opening
from edgemind.desktop.preferences import Preferences
from edgemind.desktop.shelf import Settings, Shelf
from edgemind.desktop.thinking import Thinking
from edgemind.desktop.turn_view import TurnView
from edgemind.desktop.window import Window
from edgemind.desktop.worker import Worker
from edgemind.errors import EdgemindError
from edgemind.transcript import Turn

DRAW_MS = 33
"""The window draws what has come in so often: thirty times a second."""
END_SECONDS = 5.0
INTERNAL = "An internal error; what it was is on the terminal, without what was said."
STOPPED = "Stopped before there was any answer."


class Control(QObject):
    """One window at work. `answered` comes after every prompt, `opened` with every model."""

    answered = Signal(object)
    opened = Signal(str)

    def __init__(self, window: Window, look: Look, opening: Opening, settings: Settings) -> None:
        super().__init__()
        self.window = window
        self.model = ModelSide(opening)
        self.shelf = Shelf(self.model.feed.note)
        self.thinker, self.disk = Worker("edgemind-model"), Worker("edgemind-disk")
        self.busy, self._closed = False, False
        self.effort: Effort = window.composer.effort.effort
        self._whole = True
        self._view: TurnView | None = None
        self._retried: Turn | None = None
        self._thinking = Thinking()
        self._idle: list[Callable[[], None]] = []
        self._timer = QTimer(self)
        self._timer.setInterval(DRAW_MS)
        self._timer.timeout.connect(self._draw)
        self.preferences = Preferences(self, look, settings)
        self.files, self.chats = Files(self), Chats(self)
        self._connect()
        self.preferences.apply(settings)

    def start(self) -> None:
        """Open the model and read what is kept, each in its thread."""
        self.files.open_model(self.model.opening.model, first=True)
        self.chats.read()
        self.disk.do(self.shelf.warm_up)

    def _connect(self) -> None:
        window, side = self.window, self.window.side
        composer = window.composer
        composer.sent.connect(self.ask)
        composer.stopped.connect(self.stop)
        composer.prompt.recalled.connect(self.recall)
        composer.attach.clicked.connect(self.files.browse)
        composer.effort.changed.connect(self.preferences.effort_changed)
        window.model.clicked.connect(self.files.show_models)
        window.dropped.connect(self.files.take)
        window.leaving.connect(self.close)
        window.looked_at.connect(self.preferences.look_again)
        window.page.suggested.connect(self.ask_this)
        window.page.again.connect(self.again)
        side.new.clicked.connect(self.chats.new)
        side.chosen.connect(self.chats.go_to)
        side.removed.connect(self.chats.remove)
        side.settings.clicked.connect(self.preferences.show_settings)
        side.keys.clicked.connect(self.preferences.show_help)
        side.look.clicked.connect(self.preferences.toggle_theme)
        choose = composer.effort.choose
        window.bind(
            {
                "stop": self.stop,
                "again": self.again,
                "attach": self.files.browse,
                "prompt": composer.prompt.setFocus,
                "quick": lambda: choose("quick"),
                "balanced": lambda: choose("balanced"),
                "thorough": lambda: choose("thorough"),
                "limits": lambda: choose("limits"),
                "copy": lambda: self._last(lambda view: view.copy_answer()),
                "thinking": lambda: self._last(lambda view: view.card.head.toggle()),
                "why": lambda: self._last(lambda view: view.why.toggle()),
                "new": self.chats.new,
                "search": self._search,
                "next": lambda: self.chats.go_beside(1),
                "previous": lambda: self.chats.go_beside(-1),
                "model": self.files.show_models,
                "side": window.toggle_side,
                "theme": self.preferences.toggle_theme,
                "settings": self.preferences.show_settings,
                "help": self.preferences.show_help,
                "quit": window.close,
            }
        )

    # Asking

    def ask(self) -> None:
        """Ask what stands in the prompt, with the documents before it."""
        text = self.window.composer.prompt.toPlainText().strip("\n")
        if self.busy or not self.files.ready or not text.strip():
            return
        self.window.composer.prompt.clear()
        whole = "\n\n".join((*(text for _, text in self.files.documents), text))
        self._begin(whole.encode("utf-8", "replace").decode(), again=False)

    def ask_this(self, text: str) -> None:
        """Put a text into the prompt; ask it where there is a model already."""
        self.window.composer.prompt.setPlainText(text)
        self.ask()

    def again(self) -> None:
        """Another answer to the last prompt."""
        turns = self.chats.current.turns
        if self.busy or not self.files.ready or not turns:
            return
        self.window.page.drop_unanswered()
        self.window.page.drop_last()
        self._retried = turns.pop()
        self._begin(self._retried.prompt, again=True)

    def recall(self) -> None:
        """The last prompt once more, to be changed."""
        if self.chats.current.turns:
            _, text = split_documents(self.chats.current.turns[-1].prompt)
            self.window.composer.prompt.setPlainText(text)
            self.window.composer.prompt.moveCursor(
                self.window.composer.prompt.textCursor().MoveOperation.End
            )

    def stop(self) -> None:
        """The best answer so far."""
        if self.busy:
            self.model.stop()

    def _begin(self, prompt: str, *, again: bool) -> None:
        conversation, effort = self.chats.current, self.effort
        self.window.page.drop_unanswered()
        self.chats.name(prompt)
        self._view = self.window.page.begin(prompt)
        self._thinking = Thinking(effort.budget)
        self._view.show_thinking(self._thinking)
        self._set_busy(True)
        self.model.begin()
        self._timer.start()
        self.thinker.do(
            lambda: self.model.say(conversation, prompt, effort, again),
            self._answered,
            lambda error: self._failed(error, prompt),
        )

    def _draw(self) -> None:
        """Show what has come in since the last time."""
        came = False
        for event in self.model.feed.take():
            if isinstance(event, Note):
                self.window.notice.say(event.text)
            else:
                self._thinking.take(event)
                came = True
        if self._view is not None and (came or not self._whole):
            self._whole = self._view.show_thinking(self._thinking)

    def _answered(self, turn: Turn) -> None:
        self._draw()
        view = self._end()
        if not turn.text:
            self._nothing(view, STOPPED)
            self._retried = None
            self._idle_now(turn)
            return
        view.show_turn(turn)
        if self._retried is None:
            self.files.clear_documents()
        self.chats.ended(turn, instead=self._retried is not None)
        self._retried = None
        self._idle_now(turn)

    def _failed(self, error: Exception, prompt: str) -> None:
        self._draw()
        view = self._end()
        ours = isinstance(error, EdgemindError)
        self._nothing(view, str(error) if ours else INTERNAL)
        composer = self.window.composer.prompt
        if self._retried is None and not composer.toPlainText():
            composer.setPlainText(split_documents(prompt)[1])
        self._retried = None
        self._idle_now(None)
        if not ours:
            raise error

    def _nothing(self, view: TurnView, why: str) -> None:
        """There is no answer. One that was to be replaced is there again."""
        if self._retried is None:
            view.show_problem(why)
            return
        page, turn = self.window.page, self._retried
        page.drop_last()
        page.begin(turn.prompt).show_turn(turn)
        assert self.chats.current.turns is not None
        self.chats.current.turns.append(turn)
        self.window.notice.say(why, bad=True)

    def _end(self) -> TurnView:
        self._timer.stop()
        self._set_busy(False)
        view, self._view = self._view, None
        assert view is not None
        return view

    def _idle_now(self, turn: Turn | None) -> None:
        waiting, self._idle = self._idle, []
        for do in waiting:
            do()
        self.answered.emit(turn)

    def when_idle(self, do: Callable[[], None]) -> None:
        """Do it now, or when the answer that is in the making has been stopped."""
        if self.busy:
            self._idle.append(do)
            self.stop()
        else:
            do()

    def _set_busy(self, busy: bool) -> None:
        self.busy = busy
        self.window.composer.set_state(busy=busy, ready=self.files.ready)

    def problem(self, error: Exception) -> None:
        """An error of the disk or of opening, in one line."""
        if not isinstance(error, EdgemindError | OSError):
            raise error
        self.window.notice.say(str(error), bad=True)

    def close(self) -> None:
        """End the answer, free the model, close the files."""
        if self._closed:
            return
        self._closed = True
        self._timer.stop()
        self.window.hide()
        self.model.stop()
        self.thinker.do(self.model.close)
        self.disk.do(self.shelf.close)
        self.thinker.close(END_SECONDS)
        self.disk.close(END_SECONDS)

    def _last(self, do: Callable[[TurnView], None]) -> None:
        if self.window.page.views:
            do(self.window.page.views[-1])

    def _search(self) -> None:
        if self.window.side.isHidden():
            self.window.toggle_side()
        self.window.side.search.setFocus()
        self.window.side.search.selectAll()
