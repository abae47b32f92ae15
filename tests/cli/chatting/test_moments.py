"""Ctrl-C, whenever it comes: a prompt follows, and nothing is lost but what was meant."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.chatting.test_terminal import LONG, TRAIN
from tests.cli.chatting.tmux import Terminal, needs_tmux

pytestmark = needs_tmux
Open = Callable[..., Terminal]
READS_KEYS = b"\x1b[?2004h"
"""The terminal is told so once keys are kept while a model is opened."""


@pytest.fixture
def unknown(nano: Path, tmp_path: Path) -> Path:
    """A model that is tried in a child first, which takes its time."""
    return Path(shutil.copy(nano, tmp_path / "unknown.gguf"))


def test_ten_moments(open_terminal: Open, unknown: Path) -> None:
    chat = open_terminal(*LONG)
    chat.begun()
    chat.press("C-c")  # 1: there is nothing
    chat.write("half a line")
    chat.press("C-c")  # 2: a line is half written
    chat.ready()
    chat.press("/", "s", "Tab")
    chat.wait("/strategy")
    chat.press("C-c")  # 3: completions are offered
    chat.ready()
    chat.press("C-r")
    chat.wait("search")
    chat.press("C-c")  # 4: a search has begun
    chat.ready()

    def asked() -> None:
        chat.clean()
        chat.write(TRAIN)

    asked()
    chat.press("Enter", "C-c")  # 5: right behind the end of the line
    chat.ready()

    for seen, presses in (
        ("Ctrl-C: best", 1),  # 6: when it has begun
        ("samples running", 1),  # 7: while it draws samples
        (r": \d+ +·|: \d+ .*: \d+", 1),  # 8: when there are votes
        ("samples running", 2),  # 9: twice
    ):
        asked()
        chat.press("Enter")
        chat.wait_for(seen)
        chat.press(*["C-c"] * presses)
        chat.wait("stopped")
        chat.ready()

    # 10: with a line typed meanwhile, which is not sent, but stands at the prompt.
    asked()
    chat.press("Enter")
    chat.wait("samples running")
    chat.type("/exit")
    chat.tmux("send-keys", "-l", "half")
    chat.wait("next: half")
    chat.press("C-c")
    chat.wait("stopped")
    chat.until(lambda seen: seen.endswith("> /exit\n  half"), "what was typed")
    chat.press("C-c")
    chat.ready()
    assert re.search("[3-5] turns", chat.say("/stats", " turns"))  # one of no word is none

    # 11: while another model is opened.
    chat.type(f"/model {unknown.name}")
    chat.wait("opening")
    chat.press("C-c")
    chat.wait("stopped: edgemind-nano stays")
    chat.ready()
    chat.say("/strategy direct", "at most")
    chat.say("What is 2 + 3?", "sample")
    chat.say(f"/model {unknown.name}", "(unknown.gguf)")
    chat.type("/exit")
    chat.wait("left: 0")


def test_while_the_first_model_is_opened(open_terminal: Open, unknown: Path) -> None:
    chat = open_terminal("--model", unknown)
    chat.wait_for_bytes(READS_KEYS)
    chat.press("C-c")
    seen = chat.wait("left: ")
    assert "left: 130" in seen and "Traceback" not in seen
