"""A terminal for tests: a chat in a window of tmux, 60 columns wide, and screens that were kept.

Nothing sleeps for a time: what a test does next waits for what it has to see first.
`UPDATE_SCREENS=1 scripts/test tests/cli/chatting` writes `screens/` anew; look at what changed.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SCREENS = Path(__file__).parent / "screens"
SECONDS = 30.0
"""So long may anything take that is waited for, on a machine that has other things to do."""
FIGURE = r"[-+]?\d+(?:\.\d+)?(?:e[-+]\d+)?"
SOURCE = r"\((?:estimated|measured:\S+)\)"
VARYING = (
    # A receipt, with the line breaks that its figures make.
    (rf"(?m)^(\*?(?:direct|vote|majority)) · [^>]*?{SOURCE}(?:\s·\s\d+%\s+agree)?", r"\1 · …"),
    (r"\b[0-9a-f]{8} of \d{4}-\d\d-\d\d \d\d:\d\d", "IDENTITY of DATE"),
    (r", \d{4}-\d\d-\d\d \d\d:\d\d", ", DATE"),
)

needs_tmux = pytest.mark.skipif(
    shutil.which("tmux") is None, reason="tmux is not installed: it is the terminal of these tests"
)


class Terminal:
    """A chat in a window of tmux, `into` a file; `environment` is added to that of the test."""

    def __init__(
        self, folder: Path, *arguments: object, into: str = "", **environment: str
    ) -> None:
        self.folder = folder
        self.server = os.urandom(4).hex()
        self.record = folder / "record"
        words = (sys.executable, "-m", "edgemind.cli.main", "chat", *map(str, arguments))
        settings = "".join(f"{name}={value} " for name, value in environment.items())
        self.environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMUX_TMPDIR": str(folder)}
        self.environment.pop("TMUX", None)
        command = f"{f'env {settings}' if settings else ''}{shlex.join(words)}"
        # Waits until everything that is written is recorded.
        to = f" > {shlex.quote(into)}" if into else ""
        whole = f"read go; {command}{to}; echo left: $?; read wait"
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", "60", "-y", "40", whole)
        self.tmux("pipe-pane", "-o", f"exec cat > {shlex.quote(str(self.record))}")
        self.press("Enter")

    def tmux(self, *words: str, stdin: str | None = None) -> str:
        done = subprocess.run(  # noqa: PLW1510 (what it said is wanted)
            ["tmux", "-L", self.server, *words],
            cwd=self.folder,
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def screen(self) -> str:
        """What can be seen, without what is empty below."""
        return self.tmux("capture-pane", "-p").rstrip("\n")

    def until(self, holds: Callable[[str], object], what: str) -> str:
        end = time.monotonic() + SECONDS
        while True:
            seen = self.screen()
            if holds(seen):
                return seen
            assert time.monotonic() < end, f"{what} did not come:\n{seen}"
            time.sleep(0.03)

    def wait(self, text: str) -> str:
        """Wait for a text, wherever lines break in it."""
        return self.until(lambda seen: text in seen.replace("\n", " "), text)

    def wait_for(self, pattern: str) -> str:
        return self.until(lambda seen: re.search(pattern, seen), pattern)

    def wait_for_bytes(self, text: bytes) -> None:
        """Wait until the program has written this."""
        self.until(lambda _: self.record.exists() and text in self.record.read_bytes(), str(text))

    def ready(self) -> str:
        """Wait for an empty prompt as the last line."""
        return self.until(lambda seen: seen.rpartition("\n")[2].rstrip() == ">", "the prompt")

    def begun(self) -> None:
        """Wait for the first prompt."""
        self.wait("/help lists the commands.")
        self.ready()

    def press(self, *keys: str) -> None:
        self.tmux("send-keys", *keys)

    def write(self, text: str) -> None:
        """Type a text, and wait until it stands there."""
        self.tmux("send-keys", "-l", text)
        self.wait(text[-6:])

    def type(self, text: str) -> None:
        self.tmux("send-keys", "-l", text)
        self.press("Enter")

    def clean(self) -> None:
        """A screen with nothing but the prompt."""
        self.press("C-l")
        self.until(lambda seen: seen == ">", "a clean screen")

    def say(self, text: str, answer: str) -> str:
        """Type a line on a clean screen, and wait for what it does and the next prompt."""
        self.clean()
        self.type(text)
        self.wait(answer)
        return self.ready()

    def close(self) -> None:
        subprocess.run(
            ["tmux", "-L", self.server, "kill-server"],
            env=self.environment,
            capture_output=True,
            check=False,
            timeout=SECONDS,
        )


def kept(name: str, screen: str, *, figures: bool = True) -> None:
    """A screen is as it was when it was kept, but for receipts, dates and, if wanted, `figures`."""
    for pattern, instead in VARYING:
        screen = re.sub(pattern, instead, screen)
    if not figures:
        screen = re.sub(rf" *{FIGURE}", " #", screen).replace(": outside", "")
        screen = re.sub(r"\s+with # %", " with # %", screen)
    file = SCREENS / f"{name}.txt"
    if os.environ.get("UPDATE_SCREENS"):
        file.write_text(screen + "\n", encoding="utf-8")
    assert file.exists(), f"{file} is missing: UPDATE_SCREENS=1 makes it"
    assert screen + "\n" == file.read_text(encoding="utf-8")
