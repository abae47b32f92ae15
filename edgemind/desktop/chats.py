"""The conversations at the left: begun, opened, kept, removed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from edgemind.desktop.shelf import Conversation, title_of
from edgemind.transcript import Turn
from edgemind.types import Message

if TYPE_CHECKING:
    from edgemind.desktop.control import Control

FORGOTTEN = "Conversations are forgotten when the window closes (Settings)."


class Chats(QObject):
    """The control's part for conversations; `current` is the one on the page."""

    def __init__(self, control: Control) -> None:
        super().__init__(control)
        self._control = control
        self._window, self._shelf, self._disk = control.window, control.shelf, control.disk
        self.current = Conversation()
        self.every: list[Conversation] = []

    def read(self) -> None:
        """Read what is kept."""
        self._disk.do(self._shelf.conversations, self._came, self._control.problem)

    def name(self, prompt: str) -> None:
        """A conversation is called as its first prompt begins."""
        if not self.current.title:
            self.current.title = title_of(prompt)
            self.show()

    def ended(self, turn: Turn, *, instead: bool) -> None:
        """A turn was answered, in the last one's place or behind it."""
        assert self.current.turns is not None
        self.current.turns.append(turn)
        self.current.ended = time.time()
        self._keep(instead)
        self.show()

    def new(self) -> None:
        """A new conversation."""
        self._control.when_idle(self._begin)
        self._window.composer.prompt.setFocus()

    def go_to(self, conversation: Conversation) -> None:
        """Open a conversation of the list; one that is kept is read first."""
        if conversation is self.current:
            return
        if conversation.turns is not None:
            self._control.when_idle(lambda: self._open(conversation))
            return

        def came(found: tuple[str | None, list[Turn]]) -> None:
            conversation.system, conversation.turns = found
            self._control.when_idle(lambda: self._open(conversation))

        self._disk.do(lambda: self._shelf.read(conversation), came, self._control.problem)

    def remove(self, conversation: Conversation) -> None:
        """Remove a conversation, once more asked; one that is kept also from the disk."""
        self._window.notice.say(
            f"Remove “{conversation.title}” for good?",
            does="Remove",
            do=lambda: self._control.when_idle(lambda: self._remove(conversation)),
        )
        self._window.notice.action.setFocus()

    def _remove(self, conversation: Conversation) -> None:
        self.every = [one for one in self.every if one is not conversation]
        if conversation.kept:
            self._disk.do(lambda: self._shelf.remove(conversation.id), failed=self._control.problem)
        if conversation is self.current:
            self._open(Conversation())
        self.show()

    def remove_kept(self) -> None:
        """Remove every conversation that is kept, byte by byte."""

        def done(count: int) -> None:
            self.every = [one for one in self.every if not one.kept]
            if self.current.kept:
                self._open(Conversation())
            self.show()
            self._window.notice.say(f"Removed: {count} kept conversation{'s'[: count != 1]}")

        self._disk.do(lambda: self._shelf.remove(None), done, self._control.problem)

    def _begin(self) -> None:
        self._open(Conversation() if self.current.turns else self.current)

    def _open(self, conversation: Conversation) -> None:
        self.current = conversation
        self._window.page.show_turns(conversation.turns or [])
        self.show()

    def _came(self, found: list[Conversation]) -> None:
        known = {one.id for one in self.every}
        self.every += [one for one in found if one.id not in known]
        self.show()

    def show(self) -> None:
        """The list, as it is now."""
        if self.current not in self.every and self.current.title:
            self.every.append(self.current)
        self.every.sort(key=lambda one: one.ended or time.time(), reverse=True)
        note = "" if self._keeps else FORGOTTEN
        self._window.side.show_conversations(self.every, self.current, note)

    @property
    def _keeps(self) -> bool:
        """Whether the person wants conversations to be kept."""
        return self._control.preferences.settings.config.history.keep

    def _keep(self, instead: bool) -> None:
        """Put the last turn on the disk, if the person wants that; the first time all of them."""
        one, talk = self.current, self._control.model.talk
        if not self._keeps or not one.turns or talk is None:
            return
        turns = one.turns[-1:] if one.kept else one.turns
        messages = [message for turn in turns for message in turn.messages]
        if not one.kept and talk.system:
            messages.insert(0, Message("system", talk.system))
        instead, one.kept = instead and one.kept, True
        name, model, source = one.id, talk.mind.model, self._control.files.path
        receipts = [turn.receipt for turn in turns]

        def keep() -> None:
            self._shelf.keep(
                name, model, messages, source=source, receipts=receipts, instead=instead
            )

        self._disk.do(keep, failed=self._control.problem)

    def go_beside(self, step: int) -> None:
        """The conversation so many further down the list."""
        if (one := self._window.side.beside(step)) is not None:
            self.go_to(one)
