"""A whole interactive chat with the bundled model, on a terminal of tmux.

What the screen shows and does not depend on the model or the clock is kept in `screens/`.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SCREENS = Path(__file__).parent / "screens"
SECONDS = 30.0
"""So long may anything take that is waited for, on a machine that has other things to do."""

pytestmark = pytest.mark.skipif(
    shutil.which("tmux") is None, reason="tmux is not installed: it is the terminal of these tests"
)


class Terminal:
    """A chat in a window of tmux, 60 columns wide."""

    def __init__(self, folder: Path, *arguments: object, term: str = "") -> None:
        self.folder = folder
        words = (sys.executable, "-m", "edgemind.cli.main", "chat", *map(str, arguments))
        setting = f"env TERM={term} " if term else ""
        command = f"{setting}{shlex.join(words)}; echo left: $?; read wait"
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMUX_TMPDIR": str(folder)}
        environment.pop("TMUX", None)
        self.environment = environment
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", "60", "-y", "40", command)

    def tmux(self, *words: str, stdin: str | None = None) -> str:
        done = subprocess.run(  # noqa: PLW1510 (what it said is wanted)
            ["tmux", "-L", "chat", *words],
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

    def until(self, holds: Callable[[str], bool], what: str) -> str:
        end = time.monotonic() + SECONDS
        while True:
            seen = self.screen()
            if holds(seen):
                return seen
            assert time.monotonic() < end, f"{what} did not come:\n{seen}"
            time.sleep(0.03)

    def wait(self, text: str) -> str:
        return self.until(lambda seen: text in seen.replace("\n", " "), text)

    def ready(self) -> str:
        """Wait for an empty prompt as the last line."""
        return self.until(lambda seen: seen.rpartition("\n")[2].rstrip() == ">", "the prompt")

    def press(self, *keys: str) -> None:
        self.tmux("send-keys", *keys)

    def write(self, text: str) -> None:
        """Type a text, and wait until it stands there."""
        self.tmux("send-keys", "-l", text)
        self.wait(text[-6:])

    def type(self, text: str) -> None:
        self.tmux("send-keys", "-l", text)
        self.press("Enter")

    def say(self, text: str, answer: str) -> str:
        """Type a line on a clean screen, and wait for what it does and the next prompt."""
        self.press("C-l")
        self.until(lambda seen: seen == ">", "a clean screen")
        self.type(text)
        self.wait(answer)
        return self.ready()

    def close(self) -> None:
        subprocess.run(
            ["tmux", "-L", "chat", "kill-server"],
            env=self.environment,
            check=False,
            timeout=SECONDS,
        )


@pytest.fixture
def open_terminal(tmp_path: Path) -> Iterator[Callable[..., Terminal]]:
    opened: list[Terminal] = []

    def start(*arguments: object, term: str = "") -> Terminal:
        opened.append(Terminal(tmp_path, *arguments, term=term))
        return opened[-1]

    yield start
    for each in opened:
        each.close()


def kept(name: str, screen: str) -> None:
    """A screen is as it was when it was kept; without its file it is kept now, and fails."""
    file = SCREENS / f"{name}.txt"
    if not file.exists():
        file.write_text(screen + "\n", encoding="utf-8")
        pytest.fail(f"{file} was missing: look at what was kept")
    assert screen + "\n" == file.read_text(encoding="utf-8")


def test_a_conversation(open_terminal: Callable[..., Terminal], nano: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("Tom has 3 apples.\n")
    chat = open_terminal("--seed", 1)
    chat.wait("/help lists the commands.")
    chat.ready()

    # Every command once.
    kept("help", chat.say("/help", "is the next prompt."))
    kept("unknown", chat.say("/stat", "with a slash)"))
    kept("settings", settings(chat))
    chat.say("What is 17 * 23?", "sample")
    assert "before the first word" in chat.say("/why", "where it went:")
    chat.say("/retry", "sample")
    chat.say("/undo", "taken back: What is 17 * 23?")
    assert "nothing to take back" in chat.say("/undo", "there is nothing")
    chat.say("What is 2 + 3?", "sample")
    chat.say("/save talk.json", "saved: 1 turn in talk.json")
    chat.say("/export talk.md", "exported: talk.md")
    chat.say("/clear", "a new conversation")
    chat.say("/load talk.json", "loaded: 1 turn")
    chat.say("/stats", "1 turn")
    chat.say("/read notes.txt", "goes before your next prompt")
    chat.say("How many apples?", "sample")
    chat.say(f"/model {nano}", "model: edgemind-nano")
    assert "no model file" in chat.say("/model none.gguf", "edgemind: ").replace("\n", " ")
    assert "## You\n\nWhat is 2 + 3?" in (tmp_path / "talk.md").read_text()

    # Completion, and a prompt that is taken back to be changed.
    chat.press("C-l", "/", "s", "t", "a", "Tab")
    chat.wait("> /stats")
    chat.press("C-c")
    chat.ready()
    chat.type("/edit")
    chat.wait("  How many apples?")
    chat.press("C-c")
    chat.ready()

    chat.say("/budget none", "none but")

    # A paste of 2,000 lines is one prompt, too long for this context; nothing of it is lost.
    lines = "\n".join(f"line {number}" for number in range(2000))
    chat.tmux("load-buffer", "-", stdin=lines)
    chat.tmux("paste-buffer", "-p")
    chat.wait("line 1999")
    chat.press("Enter")
    chat.wait("shorten it")
    chat.ready()
    chat.press("Up")
    chat.wait("line 1999")
    chat.press("C-c")
    chat.ready()

    # A resize.
    chat.tmux("resize-window", "-x", "40", "-y", "15")
    assert "┃" not in chat.say("What is 3 + 4?", "sample")
    assert max(map(len, chat.screen().split("\n"))) <= 40

    chat.press("C-d")
    chat.wait("left: 0")


def settings(chat: Terminal) -> str:
    """The screen after commands that change how answers are made."""
    chat.press("C-l")
    for line, said in (
        ("/model", "model: "),
        ("/system Be brief.", "system: "),
        ("/budget 20s 300J 4000t", "4000 tokens"),
        ("/strategy vote 4", "at most 4"),
        ("/strategy auto 8", "at most 8"),
        ("/show receipt off", "receipt off"),
        ("/show receipt on", "receipt on"),
        ("/show thoughts", "thoughts on"),
    ):
        chat.type(line)
        chat.wait(said)
        chat.ready()
    return chat.screen()


def test_ctrl_c_at_ten_moments(open_terminal: Callable[..., Terminal]) -> None:
    chat = open_terminal("--strategy", "vote", "--width", 256, "--temperature", 1.5)
    chat.wait("/help lists the commands.")
    chat.ready()
    for moment in range(10):
        chat.press("C-l")
        chat.until(lambda seen: seen == ">", "a clean screen")
        chat.write("A train leaves at 14:35 and takes 50 minutes. When does it arrive?")
        chat.press("Enter")
        time.sleep(moment * 0.08)
        chat.press("C-c")
        chat.ready()
    # One after the other, without waiting for anything.
    chat.write("What is 123 * 456?")
    chat.press("Enter", "C-c", "C-c")
    chat.ready()
    chat.say("/stats", "model: edgemind-nano")
    chat.type("/exit")
    chat.wait("left: 0")


def test_a_line_typed_while_it_thinks_is_the_next_prompt(
    open_terminal: Callable[..., Terminal],
) -> None:
    chat = open_terminal("--strategy", "vote", "--width", 256, "--temperature", 1.5)
    chat.wait("/help lists the commands.")
    chat.ready()
    chat.type("A train leaves at 14:35 and takes 50 minutes. When does it arrive?")
    chat.type("/stats")
    seen = chat.wait("model: edgemind-nano")
    assert "> /stats" in seen
    assert "1 turn\n" in seen
    chat.ready()


@pytest.mark.parametrize("way", ["--plain", "dumb"])
def test_nothing_is_drawn_where_lines_are_wanted(
    open_terminal: Callable[..., Terminal], way: str
) -> None:
    chat = open_terminal("--plain") if way == "--plain" else open_terminal(term="dumb")
    record = chat.folder / "record"
    chat.tmux("pipe-pane", "-o", f"cat > {shlex.quote(str(record))}")
    chat.wait("/help lists the commands.")
    chat.type('"""What is')
    chat.type('2 + 3?"""')
    chat.wait("sample")
    chat.ready()
    chat.type("/stats")
    chat.wait("1 turn")
    chat.press("C-d")
    chat.wait("left: 0")
    if way == "--plain":
        answers = record.read_bytes().partition(b'2 + 3?"""')[2].partition(b"> ")[0]
        assert b"sample" in answers and b"\x1b[" not in answers.replace(b"\x1b[?2004", b"")
