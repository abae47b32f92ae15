"""The interactive chat on a terminal: editor, page, keyboard and Ctrl-C put together."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import TYPE_CHECKING

from edgemind.cli.chatting.commands import COMMANDS
from edgemind.cli.chatting.loop import converse
from edgemind.cli.chatting.table import Desk
from edgemind.conversation.talk import Face, Talk
from edgemind.runtime import Mind

if TYPE_CHECKING:
    from edgemind.cli.chatting.keys import TypeAhead

PRESSES = 3
"""So many presses of Ctrl-C give up an answer that does not come to its end."""


def is_interactive(plain: bool) -> bool:
    """Whether there is a terminal that lines can be drawn on, and the person wants that."""
    if plain or os.environ.get("TERM") == "dumb" or os.name == "nt":
        return False
    return sys.stdin.isatty() and sys.stdout.isatty()


class Terminal:
    """Editor, page and keyboard of one chat. Enter it for as long as the chat lasts."""

    def __init__(self) -> None:
        from rich.console import Console

        from edgemind.cli.chatting.keys import TypeAhead
        from edgemind.cli.chatting.page import Page

        self._console = Console(highlight=False, soft_wrap=False)
        self._keys: TypeAhead = TypeAhead(now=self._take_in)
        self._page = Page(self._console, self._keys.typed)
        self._talk: Talk | None = None
        self._thinking = False
        self._presses = 0
        self._before: object = None
        self._modes = ExitStack()

    @property
    def face(self) -> Face:
        """What shows the answers."""
        return self._page

    def __enter__(self) -> Terminal:
        from edgemind.cli.chatting.keys import key_by_key

        self._modes.enter_context(key_by_key())
        self._before = signal.signal(signal.SIGINT, self._interrupt)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        signal.signal(signal.SIGINT, self._before)  # type: ignore[arg-type]
        self._modes.close()

    def run(self, desk: Desk) -> None:
        """Talk until the person leaves."""
        from edgemind.cli.chatting.editor import PROMPT, Editor

        talk = self._talk = desk.talk
        editor = Editor(COMMANDS, (turn.prompt for turn in talk.turns))

        def read(prefill: str) -> str | None:
            if self._presses or prefill:
                # Who stopped an answer, or takes one back, wants to see what goes out next.
                prefill = "\n".join(filter(None, (prefill, self._keys.give_back())))
            elif self._keys.lines:
                line, talk.stopped = self._keys.lines.popleft(), False
                self._page.note(f"{PROMPT}{line}")
                return line
            self._presses, talk.stopped = 0, False
            return editor.read(prefill or self._keys.take_draft())

        converse(desk, read, self.answering, commands=True)

    @contextmanager
    def answering(self, _: Mind) -> Iterator[None]:
        """While this lasts, keys are kept, and Ctrl-C ends the answer with what there is."""
        from edgemind.cli.chatting.editor import typed_ahead

        if self._keys.take(typed_ahead()):
            self._interrupt()
        try:
            with self._keys:
                self._thinking = True
                yield
        except KeyboardInterrupt:
            self._page.note("given up: the prompt was forgotten")
        finally:
            self._thinking = False

    @contextmanager
    def opening(self) -> Iterator[None]:
        """While a model is opened, keys are kept, and Ctrl-C raises `KeyboardInterrupt`."""
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            with self._keys:
                yield
        finally:
            signal.signal(signal.SIGINT, before)

    def _take_in(self) -> None:
        """The line that waits is to steer: the answer ends at its next step, with what there is."""
        if self._thinking and self._talk is not None:
            self._talk.stop()

    def _interrupt(self, *_: object) -> None:
        """Ctrl-C, from the end of a line to the end of its answer."""
        self._presses += 1
        if self._talk is None:
            return
        if self._presses >= PRESSES and self._thinking:
            raise KeyboardInterrupt
        self._talk.stop()
