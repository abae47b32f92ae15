"""The keyboard while the model thinks: a line typed then is the next prompt, at once if wanted.

Imports prompt_toolkit, so it is imported when an interactive chat begins. The terminal gives keys
one by one and shows none (the live line does); Ctrl-C stays a signal.
"""

from __future__ import annotations

import codecs
import os
import select
import sys
import termios
import threading
import tty
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from prompt_toolkit.input.vt100_parser import Vt100Parser
from prompt_toolkit.key_binding import KeyPress
from prompt_toolkit.keys import Keys

from edgemind.cli.chatting.page import Typed

BRACKETED_PASTE = {True: "\x1b[?2004h", False: "\x1b[?2004l"}
READ_BYTES = 4096


@contextmanager
def key_by_key() -> Iterator[None]:
    """While this lasts, the terminal gives keys as they are pressed, and Enter as itself.

    Else a line that is typed between two prompts would end as Ctrl-J does, which begins a new line
    of a prompt.
    """
    file = sys.stdin.fileno()
    before = termios.tcgetattr(file)
    now = termios.tcgetattr(file)
    now[0] &= ~termios.ICRNL
    now[3] &= ~(termios.ECHO | termios.ICANON)
    termios.tcsetattr(file, termios.TCSANOW, now)
    try:
        yield
    finally:
        termios.tcsetattr(file, termios.TCSANOW, before)


class TypeAhead:
    """Reads the keyboard in a thread while it is entered.

    `lines` are whole lines in their order, `draft` the one that was not ended; both stay until
    somebody takes them.
    """

    def __init__(self, file: int | None = None, now: Callable[[], None] = lambda: None) -> None:
        self._now = now
        self.lines: deque[str] = deque()
        self.draft = ""
        self._file = sys.stdin.fileno() if file is None else file
        self._parser = Vt100Parser(self._press)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._before: list[Any] = []
        self._wake: tuple[int, int] = (-1, -1)
        self._thread: threading.Thread | None = None

    def typed(self) -> Typed:
        """What the live line shows."""
        return Typed(len(self.lines), self.draft)

    def give_back(self) -> str:
        """Everything typed as one text, to be edited before it is sent."""
        text = "\n".join((*self.lines, self.draft)) if self.lines else self.draft
        self.lines.clear()
        self.draft = ""
        return text.strip("\n")

    def take_draft(self) -> str:
        """The line that was not ended."""
        draft, self.draft = self.draft, ""
        return draft

    def take(self, presses: Iterable[KeyPress]) -> bool:
        """Go on from keys that were read before; whether Ctrl-C was among them."""
        stopped = False
        for press in presses:
            stopped |= press.key == Keys.ControlC
            self._press(press)
        return stopped

    def __enter__(self) -> TypeAhead:
        self._before = termios.tcgetattr(self._file)
        tty.setcbreak(self._file, termios.TCSANOW)
        _write(BRACKETED_PASTE[True])
        self._wake = os.pipe()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.write(self._wake[1], b"x")
        if self._thread is not None:
            self._thread.join()
        for end in self._wake:
            os.close(end)
        _write(BRACKETED_PASTE[False])
        termios.tcsetattr(self._file, termios.TCSANOW, self._before)

    def _read(self) -> None:
        while True:
            ready, _, _ = select.select([self._file, self._wake[0]], [], [])
            if self._file in ready:
                try:
                    data = os.read(self._file, READ_BYTES)
                except OSError:
                    return
                if not data:
                    return  # the terminal is gone
                self._parser.feed(self._decoder.decode(data))
            elif self._wake[0] in ready:
                self._parser.flush()
                return

    def _press(self, press: KeyPress) -> None:
        match press.key:
            case Keys.ControlM | Keys.ControlJ:
                if self.draft.strip():
                    self.lines.append(self.draft)
                elif self.lines:
                    self._now()
                self.draft = ""
            case Keys.ControlH | Keys.Backspace:
                self.draft = self.draft[:-1]
            case Keys.ControlU:
                self.draft = ""
            case Keys.ControlW:
                self.draft = self.draft.rstrip().rpartition(" ")[0]
            case Keys.BracketedPaste:
                self.draft += press.data.replace("\r\n", "\n").replace("\r", "\n")
            case str() as key if not isinstance(key, Keys) and key.isprintable():
                self.draft += key
            case _:
                pass


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
