"""The line that a person edits, driven through a pipe of keys; keys while the model thinks."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("termios")

from prompt_toolkit.application import create_app_session
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output import DummyOutput

from edgemind.cli.chatting.commands import COMMANDS
from edgemind.cli.chatting.editor import CommandCompleter, Editor
from edgemind.cli.chatting.keys import TypeAhead
from edgemind.folders import data_folder
from edgemind.history import FILE, History
from edgemind.types import Message


@pytest.fixture
def keys() -> Iterator[PipeInput]:
    with create_pipe_input() as made, create_app_session(input=made, output=DummyOutput()):
        yield made


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("hello\r", "hello"),
        ("a\x1b\rb\r", "a\nb"),  # Alt-Enter
        ('"""a\rb\r"""\r', '"""a\nb\n"""'),
        ("\x1b[200~one\ntwo\n\x1b[201~\r", "one\ntwo\n"),
        ("gone\x03here\r", "here"),
        ("\x04", None),
        ("\x1b[A\r", "earlier"),
        ("\x12arl\r\r", "earlier"),  # Ctrl-R
    ],
)
def test_keys(keys: PipeInput, typed: str, read: str | None) -> None:
    keys.send_text(typed)
    assert Editor(COMMANDS, ["earliest of all", "earlier"]).read() == read


def test_a_paste_of_two_thousand_lines(keys: PipeInput) -> None:
    text = "\n".join(map(str, range(2000)))
    keys.send_text(f"\x1b[200~{text}\x1b[201~\r")
    assert Editor(COMMANDS).read() == text


def test_what_is_given_stands_there(keys: PipeInput) -> None:
    keys.send_text(" more\r")
    assert Editor(COMMANDS).read("some") == "some more"


def test_the_editor_of_the_person(
    keys: PipeInput, tmp_path: os.PathLike[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    script = os.path.join(tmp_path, "editor")
    with open(script, "w") as file:
        file.write('#!/bin/sh\nprintf "from outside" > "$1"\n')
    os.chmod(script, 0o700)
    monkeypatch.setenv("VISUAL", script)
    keys.send_text("draft\x18\x05")  # Ctrl-X Ctrl-E
    editor = Editor(COMMANDS)
    # What the editor leaves is sent at once.
    assert editor.read() == "from outside"


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("/st", ["/strategy", "/stats"]),
        ("/strategy v", ["vote"]),
        ("/show th", ["thoughts"]),
        ("/why ", []),
        ("/model edge", ["edgemind-nano"]),
        ("/resume ", ["00aa11bb"]),
        ("/resume 1", []),
        ("/nothing ", []),
        ("what /st", []),
    ],
)
def test_completion(
    line: str, offered: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    history = History(data_folder() / FILE)
    history.add("00aa11bb22cc33dd", "m", [Message("user", "Hi")])
    history.close()
    found = CommandCompleter(COMMANDS).get_completions(Document(line), CompleteEvent())
    assert [one.text for one in found] == offered


def test_completion_of_paths(tmp_path: os.PathLike[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("notes.txt", "novel.md"):
        with open(name, "w"):
            pass
    for command in ("/read", "/load", "/save", "/export", "/model"):
        found = CommandCompleter(COMMANDS).get_completions(
            Document(f"{command} no"), CompleteEvent()
        )
        assert [one.display_text for one in found] == ["notes.txt", "novel.md"]


def test_lines_typed_while_it_thinks(capsys: pytest.CaptureFixture[str]) -> None:
    outside, inside = os.openpty()
    try:
        calls: list[int] = []
        ahead = TypeAhead(inside, lambda: calls.append(len(ahead.lines)))
        with ahead:
            os.write(outside, b"\rfirst\rsecone\x7f\x7fnd\r\r\x1b[200~a\nb\x1b[201~\rhalf \xc3")
            until(lambda: ahead.draft == "half ")
            os.write(outside, b"\xa4\x1b[A")
            until(lambda: ahead.draft == "half ä")
            assert ahead.typed() == (3, "half ä")
        assert list(ahead.lines) == ["first", "second", "a\nb"]
        assert calls == [2], "Enter alone, while lines wait"
        assert ahead.take_draft() == "half ä"
        assert ahead.give_back() == "first\nsecond\na\nb"
        assert ahead.typed() == (0, "")
        assert capsys.readouterr().out == "\x1b[?2004h\x1b[?2004l"
    finally:
        os.close(outside)
        os.close(inside)


def test_the_terminal_is_as_it_was() -> None:
    import termios

    outside, inside = os.openpty()
    try:
        before = termios.tcgetattr(inside)
        for _ in range(3):
            with TypeAhead(inside):
                assert not termios.tcgetattr(inside)[3] & (termios.ECHO | termios.ICANON)
        assert termios.tcgetattr(inside) == before
    finally:
        os.close(outside)
        os.close(inside)


def until(holds: object, seconds: float = 10.0) -> None:
    """Wait for another thread."""
    end = time.monotonic() + seconds
    while not holds():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.005)
