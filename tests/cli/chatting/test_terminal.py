"""A whole interactive chat with the bundled model, on a terminal of tmux.

What the screen shows and does not depend on the model or the clock is kept in `screens/`.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from edgemind.folders import config_folder
from tests.cli.chatting.tmux import ROOT, Terminal, kept, needs_tmux

pytestmark = needs_tmux
Open = Callable[..., Terminal]
LONG = ("--strategy", "majority", "--width", 256, "--temperature", 1.5)
"""An answer that takes several seconds."""
TRAIN = "A train leaves at 14:35 and takes 50 minutes. When does it arrive?"


@pytest.fixture
def keeping() -> None:
    """What is said is kept."""
    config_folder().mkdir(parents=True)
    (config_folder() / "config.toml").write_text("[history]\nkeep = true\n")


def test_a_conversation(open_terminal: Open, nano: Path, tmp_path: Path, keeping: None) -> None:
    (tmp_path / "notes.txt").write_text("Tom has 3 apples.\n")
    chat = open_terminal("--seed", 1)
    chat.begun()

    # Every command once.
    kept("help", chat.say("/help", "it is taken in now."))
    kept("unknown", chat.say("/stat", "with a slash)"))
    kept("settings", settings(chat))
    assert "17 * 20 = 340" in chat.say("What is 17 * 23?", "sample")
    kept("why", chat.say("/why", "where it went:"), figures=False)
    chat.say("/retry", "sample")
    chat.say("/undo", "taken back: What is 17 * 23?")
    assert "nothing to take back" in chat.say("/undo", "there is nothing")
    kept("answer", chat.say("What is 2 + 3?", "sample"))
    chat.say("/save talk.json", "saved: 1 turn in talk.json")
    chat.say("/export talk.md", "exported: talk.md")
    kept("export", (tmp_path / "talk.md").read_text().rstrip("\n"))
    chat.say("/clear", "a new conversation")
    chat.say("/load talk.json", "loaded: 1 turn")
    kept("stats", chat.say("/stats", "1 turn"), figures=False)
    chat.say("/read notes.txt", "goes before your next prompt")
    chat.say("How many apples?", "sample")
    chat.say("/undo", "taken back: The file notes.txt")
    assert "no model file" in chat.say("/model none.gguf", "edgemind: ").replace("\n", " ")

    # From a GGUF file to an ONNX folder, and on with the same conversation.
    chat.say(f"/model {nano.parent / 'edgemind-nano-onnx'}", "-onnx)")
    chat.say("What is 3 + 4?", "sample")
    chat.say("/model edgemind-nano", "model: edgemind-nano")

    # Completion, a search in what was typed, a prompt that is taken back to be changed.
    chat.press("C-l", "/", "s", "t", "a", "Tab")
    chat.wait("> /stats")
    chat.press("C-c")
    chat.ready()
    chat.press("C-r")
    chat.wait("search")
    chat.write("apples")
    chat.wait("How many apples?")
    chat.press("Enter", "C-c")
    chat.ready()
    chat.type("/edit")
    chat.until(lambda seen: seen.endswith("> What is 3 + 4?"), "the last prompt")
    chat.press("C-c")
    chat.ready()

    chat.say("What is 4 + 5?", "sample")

    # A paste of 2,000 lines is one prompt, too long for this context; nothing of it is lost.
    chat.say("/budget none", "none but")
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
    chat.type("/exit")
    chat.wait("left: 0")
    chat.close()

    assert has_colours(chat.record.read_bytes())

    # Another day, and without colours: it goes on where it was.
    chat = open_terminal("--resume", NO_COLOR="1")
    chat.begun()
    kept("resume", chat.screen())
    chat.say("/clear", "a new conversation")
    assert "What is 2 + 3?" in chat.say("/resume", "goes on, 2 turns")
    chat.say("Write `1 + 1` as *code*.", "sample")
    chat.say("/why", "where it went:")
    chat.press("C-l", "/", "Tab")
    chat.wait("this list")
    chat.press("C-c")
    chat.ready()
    assert not has_colours(chat.record.read_bytes())
    chat.press("C-d")
    chat.wait("left: 0")


def settings(chat: Terminal) -> str:
    """The screen after commands that change how answers are made."""
    chat.press("C-l")
    for line, said in (
        ("/model", "model: "),
        ("/system Be brief.", "system: "),
        ("/system -", "(none)"),
        ("/budget 20s 300J 4000t", "4000 tokens"),
        ("/strategy vote 4", "at most 4"),
        ("/strategy auto 8", "at most 8"),
        ("/show receipt off", "receipt off"),
        ("/show receipt on", "receipt on"),
        ("/show thoughts", "thoughts on"),
        ("/show explain on", "explain on"),
        ("/show explain off", "explain off"),
        ("/show", "thoughts on, receipt on, explain off > /show"),
    ):
        chat.type(line)
        chat.wait(said)
        chat.ready()
    return chat.screen()


def test_a_window_that_changes_while_an_answer_comes(open_terminal: Open) -> None:
    chat = open_terminal(*LONG, "--seed", 1)
    chat.begun()
    chat.type(TRAIN)
    chat.wait("samples running")
    for width, height in ((30, 30), (50, 12), (24, 30)):
        chat.tmux("resize-window", "-x", str(width), "-y", str(height))
        chat.wait_for(r"samples runn.*\Z")
    assert chat.screen().count("runn") == 1
    chat.press("C-c")
    chat.wait("stopped")
    seen = chat.ready()
    assert "runn" not in seen and "Ctrl-C: best" not in seen


@pytest.mark.parametrize("first", ["gguf", "onnx"])
def test_lines_that_were_typed_too_early(open_terminal: Open, nano: Path, first: str) -> None:
    """While the model is opened, and while it thinks: each is a prompt of its own."""
    model = nano if first == "gguf" else nano.parent / "edgemind-nano-onnx"
    chat = open_terminal("--strategy", "vote", "--width", 64, "--model", model)
    chat.type("What is 2 + 3?")
    chat.type("/stats")
    chat.tmux("send-keys", "-l", "half a line")
    seen = chat.until(lambda seen: seen.endswith("> half a line"), "the half line")
    assert "> /stats\nmodel: edgemind-nano\n1 turn\n" in seen
    chat.press("C-u")
    chat.clean()
    chat.type(TRAIN)
    chat.type("/stats")
    assert "2 turns\n" in chat.wait("2 turns")
    chat.ready()


def test_a_line_steers_while_it_thinks(open_terminal: Open) -> None:
    """Typed, and Enter once more: the answer ends where it is, and the line is answered."""
    chat = open_terminal("--strategy", "majority", "--width", 256, "--model", "edgemind-nano")
    chat.begun()
    chat.type(TRAIN)
    chat.wait("samples running")
    chat.type("What is 2 + 3?")
    chat.wait("Enter: now")
    chat.press("Enter")
    line = "> What is 2 + 3?"
    seen = chat.until(lambda seen: "agree" in seen.partition(line)[2], "the receipt of the line")
    before, _, after = seen.partition(line)
    assert "stopped" in before and "2 + 3 = 5" in after
    chat.ready()
    chat.type("/stats")
    chat.wait("2 turns")


def has_colours(written: bytes) -> bool:
    """Whether a terminal was told to change its colours; bold and dim are none."""
    codes = {code for one in re.findall(rb"\x1b\[([0-9;]*)m", written) for code in one.split(b";")}
    return any(len(code) > 1 and code[:1] in b"3491" for code in codes)


@pytest.mark.parametrize("way", ["--plain", "dumb"])
def test_nothing_is_drawn_where_lines_are_wanted(open_terminal: Open, way: str) -> None:
    chat = open_terminal("--plain") if way == "--plain" else open_terminal(TERM="dumb")
    chat.begun()
    chat.type('"""What is')
    chat.type('2 + 3?"""')
    chat.wait("sample")
    chat.ready()
    chat.type("/stats")
    chat.wait("1 turn")
    kept(way.strip("-"), chat.ready(), figures=False)
    chat.press("C-d")
    chat.wait("left: 0")
    if way == "--plain":
        answers = chat.record.read_bytes().partition(b'2 + 3?"""')[2].partition(b"> ")[0]
        assert b"sample" in answers and b"\x1b[" not in answers.replace(b"\x1b[?2004", b"")


def test_answers_that_go_into_a_file(tmp_path: Path) -> None:
    """Neither end is a terminal: every line is a prompt, the answers alone are on stdout."""
    done = chat_in_a_pipe("What is 2 + 3?\n/help\n\n\n")
    assert done.stdout.splitlines()[:2] == ["2 + 3 = 5", "#### 5"]
    assert "\x1b" not in done.stdout + done.stderr and "> " not in done.stdout
    assert done.stderr.count("sample") == 2, "/help is a prompt there"


def chat_in_a_pipe(stdin: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "edgemind.cli.main", "chat"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        input=stdin,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )


def test_answers_alone_go_into_a_file_from_a_terminal(open_terminal: Open, tmp_path: Path) -> None:
    chat = open_terminal(into="answers")
    chat.wait("/help lists the commands.")
    chat.wait_for(r"\n> *\Z")
    chat.type("What is 2 + 3?")
    chat.wait("sample")
    chat.wait_for(r"\n> *\Z")
    chat.press("C-d")
    chat.wait("left: 0")
    assert (tmp_path / "answers").read_text() == "2 + 3 = 5\n#### 5\n"
